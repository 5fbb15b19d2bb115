"""What a model of categories looks at: weighted n-grams and, when there is an encoder, centred semantic vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.categories.ngrams import NgramSpace
from careloop.insight.text.encoder import Vectors
from careloop.insight.text.ngrams import Floats

VECTOR_WEIGHT = 1.5  # of a vector beside n-grams of length 1: measured, docs/decisions/0010-categories.md


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of texts.

    Attributes
    ----------
    sparse : csr_matrix of float32, shape (n_texts, n_ngrams)
    dense : ndarray of float32, shape (n_texts, n_dense)
    """

    sparse: sparse.csr_matrix
    dense: Floats

    def __len__(self) -> int:
        """Return the number of texts."""
        return int(self.dense.shape[0])

    def pick(self, rows: NDArray[np.int64]) -> Features:
        """Return these texts alone."""
        return Features(self.sparse[rows], self.dense[rows])

    def without_dense(self) -> Features:
        """Return the n-grams alone."""
        return Features(self.sparse, self.dense[:, :0])


@dataclass(frozen=True, slots=True)
class FeatureSpace:
    """How texts become features.

    Attributes
    ----------
    ngrams : NgramSpace
    centre : ndarray of float32, shape (n_dimensions,)
        Mean vector of the rows learnt from; empty without an encoder.
    """

    ngrams: NgramSpace
    centre: Floats

    @classmethod
    def learn(cls, texts: Sequence[str], vectors: Vectors | None, *, least_rows: int = 2) -> FeatureSpace:
        """Return the space of these texts; `vectors` has shape (n_texts, n_dimensions) or is None."""
        centre = np.zeros(0, dtype=np.float32) if vectors is None else vectors.mean(axis=0, dtype=np.float32)
        return cls(NgramSpace.learn(texts, least_rows=least_rows), centre)

    @property
    def has_vectors(self) -> bool:
        """Whether an encoder takes part."""
        return len(self.centre) > 0

    def without_vectors(self) -> FeatureSpace:
        """Return the n-grams alone."""
        return FeatureSpace(self.ngrams, self.centre[:0])

    def find(self, texts: Sequence[str], vectors: Vectors | None) -> Features:
        """Return the features of texts; without vectors the dense ones have no columns."""
        if vectors is None:
            return Features(self.ngrams.count(texts), np.zeros((len(texts), 0), dtype=np.float32))
        return Features(self.ngrams.count(texts), np.asarray(VECTOR_WEIGHT * spread_out(vectors, self.centre), dtype=np.float32))


def spread_out(vectors: Vectors, centre: Floats) -> Floats:
    """Return vectors without what all texts share, of length 1.

    The bundled encoder's vectors lie in a narrow cone (cosines of unrelated texts are near 0.8); what tells texts apart is the rest.
    """
    moved = vectors - centre
    lengths = np.linalg.norm(moved, axis=1, keepdims=True)
    return np.asarray(moved / np.maximum(lengths, 1e-6), dtype=np.float32)
