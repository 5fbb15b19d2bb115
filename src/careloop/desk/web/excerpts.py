"""The beginning of a text in a list, with the words that decided, and how sure the reading is."""

from typing import Any

from django.utils.safestring import SafeString

from careloop.desk.web.highlight import highlight, marks_of


def excerpt(body: str, reading: Any, length: int) -> tuple[SafeString, bool]:
    """The first `length` characters as HTML with what decided the sentiment and the facts marked, and whether more follows."""
    marks = marks_of(reading.details) if reading is not None and reading.details else []
    return highlight(body[:length], [mark for mark in marks if mark.style != "kind"]), len(body) > length


def label_probability(reading: Any) -> float | None:
    """How sure the sentiment that is shown is; None for neutral, which is neither."""
    if reading is None or reading.sentiment_probability is None or reading.sentiment not in {"POSITIVE", "NEGATIVE"}:
        return None
    positive = float(reading.sentiment_probability)
    return positive if reading.sentiment == "POSITIVE" else 1 - positive
