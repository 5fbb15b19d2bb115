"""`careloop similar`: the rows of a file that are most like each query."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from careloop.batch.sinks import open_sink
from careloop.batch.sources import STANDARD, open_source
from careloop.insight.errors import InputError, MissingColumnError
from careloop.insight.text.encoder import Encoder
from careloop.insight.text.similarity import Hit, Mode, SimilarityIndex

COLUMNS = ("query_row", "found_row", "score", "rank")
_TEXTS_PER_STEP = 512


@dataclass(frozen=True, slots=True)
class Search:
    """What was searched and what was found; rows count from 0, the best row of a query first."""

    texts: Sequence[str]
    queries: Sequence[str]
    mode: Mode
    found: Sequence[Sequence[Hit]]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the values of `COLUMNS`, query by query, best first."""
        for query, hits in enumerate(self.found):
            for rank, hit in enumerate(hits):
                yield {"query_row": query, "found_row": hit.row, "score": round(hit.score, 6), "rank": rank}

    def to_json(self) -> dict[str, Any]:
        """Return counts and results with the texts that were found, ready for `json.dumps`."""
        results = [row | {"text": self.texts[row["found_row"]]} for row in self.rows()]
        return {"rows": len(self.texts), "queries": len(self.queries), "mode": self.mode, "results": results}


def search_file(
    path: str | Path,
    *,
    text_column: str,
    queries: str | Path | Sequence[str],
    top: int = 10,
    encoder: Encoder | None = None,
    progress: bool = False,
) -> Search:
    """Find the rows of a file that are most like each query.

    Parameters
    ----------
    path : str or Path
        The rows to find: CSV (also .gz), XLSX, JSON lines (also .gz) or Parquet; “-” is standard input.
    text_column : str
        The column that holds the texts, in both files.
    queries : str, Path or sequence of str
        A file like the first, or the queries themselves. When it is the same file, no row finds itself.
    top : int
        Most rows for a query.
    encoder : Encoder, optional
        Compares meanings as well as words, some 75 short texts a second and core for the bundled one; left out, words alone are compared.
    progress : bool
        Show a bar on standard error.

    Raises
    ------
    MissingColumnError, InputError
        When a file is not there, cannot be read or has no such column, or both are standard input.
    """
    if str(path) == STANDARD == str(queries):
        raise InputError("Rows and queries cannot both come from standard input; name a file for one of them.", field="queries")
    texts = _load_texts(path, text_column)
    is_same = False
    if isinstance(queries, str | Path):
        is_same = _is_same_file(path, queries)
        asked = texts if is_same else _load_texts(queries, text_column)
    else:
        asked = list(queries)
    index = SimilarityIndex(encoder)
    mode: Mode = "lexical" if encoder is None else "fused"
    found: list[list[Hit]] = []
    with tqdm(total=len(texts) + len(asked), disable=not progress, unit=" texts") as bar:
        for start in range(0, len(texts), _TEXTS_PER_STEP):
            bar.update(len(index.add(texts[start : start + _TEXTS_PER_STEP])))
        for start in range(0, len(asked), _TEXTS_PER_STEP):
            block = asked[start : start + _TEXTS_PER_STEP]
            left_out = list(range(start, start + len(block))) if is_same else None
            found += index.search(block, top, mode, left_out=left_out)
            bar.update(len(block))
    return Search(texts, asked, mode, found)


def write_search(search: Search, out: str | Path) -> None:
    """Write the rows of `COLUMNS` to a file by its ending; “-” is standard output as CSV."""
    with open_sink(out, like="csv", columns=COLUMNS) as sink:
        sink.write([[row[name] for name in COLUMNS] for row in search.rows()])


def _load_texts(path: str | Path, column: str) -> list[str]:
    with open_source(path) as source:
        if column not in source.columns:
            raise MissingColumnError(column, source.columns)
        return ["" if (text := record.get(column)) is None else str(text) for record in source.records()]


def _is_same_file(one: str | Path, other: str | Path) -> bool:
    return Path(one).exists() and Path(other).exists() and Path(one).samefile(other)
