"""Rows of CSV files: comma, semicolon or tab, found by trying; quoted cells may hold line ends.

A record whose quotes do not add up costs one physical line: it becomes an error row, and reading goes on with the next
line, so that one forgotten quote cannot swallow the rest of the file.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from careloop.insight.errors import FileFormatError, Sentence
from careloop.insight.tables.encodings import TextLines
from careloop.insight.tables.rows import Fault, Limits, Row, in_column, is_blank, row_of_cells, tidy_columns
from careloop.insight.tables.sources import Source

SEPARATORS = (",", ";", "\t")
SAMPLE_LINES = 200


class Record(NamedTuple):
    """The cells of one record, the line where it starts, its length in characters, and what is wrong with it."""

    cells: list[str]
    line: int
    chars: int
    fault: tuple[Fault, Sentence] | None


class DelimitedReader:
    """Reads one CSV file; `columns`, `notes`, `encoding` and `sheets` are those of `Table`.

    Raises
    ------
    FileFormatError
        When the file is empty or its header cannot be read.
    """

    sheets: tuple[str, ...] = ()

    def __init__(self, source: Source, encoding: str, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        self.encoding: str | None = encoding
        csv.field_size_limit(max(csv.field_size_limit(), limits.row_bytes))  # the module's limit is process-wide
        self.separator = sniff_separator(list(islice(self._lines(), SAMPLE_LINES)))
        header = next((record for record in self._records() if not is_blank(record.cells)), None)
        if header is None:
            raise FileFormatError(Sentence("{file} is empty; its first row should name the columns.", file=source.name), field="file")
        if header.fault:
            raise FileFormatError(
                Sentence(
                    "The header of {file} (line {line}) {fault}; correct that line.",
                    file=source.name,
                    line=header.line,
                    fault=header.fault[1],
                ),
                row=0,
            )
        self.columns, self.notes = tidy_columns(header.cells)
        if len(self.columns) > limits.columns:
            raise FileFormatError(
                Sentence(
                    "{file} has {count:,} columns, at most {most:,} are read; check its separator.",
                    file=source.name,
                    count=len(self.columns),
                    most=limits.columns,
                ),
                field="file",
            )

    def rows(self, start_after: int) -> Iterator[Row | None]:
        """Yield the rows with a number above `start_after`; None stands for a blank one."""
        records = self._records()
        for header in records:
            if not is_blank(header.cells):
                break
        columns, limits, width, longest = self.columns, self._limits, len(self.columns), self._limits.cell_chars
        for number, (cells, line, chars, fault) in enumerate(islice(records, start_after, None), start_after + 1):
            if fault is not None:
                yield self._error_row(cells, number, line, fault)
            elif not any(cells):
                yield None
            elif len(cells) == width and chars <= longest:
                values = {column: cell or None for column, cell in zip(columns, cells, strict=True)}
                yield Row(number, values, None, line)
            else:
                yield row_of_cells([cell or None for cell in cells], columns, number, line, limits)

    def _lines(self) -> TextLines:
        return TextLines(self._source.blocks(), self.encoding or "utf-8", self._limits)

    def _records(self) -> Iterator[Record]:
        lines = self._lines()
        feed = _Feed(iter(lines))
        reader = csv.reader(feed, delimiter=self.separator, strict=True)
        number, faults, taken = 1, lines.faults, feed.taken
        while True:
            fault = None
            try:
                cells = next(reader, None)
            except csv.Error:
                feed.give_back()
                cells = next(csv.reader([taken[0]], delimiter=self.separator), [])
                fault = (Fault.BROKEN_QUOTES, Sentence("has a quote that is never closed, or text after a closing quote"))
            if cells is None:
                return
            count = len(taken)
            if faults:
                found = [faults.pop(line) for line in range(number, number + count) if line in faults]
                fault = found[0] if found else fault
            yield Record(cells, number, len(taken[0]) if count == 1 else sum(map(len, taken)), fault)
            number += count
            taken.clear()

    def _error_row(self, cells: Sequence[str], number: int, line: int, fault: tuple[Fault, Sentence]) -> Row:
        names = [*self.columns, *(f"cell {position}" for position in range(len(self.columns) + 1, len(cells) + 1))]
        longest = self._limits.cell_chars
        values: dict[str, str | None] = {name: cell[:longest] or None for name, cell in zip(names, cells, strict=False)}
        kind, what = fault
        column = self._column_at_fault(cells, kind)
        error = in_column(number, line, column, Sentence("the text {what}", what=what))
        return Row(number, values, error, line, kind, column)

    def _column_at_fault(self, cells: Sequence[str], kind: Fault) -> str | None:
        if kind is not Fault.UNDECODABLE:
            return None
        marked = [name for name, cell in zip(self.columns, cells, strict=False) if "\ufffd" in cell]
        return marked[0] if marked else None


class _Feed:
    """Gives lines to the CSV parser, remembers those of the current record, and takes them back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._waiting: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._lines)
        self.taken.append(line)
        return line

    def give_back(self) -> None:
        """Return all lines of the current record but the first."""
        self._waiting.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def sniff_separator(lines: Sequence[str]) -> str:
    """Return the separator that splits most sample lines into as many cells as the header has, at least two.

    Ties go to the separator that makes more cells; a file of one column is read with commas.
    """
    best, best_score = ",", (0.0, 0)
    for separator in SEPARATORS:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=separator) if cells]
        if not widths or widths[0] < 2:
            continue
        body = widths[1:-1] if len(lines) >= SAMPLE_LINES else widths[1:]
        share = sum(width == widths[0] for width in body) / len(body) if body else 1.0
        if (share, widths[0]) > best_score:
            best, best_score = separator, (share, widths[0])
    return best
