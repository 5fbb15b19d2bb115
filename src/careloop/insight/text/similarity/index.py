"""The index of texts that one asks for similar ones: built once, updated as messages arrive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError
from careloop.insight.text.encoder import Encoder, Vectors
from careloop.insight.text.similarity.lexical import LexicalIndex
from careloop.insight.text.similarity.semantic import VectorIndex
from careloop.insight.text.similarity.terms import find_terms

Mode = Literal["fused", "lexical", "semantic"]
Floats = NDArray[np.float32]

_MODES: tuple[Mode, ...] = get_args(Mode)
_CELLS = 4_000_000  # scores held at once: 16 MB
_OF_WORDS, _OF_CHARACTERS, _OF_MEANING = 0.1, 0.25, 0.65  # chosen on three sets, tested on a fourth: docs/decisions/0011-similarity.md


class Hit(NamedTuple):
    """A row that was found and how similar it is, 0–1."""

    row: int
    score: float


class SimilarityIndex:
    """Finds the texts that are most like a text.

    Parameters
    ----------
    encoder : Encoder or None
        Gives the vectors; without one the index knows shared words only.

    Examples
    --------
    >>> index = SimilarityIndex.build(["怎么退款", "物流太慢", "退款什么时候到账"])
    >>> [hit.row for hit in index.search(["退款几天到账"], top=2)[0]]
    [2, 0]
    """

    def __init__(self, encoder: Encoder | None = None) -> None:
        self._lexical = LexicalIndex()
        self._semantic = VectorIndex(encoder) if encoder is not None else None
        self._is_alive = np.zeros(0, dtype=np.bool_)

    @classmethod
    def build(cls, texts: Sequence[str], encoder: Encoder | None = None, *, vectors: Vectors | None = None) -> SimilarityIndex:
        """Return an index of texts; `vectors` are their vectors when they are known already, shape (n_texts, dimensions)."""
        index = cls(encoder)
        index.add(texts, vectors=vectors)
        return index

    def __len__(self) -> int:
        """Return how many rows can be found."""
        return int(self._is_alive.sum())

    def add(self, texts: Sequence[str], *, vectors: Vectors | None = None) -> range:
        """Append texts; return their rows. Blank texts get rows, too, but are never found."""
        first = len(self._is_alive)
        if self._semantic is not None:
            self._semantic.add(self._semantic.encode(texts) if vectors is None else self._check_vectors(texts, vectors))
        self._lexical.add(texts)
        self._is_alive = np.concatenate([self._is_alive, [bool(text.strip()) for text in texts]]).astype(np.bool_)
        return range(first, first + len(texts))

    def remove(self, rows: Sequence[int]) -> None:
        """Take rows out; the others keep their numbers.

        Raises
        ------
        InputError
            When there is no such row; nothing is then removed.
        """
        unknown = [row for row in rows if not 0 <= row < len(self._is_alive)]
        if unknown:
            raise InputError(f"There is no row {unknown[0]} in this index, which has {len(self._is_alive)}.", field="rows")
        self._is_alive[list(rows)] = False
        self._lexical.remove(rows)
        if self._semantic is not None:
            self._semantic.remove(rows)

    def search(
        self,
        queries: Sequence[str],
        top: int = 10,
        mode: Mode | None = None,
        *,
        vectors: Vectors | None = None,
        left_out: Sequence[int | None] | None = None,
    ) -> list[list[Hit]]:
        """Return the most similar rows of each query, best first, earlier rows first among equals.

        Parameters
        ----------
        queries : sequence of str, length n_queries
            A query without any letter or digit finds nothing.
        top : int
            Most rows for a query, at least 1; fewer come back when fewer have anything in common with it.
        mode : {"fused", "lexical", "semantic"} or None
            By words, by meaning or by both; None is "fused" with an encoder, else "lexical".
        vectors : ndarray of float32, shape (n_queries, dimensions), or None
            The queries' vectors when they are known already.
        left_out : sequence of int or None, length n_queries
            For each query a row that is not to be found (the query itself, where it is a row).

        Raises
        ------
        InputError
            When `top` or `mode` is unknown, or meaning is asked for without an encoder.
        """
        chosen = self._check_mode(mode)
        if top < 1:
            raise InputError(f"At least 1 row must be asked for; {top} were.", field="top")
        if vectors is not None:
            self._check_vectors(queries, vectors)
        n_block = max(1, _CELLS // max(1, len(self._is_alive)))
        found: list[list[Hit]] = []
        for start in range(0, len(queries), n_block):
            block = queries[start : start + n_block]
            scores = self._score(block, chosen, None if vectors is None else vectors[start : start + n_block])
            scores[:, ~self._is_alive] = -np.inf
            for place, row in enumerate((left_out or [None] * len(queries))[start : start + n_block]):
                if row is not None:
                    scores[place, row] = -np.inf
            found += [select_top(one, top) for one in scores]
        return found

    def score(self, queries: Sequence[str], mode: Mode | None = None) -> Floats:
        """Return the similarity of each query to each row, 0–1, shape (n_queries, n_rows); −∞ for rows that cannot be found.

        Everything is held at once: `search` is for many rows.
        """
        scores = self._score(queries, self._check_mode(mode), None)
        scores[:, ~self._is_alive] = -np.inf
        return scores

    def _score(self, queries: Sequence[str], mode: Mode, vectors: Vectors | None) -> Floats:
        if mode == "lexical" or self._semantic is None:
            return np.minimum(self._lexical.score(queries), 1)
        meaning = self._semantic.score(self._semantic.encode(queries) if vectors is None else vectors)
        if mode == "fused":
            meaning *= _OF_MEANING
            meaning += _OF_WORDS * np.minimum(self._lexical.score(queries), 1)
            meaning += _OF_CHARACTERS * self._lexical.compare(queries)
        meaning[[not find_terms(query) for query in queries]] = 0
        return meaning

    def _check_mode(self, mode: Mode | None) -> Mode:
        if mode is None:
            return "lexical" if self._semantic is None else "fused"
        if mode not in _MODES:
            raise InputError(f"“{mode}” is no way of searching; take one of {', '.join(_MODES)}.", field="mode")
        if mode != "lexical" and self._semantic is None:
            raise InputError(f"A {mode} search needs an encoder; build the index with one, or search lexically.", field="mode")
        return mode

    def _check_vectors(self, texts: Sequence[str], vectors: Vectors) -> Vectors:
        expected = (len(texts), self._semantic.encoder.dimensions if self._semantic else 0)
        if vectors.shape != expected:
            raise InputError(f"Vectors of shape {vectors.shape} were given, {expected} were expected.", field="vectors")
        return vectors


def select_top(scores: Floats, top: int) -> list[Hit]:
    """Return the `top` highest scores above 0, best first, earlier rows first among equals; shape of `scores` is (n_rows,)."""
    if top < len(scores):
        least = np.partition(scores, len(scores) - top)[len(scores) - top]
        rows = np.flatnonzero((scores >= least) & (scores > 0))
    else:
        rows = np.flatnonzero(scores > 0)
    order = np.argsort(-scores[rows], kind="stable")[:top]
    return [Hit(int(row), float(scores[row])) for row in rows[order]]
