"""A row as it was read, the limits of reading, and how a typed cell (of a workbook, Parquet or JSON) becomes text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from careloop.insight.errors import Sentence


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a file may ask for.

    Attributes
    ----------
    cell_chars : int
        Longest cell, in characters; a longer one makes its row an error row.
    row_bytes : int
        Longest physical line, and longest quoted cell, in bytes; also bounds the memory that one row can take.
    file_bytes : int
        Largest file as it arrives.
    expanded_bytes : int
        Largest size of the unpacked content (gzip, XLSX).
    expansion_ratio : int
        Most that content may grow when unpacked; looked at once more than `ratio_from_bytes` have come out.
    ratio_from_bytes : int
        Small files may compress as well as they like.
    columns : int
        Most columns of a table.
    seconds : float or None
        Longest time from opening the file until its last row that is read, for a look at the first rows; None: no limit.
    """

    cell_chars: int = 1_000_000
    row_bytes: int = 8_000_000
    file_bytes: int = 20_000_000_000
    expanded_bytes: int = 100_000_000_000
    expansion_ratio: int = 200
    ratio_from_bytes: int = 50_000_000
    columns: int = 10_000
    seconds: float | None = None


class Fault(StrEnum):
    """Why a row could not be read."""

    TOO_FEW_CELLS = "TOO_FEW_CELLS"
    TOO_MANY_CELLS = "TOO_MANY_CELLS"
    BROKEN_QUOTES = "BROKEN_QUOTES"
    BROKEN_JSON = "BROKEN_JSON"
    NUL = "NUL"
    UNDECODABLE = "UNDECODABLE"
    CELL_TOO_LONG = "CELL_TOO_LONG"
    LINE_TOO_LONG = "LINE_TOO_LONG"
    FORMULA_WITHOUT_VALUE = "FORMULA_WITHOUT_VALUE"
    UNREADABLE_CELL = "UNREADABLE_CELL"


class Row(NamedTuple):
    """One row under the header.

    Attributes
    ----------
    number : int
        1 for the first row under the header; blank rows count, so the number does not depend on the format.
    values : dict of str to (str or None)
        One entry per column; an empty cell is None. Of an error row: whatever could be read.
    error : str or None
        A sentence naming row and column when the row could not be read whole.
    line : int or None
        Physical line (CSV, JSON lines) or sheet row (XLSX) where the row starts, from 1; None for Parquet.
    fault : Fault or None
        The kind of `error`.
    column : str or None
        The column at fault, where there is one.
    """

    number: int
    values: dict[str, str | None]
    error: str | None = None
    line: int | None = None
    fault: Fault | None = None
    column: str | None = None


class CellError(ValueError):
    """Internal: a cell has no text; becomes the row's error."""

    def __init__(self, fault: Fault, sentence: Sentence) -> None:
        super().__init__(sentence)
        self.fault, self.sentence = fault, sentence


def place(number: int, line: int | None) -> Sentence:
    """Return "Row 7 (line 9)", the way every sentence about a row begins."""
    if line is None:
        return Sentence("Row {row:,}", row=number)
    return Sentence("Row {row:,} (line {line:,})", row=number, line=line)


def in_column(number: int, line: int | None, column: str | None, problem: Sentence) -> Sentence:
    """Return "Row 7 (line 9), column “price”: …", without the column where there is none."""
    if column:
        return Sentence("{place}, column “{column}”: {problem}.", place=place(number, line), column=column, problem=problem)
    return Sentence("{place}: {problem}.", place=place(number, line), problem=problem)


