"""Where rows go: CSV, JSON lines or Parquet, to a file or to standard output, in constant memory."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, TextIO, cast

import polars as pl

from careloop.insight.errors import FileFormatError

STANDARD = "-"
_FLAT_FORMATS = {"csv", "xlsx"}  # whose cells are text, never lists
_NUMBERS = {"sentiment_probability", "kind_probability", "category_probability"}


class Sink(Protocol):
    """Something that takes rows."""

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write rows, in order; their values stand in the order of the columns."""


@contextmanager
def open_sink(out: str | Path | None, *, like: str, columns: Sequence[str]) -> Iterator[Sink]:
    """Open a file by its ending, or standard output in the format `like` (CSV for what is not text).

    Raises
    ------
    FileFormatError
        When the ending is not known.
    """
    name = STANDARD if out is None else str(out)
    with ExitStack() as stack:
        if name == STANDARD:
            console = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=True)
            stack.callback(console.detach)
            yield _JsonLines(console, columns) if like == "jsonl" else _Csv(console, columns, like)
        elif name.endswith((".parquet", ".pq")):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="careloop-")))
            sink = _Parquet(folder, columns)
            yield sink
            sink.join(Path(name))
        elif name.removesuffix(".gz").endswith((".csv", ".jsonl", ".ndjson")):
            text = stack.enter_context(_open_text(name))
            yield _Csv(text, columns, like) if name.removesuffix(".gz").endswith(".csv") else _JsonLines(text, columns)
        else:
            raise FileFormatError(
                f"“{name}” has no known ending; write .csv, .jsonl (each also with .gz) or .parquet, or - for standard output.", field="out"
            )


def _open_text(name: str) -> TextIO:
    if name.endswith(".gz"):
        return cast(TextIO, gzip.open(name, "wt", encoding="utf-8", newline="", compresslevel=3))
    return Path(name).open("w", encoding="utf-8", newline="")


class _Csv:
    def __init__(self, text: TextIO, columns: Sequence[str], like: str) -> None:
        self._writer = csv.writer(text, lineterminator="\n")
        self._is_nested = like not in _FLAT_FORMATS
        self._writer.writerow(columns)

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        self._writer.writerows([[_to_cell(value) for value in row] for row in rows] if self._is_nested else rows)


def _to_cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


class _JsonLines:
    def __init__(self, text: TextIO, columns: Sequence[str]) -> None:
        self._text = text
        self._columns = columns

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        named = (dict(zip(self._columns, row, strict=True)) for row in rows)
        self._text.writelines(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in named)


class _Parquet:
    """Parts on disk, joined at the end, because a Parquet file cannot be appended to."""

    def __init__(self, folder: Path, columns: Sequence[str]) -> None:
        self._folder = folder
        self._columns = columns
        self._n_parts = 0
        self._schema: pl.Schema | None = None

    def write(self, rows: Sequence[Sequence[Any]]) -> None:
        numbers = dict.fromkeys(_NUMBERS, pl.Float64)
        named = [dict(zip(self._columns, row, strict=True)) for row in rows]
        frame = pl.DataFrame(named, schema=self._schema or list(self._columns), schema_overrides=numbers, infer_schema_length=None)
        if self._schema is None:
            frame = frame.with_columns(pl.col(pl.Null).cast(pl.String))
            self._schema = frame.schema
        frame.write_parquet(self._folder / f"{self._n_parts:09d}.parquet")
        self._n_parts += 1

    def join(self, path: Path) -> None:
        """Write the parts as one file."""
        if not self._n_parts:
            pl.DataFrame({name: [] for name in self._columns}, schema=dict.fromkeys(self._columns, pl.String)).write_parquet(path)
            return
        pl.scan_parquet(sorted(self._folder.glob("*.parquet"))).sink_parquet(path)
