"""Rows of JSON lines: one object a line; a broken line is an error row and the next one is read as usual."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from careloop.insight.errors import FileFormatError, Sentence
from careloop.insight.tables.encodings import TextLines
from careloop.insight.tables.rows import CellError, Fault, Limits, Row, cell_text, in_column, tidy_text, too_long
from careloop.insight.tables.sources import Source

SAMPLE_ROWS = 1000


class JsonLinesReader:
    """Reads one file of JSON lines; the columns are the keys of its first 1,000 objects, in order of appearance.

    A key that comes up later is in its row's values all the same. Numbers keep their spelling; lists and objects inside
    a row stay JSON text.

    Raises
    ------
    FileFormatError
        When the file holds no object in its first 1,000 lines.
    """

    sheets: tuple[str, ...] = ()

    def __init__(self, source: Source, encoding: str, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self.encoding: str | None = encoding
        self.columns: tuple[str, ...] = ()
        self.notes: tuple[str, ...] = ()
        names: dict[str, None] = {}
        first_error = None
        for row in islice(self.rows(0), SAMPLE_ROWS):
            if row is not None and row.error is None:
                names.update(dict.fromkeys(row.values))
            elif row is not None and first_error is None:
                first_error = row.error
        if not names:
            reason = first_error or Sentence("It is empty.")
            raise FileFormatError(
                Sentence("{file} holds no JSON object a line, like {{“text”: “…”}}. {reason}", file=source.name, reason=reason),
                field="file",
            )
        if len(names) > limits.columns:
            raise FileFormatError(
                Sentence(
                    "{file} has {count:,} different keys, at most {most:,} are read.",
                    file=source.name,
                    count=len(names),
                    most=limits.columns,
                ),
                field="file",
            )
        self.columns = tuple(names)

    def rows(self, start_after: int) -> Iterator[Row | None]:
        """Yield the rows with a number above `start_after`; None stands for a blank one."""
        lines = TextLines(self._source.blocks(), self.encoding or "utf-8", self._limits)
        faults = lines.faults
        for number, text in enumerate(lines, 1):
            fault = faults.pop(number, None) if faults else None
            if number <= start_after:
                continue
            if fault is not None:
                yield self._error_row(number, text, fault[0], Sentence("the line {what}", what=fault[1]))
            elif text.isspace():
                yield None
            else:
                yield self._row(number, text)

    def _row(self, number: int, text: str) -> Row | None:
        try:
            found = _object(text)
        except CellError as error:
            return self._error_row(number, text, error.fault, error.sentence)
        values: dict[str, str | None] = dict.fromkeys(self.columns)
        for key, value in found.items():
            try:
                if key not in values:
                    tidy_text(key)
                values[key] = _text(value, text, key)
            except CellError as error:
                return self._error_row(number, text, error.fault, error.sentence, key)
        if len(text) > self._limits.cell_chars:
            for key, cell in values.items():
                if cell is not None and len(cell) > self._limits.cell_chars:
                    return too_long(values, key, number, number, self._limits)
        return Row(number, values, None, number) if any(values.values()) else None

    def _error_row(self, number: int, text: str, fault: Fault, what: Sentence, column: str | None = None) -> Row:
        name = self.columns[0] if self.columns else "line"
        kept = text.strip()[: self._limits.cell_chars]
        shown = (column or "").encode("utf-8", "backslashreplace").decode()
        return Row(number, {name: kept}, in_column(number, number, shown, what), number, fault, shown or None)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text, parse_float=str, parse_int=str, parse_constant=_missing, object_pairs_hook=_unrepeated)
    except RecursionError:
        raise CellError(Fault.BROKEN_JSON, Sentence("the JSON is nested too deeply")) from None
    except json.JSONDecodeError as error:
        problem = Sentence("the JSON is broken at character {position:,}", position=error.pos + 1, detail=error.msg)
        raise CellError(Fault.BROKEN_JSON, problem) from None
    if not isinstance(found, dict):
        raise CellError(Fault.BROKEN_JSON, Sentence("the line is JSON but not an object like {{…}}"))
    return found


def _text(value: Any, line: str, key: str) -> str | None:
    if isinstance(value, str):
        return tidy_text(value)
    if isinstance(value, dict | list):  # read again, so that the numbers inside stay numbers
        return tidy_text(json.dumps(json.loads(line)[key], ensure_ascii=False))
    return cell_text(value)


def _missing(_constant: str) -> None:
    """NaN and Infinity are not JSON; writers use them for missing numbers."""
    return


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise CellError(Fault.BROKEN_JSON, Sentence("the object has the key “{key}” more than once", key=twice))
    return found
