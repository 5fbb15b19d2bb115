"""The first rows of a table and a proposed mapping, for the person who is about to import it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO

from careloop.insight.tables.mapping import SAMPLE_CELLS, Suggestion, suggest_mapping
from careloop.insight.tables.rows import Limits, Row
from careloop.insight.tables.table import Table, open_table

MOST_CHARS = 2_000_000  # of all rows looked at: rows of a million characters would fill the memory


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file looks like; the attributes are those of `Table`, with the first rows and a proposal for each column."""

    name: str
    format: str
    encoding: str | None
    columns: tuple[str, ...]
    notes: tuple[str, ...]
    sheets: tuple[str, ...]
    rows: tuple[Row, ...]
    suggestions: tuple[Suggestion, ...]


def preview(
    given: str | Path | BinaryIO | IO[bytes],
    n: int = 20,
    *,
    name: str | None = None,
    encoding: str | None = None,
    sheet: str | None = None,
    limits: Limits | None = None,
) -> Preview:
    """Return the first `n` rows, error rows among them, and a mapping proposed from the first 200; fewer when they are very long.

    Parameters are those of `open_table`.

    Raises
    ------
    FileFormatError, EncodingError, DamagedFileError, InputError
        As `open_table` and `Table.rows`.
    """
    options: dict[str, Any] = {"name": name, "encoding": encoding, "sheet": sheet, "limits": limits}
    with open_table(given, **options) as table:
        rows = list(_first_rows(table, max(n, SAMPLE_CELLS)))
        suggestions = suggest_mapping(table.columns, [row.values for row in rows if row.error is None])
        return Preview(
            table.name,
            table.format,
            table.encoding,
            table.columns,
            table.notes,
            table.sheets,
            tuple(rows[:n]),
            suggestions,
        )


def _first_rows(table: Table, most: int) -> Iterator[Row]:
    chars = 0
    for row in islice(table, most):
        yield row
        chars += sum(len(cell) for cell in row.values.values() if cell)
        if chars > MOST_CHARS:
            return
