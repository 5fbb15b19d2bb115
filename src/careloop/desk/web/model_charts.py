"""Charts of a model's quality as plain data for static/careloop/charts.js; each has a table with the same numbers behind it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.web.charts import Link, cut, plain

MOST_IN_MATRIX = 15
PAIRS_SHOWN = 25


def reliability(bins: list[dict[str, Any]], link: Link) -> dict[str, Any]:
    """What the model said against what came true, with intervals, and the line on which it would be right."""
    line = {"type": "scatter", "mode": "lines", "tone": "line-2", "dash": "dot", "x": [0, 1], "y": [0, 1], "hover": "skip"}
    points = {
        "type": "scatter",
        "mode": "markers",
        "tone": "accent",
        "x": [one["said"] for one in bins],
        "y": [one["true"] for one in bins],
        "error_y": {"array": [one["high"] - one["true"] for one in bins], "arrayminus": [one["true"] - one["low"] for one in bins]},
        "texts": [
            _("said %(said).2f, right in %(true).2f (%(low).2f–%(high).2f), n = %(n)d") % one for one in bins
        ],
        "links": [link(low=bin_of(one["said"])[0], high=bin_of(one["said"])[1]) for one in bins],
    }  # fmt: skip
    axis = {"range": [0, 1.02], "tickformat": ".0%"}
    return {
        "traces": [line, points],
        "xaxis": {**axis, "title": {"text": _("probability said")}},
        "yaxis": {**axis, "title": {"text": _("right")}},
    }


def coverage(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Accuracy of what is answered against the share that is answered: what is gained by abstaining."""
    shown = [row for row in rows if row["accuracy"] is not None]
    trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "tone": "accent",
        "x": [row["answered"] for row in shown],
        "y": [row["accuracy"] for row in shown],
        "texts": [
            _("from %(threshold).2f: %(answered).0f%% answered, %(accuracy).0f%% of them right (%(low).0f–%(high).0f%%)")
            % {name: row[name] if name == "threshold" else 100 * row[name] for name in ("threshold", "answered", "accuracy", "low", "high")}
            for row in shown
        ],
    }
    low = min((row["accuracy"] for row in shown), default=0)
    y = {"range": [max(0, low - 0.1), 1.02], "tickformat": ".0%", "title": {"text": _("right")}}
    return {"traces": [trace], "xaxis": {"range": [0, 1.02], "tickformat": ".0%", "title": {"text": _("answered")}}, "yaxis": y}


def confusion(pairs: list[list[Any]], names: Mapping[str, str], link: Link) -> dict[str, Any]:
    """A square for each pair of what people and the model said; of many labels those with the most mistakes."""
    mistakes: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for given, said, count in pairs:
        seen.update({given: count})
        if given != said:
            mistakes.update({given: count, said: count})
    shown = [code for code, _n in sorted(seen.items(), key=lambda one: (-mistakes[one[0]], -one[1], one[0]))[:MOST_IN_MATRIX]]
    counts = {(given, said): count for given, said, count in pairs}
    labels = [plain(cut(names.get(code, code))) for code in shown]
    square = [[counts.get((given, said), 0) for said in shown] for given in shown]
    trace = {
        "type": "heatmap",
        "tone": "accent",
        "x": shown,
        "y": shown,
        "z": square,
        "texts": [
            [
                _("people: %(given)s · model: %(said)s · %(n)d")
                % {"given": plain(names.get(given, given)), "said": plain(names.get(said, said)), "n": counts.get((given, said), 0)}
                for said in shown
            ]
            for given in shown
        ],
        "links": [[link(given=given, said=said) if (given, said) in counts else "" for said in shown] for given in shown],
    }
    axis = {"type": "category", "tickvals": shown, "ticktext": labels}
    x = {**axis, "title": {"text": _("the model said")}, "tickangle": -90}
    return {
        "traces": [trace],
        "xaxis": x,
        "yaxis": {**axis, "autorange": "reversed", "title": {"text": _("people said")}},
        "rows": len(shown) + 5,
    }


def bin_of(said: float) -> tuple[str, str]:
    """The tenth in which a probability lies, as its two ends."""
    place = min(int(said * 10), 9)
    return f"{place / 10:.1f}", f"{(place + 1) / 10:.1f}"
