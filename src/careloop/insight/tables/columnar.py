"""Rows of Parquet files, read slice by slice; any slice can be reached without reading those before it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from careloop.insight.errors import FileFormatError, Sentence
from careloop.insight.tables.errors import BrokenStreamError
from careloop.insight.tables.rows import CellError, Limits, Row, cell_text, in_column, is_blank, row_of_cells, tidy_columns
from careloop.insight.tables.sources import Source

SLICE_ROWS = 10_000


class ParquetReader:
    """Reads one Parquet file; `columns` and `notes` are those of `Table`.

    Raises
    ------
    FileFormatError
        When the file is damaged or has no columns.
    """

    encoding: str | None = None
    sheets: tuple[str, ...] = ()

    def __init__(self, source: Source, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        try:
            self._frame = pl.scan_parquet(source.path, glob=False, low_memory=True)
            names = self._frame.collect_schema().names()
            self._count = int(self._frame.select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError) as error:
            told = Sentence("{file} is damaged or cut off; export it again.", file=source.name, detail=_first_line(error))
            raise FileFormatError(told, field="file") from error
        if not names:
            raise FileFormatError(Sentence("{file} has no columns.", file=source.name), field="file")
        if len(names) > limits.columns:
            raise FileFormatError(
                Sentence(
                    "{file} has {count:,} columns, at most {most:,} are read.", file=source.name, count=len(names), most=limits.columns
                )
            )
        self.columns, self.notes = tidy_columns([name or None for name in names])

    def rows(self, start_after: int) -> Iterator[Row | None]:
        """Yield the rows with a number above `start_after`; None stands for a blank one."""
        for offset in range(start_after, self._count, SLICE_ROWS):
            try:
                frame = self._frame.slice(offset, SLICE_ROWS).collect()
            except (pl.exceptions.PolarsError, OSError) as error:
                raise BrokenStreamError(Sentence("{file} is damaged.", file=self._source.name, detail=_first_line(error))) from error
            for number, values in enumerate(frame.iter_rows(), offset + 1):
                yield self._row(number, values)

    def _row(self, number: int, values: tuple[Any, ...]) -> Row | None:
        cells: list[str | None] = []
        for column, value in zip(self.columns, values, strict=True):
            try:
                cells.append(cell_text(value))
            except CellError as error:
                kept = dict(zip(self.columns, cells, strict=False))
                return Row(number, kept, in_column(number, None, column, error.sentence), None, error.fault, column)
        return None if is_blank(cells) else row_of_cells(cells, self.columns, number, None, self._limits)


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
