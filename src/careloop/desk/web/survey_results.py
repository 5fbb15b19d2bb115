"""The figures of a survey as its page, its files and the API tell them."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from careloop.desk.analysis.intervals import Rate, rate_of
from careloop.desk.surveys.figures import QuestionFigures
from careloop.desk.surveys.queries import Results
from careloop.desk.surveys.rules.questions import NPS, in_language
from careloop.desk.surveys.rules.scores import points_of
from careloop.desk.web.survey_words import rate_words

HEAD = ("question", "text", "figure", "value", "words", "count", "n", "number", "low", "high")


ENDS = (0.25, 0.5, 1.0)  # shares at which the bars of a question may end


def shown_figures(found: Results, language: str) -> list[dict[str, Any]]:
    """Each question with its lines; the bars of one question end at the same share, so that they compare with each other."""
    return [_shown(one, language) for one in found.figures]


def _shown(one: QuestionFigures, language: str) -> dict[str, Any]:
    highest = max((line.rate.high or 0.0 for line in one.lines), default=0.0)
    end = next((end for end in ENDS if highest <= end), ENDS[-1])
    return {
        "one": one,
        "text": in_language(one.question.text, language),
        "end": f"{end:.0%}",
        "half": f"{end / 2:.1%}".replace(".0%", "%"),
        "top": rate_words(one.top) if one.top is not None else None,
        "parties": _parties(one) if one.net is not None and one.n else [],
        "lines": [
            {
                "line": line,
                "words": in_language(line.words, language),
                "svg": share_bar(line.rate, end) if one.n else "",
                "silent": "–".join(f"{share * 100:.1f}" for share in line.silent) + "%" if line.silent is not None else "",
                **rate_words(line.rate),
            }
            for line in one.lines
        ],
    }


def share_bar(rate: Rate, end: float) -> SafeString:
    """One share as a bar with its 95 % interval as a whisker, in a track that ends at a share; the words stand beside it."""
    share, low, high = (round(100 * (value or 0.0) / end, 2) for value in (rate.share, rate.low, rate.high))
    return format_html(
        '<svg class="share" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" width="100" height="12"/><rect class="bar" width="{}" height="12"/>'
        '<path class="whisker" d="M{} 6H{}M{} 3V9M{} 3V9"/></svg>',
        share, low, high, low, high,
    )  # fmt: skip


def _parties(one: QuestionFigures) -> list[dict[str, str]]:
    """Who recommends, who does not, and who lies between: of which the net score is made."""
    words = {100.0: _("promoters (9–10)"), 0.0: _("passives (7–8)"), -100.0: _("detractors (0–6)")}
    hits = {points: sum(line.rate.hits for line in one.lines if points_of(int(line.value)) == points) for points in words}
    return [{"word": word, **rate_words(rate_of(hits[points], one.n))} for points, word in words.items()]


def shown_estimate(found: Any, kind: str) -> dict[str, Any]:
    """What all who were asked would say, as a page shows it: shares in percent, a net score in points."""

    def told(value: float) -> str:
        return f"{value:.0f}" if kind == NPS else f"{value:.1%}"

    return {
        "value": told(found.value),
        "interval": f"{told(found.low)} – {told(found.high)}",
        "plain": told(found.plain),
        "effective_n": round(found.effective_n),
        "n_answered": found.n_answered,
        "n_invited": found.n_invited,
        "sensitivity": " – ".join(map(told, found.sensitivity)),
        "bounds": " – ".join(map(told, found.bounds)),
    }


def figure_lines(found: Results, estimate: Any) -> Iterable[Sequence[Any]]:
    """The page's numbers, unrounded: shares and averages of each question, then what all who were asked would say."""
    rate = found.counts.rate
    yield ["", "", "answered_per_asked", "", "", rate.hits, rate.n, rate.share, rate.low, rate.high]
    for one in found.figures:
        text = one.question.text.get("en", "")
        yield [one.question.code, text, "answered", "", "", one.n, one.n, None, None, None]
        for line in one.lines:
            given = line.rate
            words = line.words.get("en", "")
            yield [one.question.code, text, "share", line.value, words, given.hits, given.n, given.share, given.low, given.high]
        for name, average in (("average", one.mean), ("net", one.net)):
            if average is not None:
                yield [one.question.code, text, name, "", "", None, average.n, average.average, average.low, average.high]
        if one.top is not None:
            yield [one.question.code, text, "top", "", "", one.top.hits, one.top.n, one.top.share, one.top.low, one.top.high]
    if estimate is not None:
        facts = ["", "", None, "", "", None, estimate.n_invited]
        for name, number, (low, high) in (
            ("all_asked", estimate.value, (estimate.low, estimate.high)),
            ("silent_otherwise", None, estimate.sensitivity),
            ("worst_and_best", None, estimate.bounds),
        ):
            yield [*facts[:2], name, *facts[3:], number, low, high]
