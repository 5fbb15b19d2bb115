"""Marking stretches of a customer's text: a pure function from text and marks to safe HTML."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from careloop.desk.web.reading_words import entity_label

MOST_MARKS = 12  # of one kind: the strongest; more would underline the whole text


@dataclass(frozen=True)
class Mark:
    """A stretch of a text (character offsets, end exclusive), how it looks and what it says on hover."""

    start: int
    end: int
    style: str
    title: str = ""


def highlight(text: str, marks: Iterable[Mark]) -> SafeString:
    """The escaped text with its marks; overlapping marks share flat elements, stretches outside of the text are ignored."""
    inside = [mark for mark in marks if 0 <= mark.start < mark.end <= len(text)]
    edges = sorted({0, len(text), *(mark.start for mark in inside), *(mark.end for mark in inside)})
    pieces = []
    for start, end in pairwise(edges):
        over = [mark for mark in inside if mark.start <= start and end <= mark.end]
        pieces.append(_piece(text[start:end], over))
    return mark_safe("".join(pieces))  # noqa: S308  (every piece is escaped)


def _piece(text: str, over: list[Mark]) -> SafeString:
    if not over:
        return escape(text)
    styles = " ".join(dict.fromkeys(mark.style for mark in over))
    title = " · ".join(dict.fromkeys(mark.title for mark in over if mark.title))
    if title:
        return format_html('<mark class="{}" title="{}">{}</mark>', styles, title, text)
    return format_html('<mark class="{}">{}</mark>', styles, text)


def marks_of(details: Mapping[str, Any]) -> list[Mark]:
    """What a stored reading points at: the words that decided sentiment and kind, and the facts; nothing for a decision not taken."""
    marks = []
    if not details.get("sentiment_abstained", True):
        for start, end, weight in details.get("sentiment_evidence", [])[:MOST_MARKS]:
            speaks_for = weight > 0
            title = _("Speaks for positive") if speaks_for else _("Speaks for negative")
            marks.append(Mark(start, end, "pos" if speaks_for else "neg", title))
    if not details.get("kind_abstained", True):
        for start, end, weight in details.get("kind_evidence", [])[:MOST_MARKS]:
            if weight > 0:
                marks.append(Mark(start, end, "kind", _("Decided the kind")))
    entities = details.get("entities", [])
    marks.extend(Mark(entity["start"], entity["end"], "ent", entity_label(entity["type"])) for entity in entities)
    return marks