def tidy_columns(header: Sequence[str | None]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return usable column names and a note on each that was changed.

    Names are trimmed; an empty one becomes "column 3", a repeated one "name (2)". Empty cells at the end are dropped.
    """
    cells = [" ".join((cell or "").replace("\0", "").split()) for cell in header]
    while cells and not cells[-1]:
        cells.pop()
    names: list[str] = []
    notes: list[str] = []
    taken = set(cells)
    for position, cell in enumerate(cells, 1):
        name = cell or f"column {position}"
        if name in names or (not cell and name in taken):
            count = 2
            while f"{name} ({count})" in taken:
                count += 1
            name = f"{name} ({count})"
            taken.add(name)
        if not cell:
            notes.append(Sentence("Column {position} has no name in the header; it is called “{name}”.", position=position, name=name))
        elif name != cell:
            notes.append(
                Sentence("Column {position} repeats the name “{cell}”; it is called “{name}”.", position=position, cell=cell, name=name)
            )
        names.append(name)
    return tuple(names), tuple(notes)


def row_of_cells(cells: Sequence[str | None], columns: Sequence[str], number: int, line: int | None, limits: Limits) -> Row:
    """Return the row of these cells, with its error when their number or length is wrong.

    Surplus cells are ignored when they are all empty, as spreadsheet programs like to add them.
    """
    values: dict[str, str | None] = dict(zip(columns, cells, strict=False))
    if len(cells) < len(columns):
        return Row(
            number,
            values,
            Sentence(
                "{place} has {count} cells where the header has {width}; column “{column}” is the first that is missing.",
                place=place(number, line),
                count=len(cells),
                width=len(columns),
                column=columns[len(cells)],
            ),
            line,
            Fault.TOO_FEW_CELLS,
            columns[len(cells)],
        )
    if len(cells) > len(columns) and any(cells[len(columns) :]):
        for position, cell in enumerate(cells[len(columns) :], len(columns) + 1):
            values[f"cell {position}"] = cell
        return Row(
            number,
            values,
            Sentence(
                "{place} has {count} cells where the header has {width}; a separator inside a cell may lack its quotes.",
                place=place(number, line),
                count=len(cells),
                width=len(columns),
            ),
            line,
            Fault.TOO_MANY_CELLS,
        )
    for column, cell in values.items():
        if cell is not None and len(cell) > limits.cell_chars:
            return too_long(values, column, number, line, limits)
    return Row(number, values, None, line)


def too_long(values: dict[str, str | None], column: str, number: int, line: int | None, limits: Limits) -> Row:
    """Return the error row of a cell beyond the limit; its text is kept up to the limit."""
    length = len(values[column] or "")
    values = {name: cell and cell[: limits.cell_chars] for name, cell in values.items()}
    problem = Sentence("the cell has {length:,} characters, at most {most:,} are read", length=length, most=limits.cell_chars)
    return Row(
        number,
        values,
        in_column(number, line, column, problem),
        line,
        Fault.CELL_TOO_LONG,
        column,
    )


def is_blank(cells: Iterable[str | None]) -> bool:
    """Return True when no cell holds anything."""
    return not any(cells)


def cell_text(value: object) -> str | None:
    """Return the text of a typed cell; the same value gives the same text in every format.

    Whole floats lose their ".0" (a workbook has no integers), dates are ISO 8601, lists and records become JSON.

    Raises
    ------
    CellError
        For bytes that are not UTF-8 text.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return tidy_text(value)
    for types, convert in _TEXTS:
        if isinstance(value, types):
            return convert(value)
    return str(value)


def tidy_text(text: str) -> str | None:
    """Return a cell's text with line ends as "\\n", or None when it is empty.

    Raises
    ------
    CellError
        For NUL characters and for half characters (lone surrogates).
    """
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        raise CellError(Fault.NUL, Sentence("the cell holds a NUL character"))
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise CellError(Fault.UNDECODABLE, Sentence("the cell holds half a character (a lone surrogate)")) from None
    return text or None


def _float_text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _moment_text(value: datetime) -> str:
    if value.tzinfo is None and value.time() == time():
        return value.date().isoformat()
    return value.isoformat(sep=" ")


def _bytes_text(value: bytes) -> str | None:
    try:
        return tidy_text(value.decode())
    except UnicodeDecodeError:
        raise CellError(Fault.UNDECODABLE, Sentence("the cell holds bytes that are not UTF-8 text")) from None


def _nested_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


_TEXTS: tuple[tuple[Any, Callable[[Any], str | None]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (int, str),
    (float, _float_text),
    (Decimal, lambda value: format(value, "f")),
    (datetime, _moment_text),
    ((date, time), lambda value: value.isoformat()),
    (timedelta, str),
    (bytes, _bytes_text),
    ((dict, list, tuple), _nested_text),
)
