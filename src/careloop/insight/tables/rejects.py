"""The reject file: every row that was not taken over, with row number, column and reason, to be mended and sent again."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from typing import TextIO

from careloop.insight.errors import Sentence
from careloop.insight.tables.results import Rejected

HEADER = (Sentence("row"), Sentence("line"), Sentence("column"), Sentence("reason"))
OTHER_CELLS = Sentence("(other cells)")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class RejectWriter:
    """Writes rejected rows as CSV: row, line, column, reason, then the original cells.

    A cell that a spreadsheet program might run as a formula (beginning with = + - @, their full-width forms, a tab or a
    line end) gets an apostrophe in front; `escaped_cells` counts them. Take it off before reading the cell as a value.

    Parameters
    ----------
    stream : text stream
        Opened with ``newline=""``; the encoding "utf-8-sig" lets spreadsheet programs show Chinese.
    columns : sequence of str
        The table's columns.
    is_continued : bool
        True when the stream already holds the header, and rows from before an interruption.
    in_words : callable
        Makes the text of a reason, and of the header's own names; another language comes in here.
    """

    def __init__(self, stream: TextIO, columns: Sequence[str], *, is_continued: bool = False, in_words: Callable[[str], str] = str) -> None:
        self._writer = csv.writer(stream)
        self._columns = tuple(columns)
        self._in_words = in_words
        self.rows = 0
        self.escaped_cells = 0
        if not is_continued:
            self._writer.writerow([*map(in_words, HEADER), *map(escape_formula, self._columns), in_words(OTHER_CELLS)])

    def write(self, rejected: Rejected) -> None:
        """Append one row."""
        cells = [rejected.values.get(column) or "" for column in self._columns]
        others = [cell or "" for name, cell in rejected.values.items() if name not in self._columns]
        original = [*cells, " | ".join(others)]
        safe = [escape_formula(cell) for cell in original]
        self.escaped_cells += sum(before != after for before, after in zip(original, safe, strict=True))
        place = [rejected.row_number, rejected.line or "", escape_formula(rejected.column or "")]
        self._writer.writerow([*place, self._in_words(rejected.reason), *safe])
        self.rows += 1


def escape_formula(cell: str) -> str:
    """Return the cell with an apostrophe in front when a spreadsheet program might take it for a formula."""
    return "'" + cell if cell.startswith(FORMULA_STARTS) else cell
