"""Examples of entities from files: two ways of writing them, checked before anything is learnt."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

from careloop.insight.errors import InputError

_EXPECTED = (
    'expected is {"text": …, "label": {type: {words: [[first, last]]}}} or {"text": …, "entities": [{"type": …, "start": …, "end": …}]}'
)


class LabelledSpan(NamedTuple):
    """A stretch of a text with its type; `end` is exclusive."""

    start: int
    end: int
    type: str


class AnnotatedText(NamedTuple):
    """A text and the entities in it, in order of place, none overlapping another; and how many were left out as parts of others."""

    text: str
    spans: tuple[LabelledSpan, ...]
    nested: int = 0


def read_annotations(lines: Iterable[str | bytes | Mapping[str, Any]]) -> list[AnnotatedText]:
    """Return the examples of a file of JSON lines; empty lines are passed over.

    Parameters
    ----------
    lines : iterable of str, bytes or mapping
        Lines, or what they hold: {"text", "label": {type: {words: [[first, last], …]}}} with the place of the last character, or
        {"text", "entities": [{"type", "start", "end"}, …]} with the place after it.

    Returns
    -------
    list of AnnotatedText

    Raises
    ------
    InputError
        With the row (from 1) and field at fault: no JSON, a field missing or of another kind, a place outside the text, an end before
        its start, words that do not stand there, or two entities that overlap. Of an entity within a longer one the longer is kept,
        and `nested` counts the other.
    """
    found: list[AnnotatedText] = []
    for row, line in enumerate(lines, start=1):
        if isinstance(line, Mapping):
            found.append(_read_row(line, row))
        elif line.strip():
            found.append(_read_row(_parse(line, row), row))
    return found


def _parse(line: str | bytes, row: int) -> Mapping[str, Any]:
    try:
        parsed = json.loads(line)
    except ValueError as error:
        raise InputError(f"Row {row} is not JSON ({error}); {_EXPECTED}.", row=row) from error
    if not isinstance(parsed, dict):
        raise InputError(f"Row {row} is a JSON {type(parsed).__name__}; {_EXPECTED}.", row=row)
    return parsed


def _read_row(record: Mapping[str, Any], row: int) -> AnnotatedText:
    text = record.get("text")
    if not isinstance(text, str):
        raise InputError(f"Row {row} has no text; {_EXPECTED}.", field="text", row=row)
    if "entities" in record:
        spans, field = list(_read_entities(record["entities"], text, row)), "entities"
    elif "label" in record:
        spans, field = list(_read_label(record["label"], text, row)), "label"
    else:
        raise InputError(f"Row {row} has neither “label” nor “entities”; {_EXPECTED}.", field="entities", row=row)
    unnested = _leave_out_nested(spans)
    for before, after in pairwise(unnested):
        if after.start < before.end:
            raise InputError(
                f"Row {row}: “{text[before.start : before.end]}” ({before.type}, from {before.start}) and "
                f"“{text[after.start : after.end]}” ({after.type}, from {after.start}) overlap; leave one of them out.",
                field=field,
                row=row,
            )
    return AnnotatedText(text, tuple(unnested), len(set(spans)) - len(unnested))


def _leave_out_nested(spans: Iterable[LabelledSpan]) -> list[LabelledSpan]:
    """Return entities in order without those that are parts of longer ones, such as a company within the title of a book."""
    kept: list[LabelledSpan] = []
    furthest = -1
    for span in sorted(set(spans), key=lambda one: (one.start, -one.end, one.type)):
        if span.end > furthest or (kept and (span.start, span.end) == (kept[-1].start, kept[-1].end)):
            kept.append(span)
            furthest = max(furthest, span.end)
    return kept


def _read_entities(entities: Any, text: str, row: int) -> Iterable[LabelledSpan]:
    if not isinstance(entities, list):
        raise InputError(f"Row {row}: “entities” is not a list; {_EXPECTED}.", field="entities", row=row)
    for one in entities:
        if not isinstance(one, Mapping):
            raise InputError(f"Row {row}: an entity is not an object with type, start and end; {_EXPECTED}.", field="entities", row=row)
        span = _check_span(one.get("type"), one.get("start"), one.get("end"), text, row, field="entities")
        words = one.get("text")
        if words is not None and words != text[span.start : span.end]:
            raise _mismatch(words, span, text, row, field="entities")
        yield span


def _read_label(label: Any, text: str, row: int) -> Iterable[LabelledSpan]:
    if not isinstance(label, Mapping) or not all(isinstance(places, Mapping) for places in label.values()):
        raise InputError(f"Row {row}: “label” is not an object of types, each an object of words; {_EXPECTED}.", field="label", row=row)
    for name, surfaces in label.items():
        for words, places in surfaces.items():
            if not isinstance(places, list) or not all(isinstance(place, list) and len(place) == 2 for place in places):
                raise InputError(
                    f"Row {row}: the places of “{words}” are not a list of [first, last]; {_EXPECTED}.", field="label", row=row
                )
            for first, last in places:
                span = _check_span(name, first, last + 1 if isinstance(last, int) else last, text, row, field="label")
                if text[span.start : span.end] != words:
                    raise _mismatch(words, span, text, row, field="label")
                yield span


def _check_span(name: Any, start: Any, end: Any, text: str, row: int, *, field: str) -> LabelledSpan:
    """Return a span whose type is a name and whose places are whole numbers within the text, the end after the start."""
    if not isinstance(name, str) or not name.strip():
        raise InputError(f"Row {row}: the type of an entity is {name!r}; expected was a name.", field=field, row=row)
    if type(start) is not int or type(end) is not int:
        raise InputError(f"Row {row}: {name} has the places {start!r} and {end!r}; expected were whole numbers.", field=field, row=row)
    if end <= start:
        raise InputError(f"Row {row}: {name} ends at {end}, which is not after its start at {start}.", field=field, row=row)
    if start < 0 or end > len(text):
        raise InputError(f"Row {row}: {name} stands at {start}–{end}, outside the text of {len(text)} characters.", field=field, row=row)
    return LabelledSpan(start, end, name)


def _mismatch(words: object, span: LabelledSpan, text: str, row: int, *, field: str) -> InputError:
    there = text[span.start : span.end]
    return InputError(
        f"Row {row}: {span.type} is “{words}”, but at {span.start}–{span.end} the text has “{there}”; count characters, not bytes.",
        field=field,
        row=row,
    )
