"""`careloop read`: a file of texts in, the same rows with their readings out; streaming, in order, with worker processes."""

from __future__ import annotations

import gc
import json
import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from careloop.batch.sinks import open_sink
from careloop.batch.sources import Record, open_source
from careloop.insight.errors import InputError, MissingColumnError
from careloop.insight.types import Reading

READING_COLUMNS = (
    "language",
    "sentiment",
    "sentiment_probability",
    "kind",
    "kind_probability",
    "category",
    "category_probability",
    "abstained",
    "keywords",
    "entities",
    "summary",
    "reading_error",
)
KIND_COLUMNS = ("kind", "kind_probability", "abstained")
_ROWS_PER_TASK = 2_000
_TASKS_PER_WORKER = 3  # in flight; bounds memory whatever the file's length


def read_file(
    path: str | Path,
    *,
    text_column: str,
    out: str | Path | None = None,
    workers: int = 1,
    progress: bool = False,
    with_kind: bool = True,
) -> int:
    """Read every text of a file and write its rows, in order and none dropped, with the reading's columns added.

    Parameters
    ----------
    path : str or Path
        CSV (also .gz), XLSX, JSON lines (also .gz) or Parquet; “-” is standard input.
    text_column : str
        The column that holds the texts. An empty cell is an empty text.
    out : str, Path or None
        CSV (also .gz), JSON lines (also .gz) or Parquet by its ending; “-” or None is standard output, in the input's format (CSV for
        XLSX and Parquet).
    workers : int
        Number of processes, at least 1; with 1 everything happens in this process.
    progress : bool
        Show a bar on standard error.
    with_kind : bool
        False leaves out the columns about the kind of contact.

    Returns
    -------
    int
        Number of rows written. A column of the file that has a reading's name is kept as NAME_given.

    Raises
    ------
    MissingColumnError, InputError
        When the file has no such column, is not there or is in no known format, or `workers` is below 1.
    """
    if workers < 1:
        raise InputError(f"There must be at least 1 worker; {workers} were asked for.", field="workers")
    with open_source(path) as source:
        if text_column not in source.columns:
            raise MissingColumnError(text_column, source.columns)
        written = 0
        added = [name for name in READING_COLUMNS if with_kind or name not in KIND_COLUMNS]
        given_names = [f"{name}_given" if name in added else name for name in source.columns]
        names = [*given_names, *added]
        with open_sink(out, like=source.format, columns=names) as sink, tqdm(disable=not progress, unit=" texts") as bar:
            for records, readings in _read_in_order(source.records(), text_column, workers):
                rows = [
                    dict(zip(given_names, record.values, strict=True)) | {name: columns[name] for name in added} | _mark_unread(record)
                    for record, columns in zip(records, readings, strict=True)
                ]
                sink.write(rows)
                written += len(rows)
                bar.update(len(rows))
    return written


def describe(reading: Reading) -> dict[str, Any]:
    """Return a reading as the values of `READING_COLUMNS`; `abstained` speaks of the kind as long as there is no category."""
    return {
        "language": reading.language,
        "sentiment": reading.sentiment,
        "sentiment_probability": reading.sentiment_probability,
        "kind": reading.kind,
        "kind_probability": reading.kind_probability,
        "category": "",
        "category_probability": None,
        "abstained": "true" if reading.kind_abstained else "false",
        "keywords": json.dumps(reading.keywords, ensure_ascii=False),
        "entities": json.dumps(
            [{"type": one.type, "text": one.text, "start": one.start, "end": one.end} for one in reading.entities], ensure_ascii=False
        ),
        "summary": reading.summary,
        "reading_error": reading.error or "",
    }


def _read_texts(texts: list[str]) -> list[dict[str, Any]]:
    from careloop.insight import read

    return [describe(reading) for reading in read(texts)]


def _settle() -> None:
    """Prepare a worker: readings are trees of tuples without cycles, and looking for cycles among them costs a third of the time."""
    gc.freeze()
    gc.disable()


def _read_settled(texts: list[str]) -> list[dict[str, Any]]:
    """`_read_texts` in a worker; the young objects are looked at once a task, so that a stray cycle does not stay."""
    columns = _read_texts(texts)
    gc.collect(0)
    return columns


def _mark_unread(record: Record) -> dict[str, Any]:
    return {"reading_error": record.error} if record.error else {}


def _texts(records: Iterable[Record], text_column: str) -> list[str]:
    return ["" if (text := record.get(text_column)) is None else str(text) for record in records]


def _read_in_order(records: Iterator[Record], text_column: str, workers: int) -> Iterator[tuple[Sequence[Record], list[dict[str, Any]]]]:
    if workers == 1:
        while chunk := list(islice(records, _ROWS_PER_TASK)):
            yield chunk, _read_texts(_texts(chunk, text_column))
        return
    waiting: deque[tuple[list[Record], Future[list[dict[str, Any]]]]] = deque()
    with ProcessPoolExecutor(workers, mp_context=_context(), initializer=_settle) as pool:
        while chunk := list(islice(records, _ROWS_PER_TASK)):
            waiting.append((chunk, pool.submit(_read_settled, _texts(chunk, text_column))))
            if len(waiting) >= workers * _TASKS_PER_WORKER:
                first, future = waiting.popleft()
                yield first, future.result()
        while waiting:
            first, future = waiting.popleft()
            yield first, future.result()


def _context() -> multiprocessing.context.BaseContext:
    """Return a way to start workers that does not copy this process's threads: a fork beside Polars' threads may hang."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["careloop.insight.text.reader"])
    return context
