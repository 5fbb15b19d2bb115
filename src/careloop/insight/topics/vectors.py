"""Vectors of words and texts from the corpus itself: which words stand in the same texts.

No encoder and no training data: positive pointwise mutual information of words within texts, reduced by a singular value decomposition,
gives each word a direction; a text is the weighted mean of its words. Thousands of texts a second.

References
----------
Levy & Goldberg, "Neural Word Embedding as Implicit Matrix Factorization", NIPS 2014 (the decomposition, its context smoothing of 0.75).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from careloop.insight.text.encoder import normalise_rows

Matrix: TypeAlias = NDArray[np.float32]

DIMENSIONS = 100
_CONTEXT_SMOOTHING = 0.75
_MOST_TEXTS = 60_000  # from which words learn their company


def learn_word_vectors(presence: sp.csr_matrix, *, seed: int) -> Matrix:
    """Return one unit vector a word, shape (n_words, at most 100).

    Parameters
    ----------
    presence : CSR matrix, shape (n_texts, n_words)
        1 where a word stands in a text.
    seed : int
        Of the sample of texts and of the decomposition.
    """
    n_texts, n_words = presence.shape
    if n_texts > _MOST_TEXTS:
        presence = presence[np.sort(np.random.default_rng(seed).choice(n_texts, _MOST_TEXTS, replace=False))]
    association = _associate(presence)
    dimensions = max(1, min(DIMENSIONS, n_words - 1))
    left, strength, _ = randomized_svd(association, dimensions, random_state=seed, n_iter=3)
    return normalise_rows(left * np.sqrt(strength))


def make_text_vectors(counts: sp.csr_matrix, word_vectors: Matrix, rarity: Matrix) -> Matrix:
    """Return unit vectors, shape (n_texts, dimensions): a text's words weighted by ln(1 + count) × rarity; zeros without words."""
    damped = counts.copy()
    damped.data = np.log1p(damped.data)
    return normalise_rows(np.asarray(damped @ (word_vectors * rarity[:, None]), dtype=np.float32))


def measure_rarity(presence: sp.csr_matrix) -> Matrix:
    """Return ln(n_texts / n_texts with the word), shape (n_words,)."""
    n_with = np.maximum(1, np.asarray(presence.sum(axis=0), dtype=np.float32).ravel())
    return np.asarray(np.log(presence.shape[0] / n_with), dtype=np.float32)


def _associate(presence: sp.csr_matrix) -> sp.csr_matrix:
    """Return the positive pointwise mutual information of each pair of different words, shape (n_words, n_words)."""
    together = (presence.T @ presence).tocoo()
    apart = together.row != together.col
    row, column, n = together.row[apart], together.col[apart], together.data[apart]
    n_words = presence.shape[1]
    given = np.bincount(row, n, n_words)
    context = given**_CONTEXT_SMOOTHING
    information = np.log(n * context.sum() / (given[row] * context[column]))
    kept = information > 0
    return sp.csr_matrix((information[kept].astype(np.float32), (row[kept], column[kept])), shape=(n_words, n_words))
