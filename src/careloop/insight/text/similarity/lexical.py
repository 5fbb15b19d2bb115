"""BM25 over sparse matrices: rows are added and taken away, weights follow when the next question comes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.similarity.terms import Vocabulary, find_terms, is_pair

Floats = NDArray[np.float32]

_SATURATION = 1.2  # k1: how soon a repeated term stops adding
_LENGTH_SHARE = 0.75  # b: how much long texts are discounted


class LexicalIndex:
    """Texts by their terms.

    References
    ----------
    Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, eq. 3.15; the inverse document frequency is the
    one that cannot be negative, ln(1 + (N − n + 0.5) / (n + 0.5)).
    """

    def __init__(self) -> None:
        self._vocabulary = Vocabulary()
        self._blocks: list[sparse.csr_matrix] = []
        self._dead: set[int] = set()
        self._n_rows = 0
        self._weights: sparse.csr_matrix | None = None  # shape (n_terms, n_rows)
        self._smallest = sparse.csr_matrix((0, 0), dtype=np.float32)  # 1 where a row has a character or word, shape (n_terms, n_rows)
        self._sizes: Floats = np.zeros(0, dtype=np.float32)  # how many different ones
        self._rarity: Floats = np.zeros(0, dtype=np.float32)
        self._rarity_of_unknown = 0.0
        self._mean_length = 1.0

    def __len__(self) -> int:
        """Return the number of rows ever added."""
        return self._n_rows

    def add(self, texts: Sequence[str]) -> None:
        """Append texts as further rows."""
        self._blocks.append(self._vocabulary.count((find_terms(text) for text in texts), grow=True))
        self._n_rows += len(texts)
        self._weights = None

    def remove(self, rows: Sequence[int]) -> None:
        """Take rows away; the others keep their numbers."""
        self._dead.update(rows)
        self._weights = None

    def score(self, queries: Sequence[str]) -> Floats:
        """Return the share of each query's weight that each row has, shape (n_queries, n_rows); above 1 where a row repeats a term."""
        weights = self._weigh()
        n_known = weights.shape[0]
        counts = self._vocabulary.count((find_terms(text) for text in queries), grow=False)
        rarity = np.concatenate([self._rarity, np.full(counts.shape[1] - n_known, self._rarity_of_unknown, dtype=np.float32)])
        asked = sparse.csr_matrix((counts.data * rarity[counts.indices], counts.indices, counts.indptr), shape=counts.shape)
        own = np.asarray(asked.multiply(self._saturate(counts)).sum(axis=1)).ravel()
        scores = np.asarray((asked[:, :n_known] @ weights).toarray(), dtype=np.float32)
        scores /= np.where(own > 0, own, 1)[:, np.newaxis]
        return scores

    def compare(self, queries: Sequence[str]) -> Floats:
        """Return the share of all characters (words elsewhere) of query and row that both have (Jaccard), 0–1, shape (n_queries, n_rows).

        Unlike `score` it counts common ones as much as rare ones, such as the words that make a question, and what only the row has.
        """
        self._weigh()
        asked = [sorted({term for term in find_terms(text) if not is_pair(term)}) for text in queries]
        has = self._vocabulary.count(asked, grow=False)[:, : len(self._rarity)]
        both = np.asarray((has @ self._smallest).toarray(), dtype=np.float32)
        n_asked = np.array([len(terms) for terms in asked], dtype=np.float32)
        together = n_asked[:, np.newaxis] + self._sizes - both
        return np.asarray(both / np.maximum(together, 1), dtype=np.float32)

    def _weigh(self) -> sparse.csr_matrix:
        if self._weights is None:
            counts = self._join()
            n_alive = max(1, self._n_rows - len(self._dead))
            spread = np.bincount(counts.indices, minlength=len(self._vocabulary))
            self._rarity = np.log1p((n_alive - spread + 0.5) / (spread + 0.5)).astype(np.float32)
            self._rarity_of_unknown = float(np.log1p((n_alive + 0.5) / 0.5))
            self._mean_length = max(1.0, float(counts.sum()) / n_alive)
            self._weights = self._saturate(counts).T.tocsr()
            small = counts @ sparse.diags(self._vocabulary.find_smallest().astype(np.float32), format="csr")
            small.eliminate_zeros()
            self._sizes = np.diff(small.indptr).astype(np.float32)
            self._smallest = _mark(small).T.tocsr()
        return self._weights

    def _join(self) -> sparse.csr_matrix:
        """Make one block of all, without what was taken away."""
        width = len(self._vocabulary)
        parts = [sparse.csr_matrix((one.data, one.indices, one.indptr), shape=(one.shape[0], width)) for one in self._blocks]
        counts = sparse.vstack(parts, format="csr", dtype=np.float32) if parts else sparse.csr_matrix((0, width), dtype=np.float32)
        if self._dead:
            alive = np.ones(self._n_rows, dtype=np.float32)
            alive[list(self._dead)] = 0
            counts = (sparse.diags(alive, format="csr") @ counts).tocsr().astype(np.float32)
            counts.eliminate_zeros()
        self._blocks = [counts]
        return counts

    def _saturate(self, counts: sparse.csr_matrix) -> sparse.csr_matrix:
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        softness = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * lengths / self._mean_length)
        times = counts.data
        values = times * (_SATURATION + 1) / (times + np.repeat(softness, np.diff(counts.indptr)))
        return sparse.csr_matrix((values.astype(np.float32), counts.indices, counts.indptr), shape=counts.shape)


def _mark(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return 1 where there is a count."""
    return sparse.csr_matrix((np.ones_like(counts.data), counts.indices, counts.indptr), shape=counts.shape)
