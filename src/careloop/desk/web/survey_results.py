"""The figures of a survey as its page, its files and the API tell them."""

from collections.abc import Iterable, Sequence
from typing import Any

from careloop.desk.surveys.queries import Results
from careloop.desk.surveys.rules.questions import NPS, in_language
from careloop.desk.web.survey_words import rate_words

HEAD = ("question", "text", "figure", "value", "words", "count", "n", "number", "low", "high")


def shown_figures(found: Results, language: str) -> list[dict[str, Any]]:
    """Each question with its lines; bars are drawn as long as the most frequent answer allows."""
    return [
        {
            "one": one,
            "text": in_language(one.question.text, language),
            "most": max((line.rate.hits for line in one.lines), default=0) or 1,
            "top": rate_words(one.top) if one.top is not None else None,
            "lines": [{"line": line, "words": in_language(line.words, language), **rate_words(line.rate)} for line in one.lines],
        }
        for one in found.figures
    ]


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
