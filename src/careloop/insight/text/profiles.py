"""What a category looks like in words and in meaning, and how much a text is like it; plain arrays, no labels, no files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.encoder import Vectors
from careloop.insight.text.similarity.terms import find_terms

Floats = NDArray[np.float32]

N_BUCKETS = 1 << 17  # for terms; with some ten thousand different ones, one in ten shares its bucket
_STEM = 5  # letters by which longer words are also known: “declined” is “declin…”, as “decline”
_LENGTH_POWER = 0.4  # of the sum of squares by which a name is discounted for its length (0.5 would be the cosine)


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts as what they can share.

    Attributes
    ----------
    terms : csr_matrix of float32, shape (n_texts, N_BUCKETS)
        1 where a text has a term.
    vectors : ndarray of float32, shape (n_texts, n_dimensions)
        The encoder's; without one there are no columns.
    """

    terms: sparse.csr_matrix
    vectors: Vectors

    @classmethod
    def find(cls, texts: Sequence[str], vectors: Vectors | None) -> Texts:
        """Return the terms of texts beside their vectors."""
        return cls(count_terms(texts), np.zeros((len(texts), 0), dtype=np.float32) if vectors is None else vectors)


@dataclass(frozen=True, slots=True)
class Profile:
    """Categories as terms with weights, shape (n_labels, N_BUCKETS), and unit vectors, shape (n_labels, n_dimensions)."""

    terms: sparse.csr_matrix
    vectors: Floats

    def score_words(self, terms: sparse.csr_matrix) -> Floats:
        """Return the similarity of weighted terms of unit length to each category, shape (n_texts, n_labels), from 0."""
        return np.asarray((terms @ self.terms.T).toarray(), dtype=np.float32)

    def score_meanings(self, vectors: Floats) -> Floats:
        """Return cosines of unit vectors with each category, shape (n_texts, n_labels); zeros without vectors."""
        return np.asarray(vectors @ self.vectors.T, dtype=np.float32)


def count_terms(texts: Sequence[str]) -> sparse.csr_matrix:
    """Return 1 where a text has a term, shape (n_texts, N_BUCKETS)."""
    rows = [sorted({crc32(term.encode()) % N_BUCKETS for term in _find_terms(text)}) for text in texts]
    starts = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    found = np.array([bucket for row in rows for bucket in row], dtype=np.int64)
    return sparse.csr_matrix((np.ones(len(found), dtype=np.float32), found, starts), shape=(len(rows), N_BUCKETS))


def _find_terms(text: str) -> list[str]:
    terms = find_terms(text)
    return terms + [f"{term[:_STEM]}…" for term in terms if len(term) >= _STEM]


def find_rarity(terms: sparse.csr_matrix) -> Floats:
    """Return ln(1 + (n − f + ½) / (f + ½)) of each bucket, f being the summed weight of the rows that have it, shape (N_BUCKETS,)."""
    spread = np.bincount(terms.indices, weights=terms.data, minlength=N_BUCKETS)
    return np.asarray(np.log1p(np.maximum(terms.shape[0] - spread + 0.5, 0.5) / (spread + 0.5)), dtype=np.float32)


def weigh_texts(terms: sparse.csr_matrix, weights: Floats) -> sparse.csr_matrix:
    """Return rows of unit length (or 0) in which each term has its weight."""
    return _scale_rows(_weigh(terms, weights), power=0.5)


def weigh_names(terms: sparse.csr_matrix, weights: Floats) -> sparse.csr_matrix:
    """Return names' terms with their weights; long names are discounted a little less than by the cosine."""
    return _scale_rows(_weigh(terms, weights), power=_LENGTH_POWER)


def _weigh(terms: sparse.csr_matrix, weights: Floats) -> sparse.csr_matrix:
    return sparse.csr_matrix((terms.data * weights[terms.indices], terms.indices, terms.indptr), shape=terms.shape)


def _scale_rows(matrix: sparse.csr_matrix, *, power: float) -> sparse.csr_matrix:
    squares = np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel()
    scales = np.where(squares > 0, np.maximum(squares, 1e-12) ** -power, 0)
    return sparse.csr_matrix((matrix.data * np.repeat(scales, np.diff(matrix.indptr)), matrix.indices, matrix.indptr), shape=matrix.shape)
