"""The report of `careloop topics` as one HTML file that needs nothing else: charts, words, examples, in English or Chinese."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from careloop.batch.topics import TopicsOfFile
from careloop.insight.stats import wilson_interval

_LONGEST_EXAMPLE = 220
_MOST_LINES = 8  # topics drawn over time
WORDS = {
    "en": {
        "title": "Topics",
        "lead": "{rows:,} texts, {topics} topics; {none:,} texts have no topic.",
        "sizes": "How many texts",
        "trend": "Over time",
        "tree": "Which belong together",
        "emerging": "Emerging in the last period",
        "none_emerging": "No topic grew more than chance explains (at most 1 false alarm in 100 periods).",
        "grown": "{count} texts where {expected:.1f} were foretold (p = {p:.4f})",
        "topic": "Topic",
        "words": "Telling words",
        "texts": "Texts",
        "share": "Share (95 % interval)",
        "coherence": "Coherence",
        "examples": "Typical texts",
        "joined": "joined at distance {distance:.2f}",
    },
    "zh": {
        "title": "主题",
        "lead": "{rows:,} 条文本，{topics} 个主题；{none:,} 条文本没有主题。",
        "sizes": "文本数量",
        "trend": "随时间的变化",
        "tree": "哪些主题相近",
        "emerging": "最近一期新出现或明显增长",
        "none_emerging": "没有主题的增长超出偶然范围（每 100 期最多 1 次误报）。",
        "grown": "{count} 条，预期 {expected:.1f} 条（p = {p:.4f}）",
        "topic": "主题",
        "words": "特征词",
        "texts": "文本数",
        "share": "占比（95% 区间）",
        "coherence": "一致性",
        "examples": "典型文本",
        "joined": "合并距离 {distance:.2f}",
    },
}
_STYLE = """
:root{color-scheme:light dark;--ink:#1d2430;--quiet:#5b6675;--line:#dde2e9;--page:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--quiet:#9aa5b4;--line:#333b47;--page:#14181e}}
body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;color:var(--ink);background:var(--page);
max-width:1100px;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}p.lead,td small{color:var(--quiet)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.5rem .6rem;border-bottom:1px solid var(--line)}
th{font-weight:600;color:var(--quiet);font-size:.85rem}td.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td p{margin:.1rem 0}.wide{overflow-x:auto}ul{padding-left:1.2rem}
"""


def write_report(found: TopicsOfFile, path: Path, *, language: str = "en") -> None:
    """Write the report; `language` is "en" or "zh"."""
    words = WORDS[language]
    topics = found.model.topics_
    lead = words["lead"].format(rows=len(found.texts), topics=len(topics), none=int((found.model.labels_ < 0).sum()))
    parts = [_draw_sizes(found, words)]
    if found.trend is not None:
        parts += [_draw_trend(found, words), _list_emerging(found, words)]
    parts += [_make_table(found, words), _list_branches(found, words)]
    path.write_text(
        f'<!doctype html><html lang="{"zh-Hans" if language == "zh" else "en"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{words["title"]}</title><style>{_STYLE}</style></head><body>'
        f'<h1>{words["title"]}</h1><p class="lead">{lead}</p>{"".join(parts)}</body></html>',
        encoding="utf-8",
    )


def _draw(traces: list[Any], *, height: int, with_script: bool) -> str:
    import plotly.graph_objects as go
    import plotly.io

    figure = go.Figure(traces)
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 10, "b": 30},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": "#7a8594"},
    )
    figure.update_yaxes(automargin=True, gridcolor="rgba(128,128,128,.25)")
    figure.update_xaxes(gridcolor="rgba(128,128,128,.25)")
    drawn: str = plotly.io.to_html(
        figure, full_html=False, include_plotlyjs=with_script, config={"displayModeBar": False, "responsive": True}
    )
    return drawn


def _draw_sizes(found: TopicsOfFile, words: dict[str, str]) -> str:
    topics = found.model.topics_[::-1]
    bars = {"type": "bar", "orientation": "h", "x": [one.size for one in topics], "y": [f"{one.number} {one.name}" for one in topics]}
    return f"<h2>{words['sizes']}</h2>" + _draw([bars], height=60 + 26 * len(topics), with_script=True)


def _draw_trend(found: TopicsOfFile, words: dict[str, str]) -> str:
    assert found.trend is not None
    days = [day.isoformat() for day in found.trend.periods]
    drawn = found.model.topics_[:_MOST_LINES]
    lines = [{"type": "scatter", "name": one.name, "x": days, "y": found.trend.counts[:, one.number].tolist()} for one in drawn]
    return f"<h2>{words['trend']}</h2>" + _draw(lines, height=380, with_script=False)


def _list_emerging(found: TopicsOfFile, words: dict[str, str]) -> str:
    names = {topic.number: topic.name for topic in found.model.topics_}
    if not found.emerging:
        return f"<h2>{words['emerging']}</h2><p>{words['none_emerging']}</p>"
    lines = [
        f"<li><b>{escape(names[one.topic])}</b> {words['grown'].format(count=one.count, expected=one.expected, p=one.p_value)}</li>"
        for one in found.emerging
    ]
    return f"<h2>{words['emerging']}</h2><ul>{''.join(lines)}</ul>"


def _make_table(found: TopicsOfFile, words: dict[str, str]) -> str:
    head = "".join(f"<th>{words[name]}</th>" for name in ("topic", "words", "texts", "share", "coherence", "examples"))
    rows = []
    for topic in found.model.topics_:
        low, high = wilson_interval(topic.size, len(found.texts))
        examples = "".join(f"<p>{escape(found.texts[row][:_LONGEST_EXAMPLE])}</p>" for row in topic.examples)
        rows.append(
            f"<tr><td>{topic.number} <b>{escape(topic.name)}</b></td><td>{escape(', '.join(topic.words))}</td>"
            f"<td class=n>{topic.size:,}</td>"
            f"<td class=n>{topic.size / len(found.texts):.1%}<br><small>{low:.1%} – {high:.1%}</small></td>"
            f"<td class=n>{topic.coherence:.2f}</td><td>{examples}</td></tr>"
        )
    return f"<div class=wide><table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"


def _list_branches(found: TopicsOfFile, words: dict[str, str]) -> str:
    names = {topic.number: topic.name for topic in found.model.topics_}
    lines = []
    for branch in found.branches:
        joined = " + ".join(escape(names[one]) for one in branch.topics)
        lines.append(f"<li>{joined} <small>{words['joined'].format(distance=branch.distance)}</small></li>")
    return f"<h2>{words['tree']}</h2><ul>{''.join(lines)}</ul>" if lines else ""
