"""Charts of the feedback page as plain data for static/careloop/charts.js: every bar carries the address of its rows.

Colours are named after the tokens of the style sheet; the script looks their values up, so that light and dark both fit.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from careloop.desk.analysis.distinctive import Word
from careloop.desk.analysis.feedback_queries import CategoryShare, Day, Keywords

Link = Callable[..., str]
TONES = {"NEGATIVE": "bad", "NEUTRAL": "line-2", "POSITIVE": "good"}
MOST_TICKS = 6
LONGEST_LABEL = 14


def day_label(day: Day, unit: str) -> str:
    """The day, week or month of a bar as a person writes it."""
    if unit == "month":
        return date_format(day.first, "YEAR_MONTH_FORMAT")
    if unit == "week":
        return f"{short_day(day.first)} – {short_day(day.last)}"
    return date_format(day.first, "DATE_FORMAT")


def short_day(day: date) -> str:
    """Month and day in the language's usual short way."""
    return date_format(day, "MONTH_DAY_FORMAT")


def sentiment_over_time(days: list[Day], unit: str, names: dict[str, str], link: Link) -> dict[str, Any]:
    """Stacked bars: one for each day, week or month."""
    x = [day.first.isoformat() for day in days]
    step = max(1, -(-len(days) // MOST_TICKS))
    labels = [day_label(day, unit) for day in days]
    traces = []
    for sentiment, tone in TONES.items():
        counts = [day.counts.get(sentiment, 0) for day in days]
        texts = [f"{label}<br>{names[sentiment]}: {count}" for label, count in zip(labels, counts, strict=True)]
        links = [link(since=day.first.isoformat(), until=day.last.isoformat(), sentiment=sentiment) for day in days]
        traces.append({"type": "bar", "name": names[sentiment], "tone": tone, "x": x, "y": counts, "texts": texts, "links": links})
    ticks = {"tickvals": x[::step], "ticktext": [_tick(day, unit) for day in days[::step]]}
    return {"traces": traces, "xaxis": {"type": "category", **ticks}, "stacked": True, "legend": True}


def share_by_category(shares: list[CategoryShare], link: Link, names: Mapping[str, str]) -> dict[str, Any]:
    """Horizontal bars with their intervals, the surest to be negative on top."""
    below = shares[::-1]
    rates = [one.negative for one in below]
    share = [rate.share or 0 for rate in rates]
    low, high = [rate.low or 0 for rate in rates], [rate.high or 0 for rate in rates]
    trace = {
        "type": "bar",
        "orientation": "h",
        "tone": "bad",
        "x": share,
        "y": [one.category for one in below],
        "error": {
            "array": [top - middle for top, middle in zip(high, share, strict=True)],
            "arrayminus": [middle - bottom for bottom, middle in zip(low, share, strict=True)],
        },
        "texts": [
            _("%(category)s: %(share).0f%% negative (%(low).0f–%(high).0f%%), n = %(n)d")
            % {
                "category": plain(names.get(one.category, one.category)),
                "share": 100 * s,
                "low": 100 * a,
                "high": 100 * b,
                "n": one.negative.n,
            }
            for one, s, a, b in zip(below, share, low, high, strict=True)
        ],
        "links": [link(category=one.category) for one in below],
    }
    labels = [plain(cut(names.get(one.category, one.category))) for one in below]
    return {
        "traces": [trace],
        "yaxis": {"type": "category", "tickvals": [one.category for one in below], "ticktext": labels},
        "xaxis": {"tickformat": ".0%", "rangemode": "tozero"},
        "rows": len(below),
    }


def keyword_bars(keywords: Keywords, link: Link) -> dict[str, Any]:
    """Horizontal bars: words that set negative texts apart, then those of positive texts."""
    traces = []
    for words, sentiment in ((keywords.positive, "POSITIVE"), (keywords.negative, "NEGATIVE")):
        below = words[::-1]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "tone": TONES[sentiment],
                "x": [word.here for word in below],
                "y": [f"{sentiment} {word.word}" for word in below],
                "texts": [_word_text(word) for word in below],
                "links": [link(keyword=word.word, sentiment=sentiment) for word in below],
            }
        )
    shown = [(f"{sentiment} {one.word}", one.word) for sentiment, words in _by_sentiment(keywords) for one in words]
    axis = {"type": "category", "tickvals": [key for key, _word in shown], "ticktext": [plain(cut(word)) for _key, word in shown]}
    return {"traces": traces, "yaxis": axis, "xaxis": {"rangemode": "tozero"}, "rows": len(shown)}


def rating_bars(stars: dict[int, int], link: Link) -> dict[str, Any]:
    """One bar for each star."""
    trace = {
        "type": "bar",
        "tone": "accent",
        "x": [f"{star}★" for star in stars],
        "y": list(stars.values()),
        "texts": [f"{star}★: {n}" for star, n in stars.items()],
        "links": [link(stars_from=star, stars_to=star) for star in stars],
    }
    return {"traces": [trace], "xaxis": {"type": "category"}}


def _by_sentiment(keywords: Keywords) -> list[tuple[str, list[Word]]]:
    return [("POSITIVE", keywords.positive), ("NEGATIVE", keywords.negative)]


def _word_text(word: Word) -> str:
    facts = {"word": plain(word.word), "here": word.here, "there": word.there}
    return _("%(word)s: keyword of %(here)d of these texts, of %(there)d of the others") % facts


def _tick(day: Day, unit: str) -> str:
    return f"{day.first:%Y-%m}" if unit == "month" else f"{day.first.month}/{day.first.day}"


def cut(text: str) -> str:
    """The beginning of a label that is too long for an axis."""
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def plain(text: str) -> str:
    """Plotly reads a little HTML in labels; a customer's words must stay words."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
