"""Files of texts as streams of records whose values keep their types: CSV and XLSX give text, JSON lines and Parquet what they hold."""

from __future__ import annotations

import gzip
import io
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, cast

import polars as pl

from careloop.insight.errors import FileFormatError, InputError
from careloop.insight.tables import Table, open_table

STANDARD = "-"
_PARQUET_ROWS = 10_000


class Record(NamedTuple):
    """One row: names shared by all rows, values in the same order, and why it could not be read whole."""

    columns: tuple[str, ...]
    values: list[Any]
    error: str | None = None

    def get(self, column: str) -> Any:
        """Return the value of a column."""
        return self.values[self.columns.index(column)]


class Source(Protocol):
    """A file of records."""

    format: str
    columns: tuple[str, ...]

    def records(self) -> Iterator[Record]:
        """Yield the rows in order."""


@contextmanager
def open_source(path: str | Path) -> Iterator[Source]:
    """Open a file by its ending, or standard input (“-”) by its first bytes.

    Raises
    ------
    InputError
        When there is no such file; `FileFormatError` when its format is not known.
    """
    with ExitStack() as stack:
        name = str(path)
        if name == STANDARD:
            stream = cast(io.BufferedReader, sys.stdin.buffer)
            head = stream.peek(64).lstrip()
            if head[:1] == b"{":
                yield _JsonLines(stream)
                return
            yield _Rows(stack.enter_context(open_table(stream, name="stdin.parquet" if head[:4] == b"PAR1" else "stdin.csv")))
            return
        if not Path(name).is_file():
            raise InputError(f"There is no file “{name}”; check the path.", field="file")
        if name.endswith((".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")):
            file = stack.enter_context(Path(name).open("rb"))
            yield _JsonLines(stack.enter_context(gzip.open(file, "rb")) if name.endswith(".gz") else file)
        elif name.endswith((".parquet", ".pq")):
            yield _Parquet(Path(name))
        else:
            yield _Rows(stack.enter_context(open_table(name)))


@dataclass
class _Rows:
    """A table read by the core; blank rows are kept as empty ones."""

    table: Table

    def __post_init__(self) -> None:
        self.format = self.table.format
        self.columns = self.table.columns

    def records(self) -> Iterator[Record]:
        expected = 1
        for row in self.table:
            for _ in range(row.number - expected):
                yield Record(self.columns, [None] * len(self.columns))
            expected = row.number + 1
            yield Record(self.columns, [row.values.get(name) for name in self.columns], row.error)


class _JsonLines:
    """One JSON object per line; the columns are those of the first object, further ones are not carried over silently but refused."""

    format = "jsonl"

    def __init__(self, stream: Iterable[bytes]) -> None:
        self._lines = enumerate(stream, start=1)
        self._first = next(self._parsed(), {})
        self.columns = tuple(self._first)

    def _parsed(self) -> Iterator[dict[str, Any]]:
        for number, line in self._lines:
            if not line.strip():
                continue
            try:
                found = json.loads(line.decode("utf-8-sig"))
            except ValueError as error:
                raise FileFormatError(f"Line {number} is not JSON ({error}); every line must be one JSON object.", row=number) from error
            if not isinstance(found, dict):
                raise FileFormatError(f"Line {number} is a JSON {type(found).__name__}; every line must be an object.", row=number)
            yield found

    def records(self) -> Iterator[Record]:
        if self.columns:
            yield Record(self.columns, list(self._first.values()))
        for found in self._parsed():
            extra = [name for name in found if name not in self._first]
            error = f"Left out here, as the first row has no such columns: {', '.join(extra)}." if extra else None
            yield Record(self.columns, [found.get(name) for name in self.columns], error)


class _Parquet:
    """A Parquet file, some thousand rows at a time."""

    format = "parquet"

    def __init__(self, path: Path) -> None:
        self._frame = pl.scan_parquet(path)
        try:
            self.columns = tuple(self._frame.collect_schema().names())
        except pl.exceptions.PolarsError as error:
            raise FileFormatError(f"“{path.name}” is not a Parquet file that can be read: {error}.", field="file") from error

    def records(self) -> Iterator[Record]:
        first = 0
        while len(part := self._frame.slice(first, _PARQUET_ROWS).collect()):
            for values in part.iter_rows():
                yield Record(self.columns, list(values))
            first += len(part)
