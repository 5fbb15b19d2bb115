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

_FEW_TEXTS = 2_000  # up to here n-grams of a single text are kept
_SHRINKAGE = 5.0  # towards a sphere, in mean variances: measured, docs/decisions/0015-categories.md


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of texts.

    Attributes
    ----------
    sparse : csr_matrix of float32, shape (n_texts, n_ngrams)
    dense : ndarray of float32, shape (n_texts, n_dense)
        Vectors, about of length 1.
    """

    sparse: sparse.csr_matrix
    dense: Floats

    def __len__(self) -> int:
        """Return the number of texts."""
        return int(self.dense.shape[0])

    def pick(self, rows: NDArray[np.int64]) -> Features:
        """Return these texts alone."""
        return Features(self.sparse[rows], self.dense[rows])

    def join(self, other: Features) -> Features:
        """Return the texts of both, these first."""
        return Features(sparse.vstack([self.sparse, other.sparse]).tocsr(), np.vstack([self.dense, other.dense]))

    def weigh(self, vector_weight: float) -> Features:
        """Return the same with vectors of another length."""
        return Features(self.sparse, self.dense * np.float32(vector_weight))

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
    metric : ndarray of float32, shape (n_dimensions, n_dimensions)
        Shortens the directions in which texts of one label differ among themselves.
    """

    ngrams: NgramSpace
    centre: Floats
    metric: Floats

    @classmethod
    def learn(cls, texts: Sequence[str], vectors: Vectors | None, classes: NDArray[np.int64]) -> FeatureSpace:
        """Return the space of labelled texts; `vectors` has shape (n_texts, n_dimensions) or is None."""
        ngrams = NgramSpace.learn(texts, least_rows=1 if len(texts) <= _FEW_TEXTS else 2)
        plain = cls(ngrams, np.zeros(0, dtype=np.float32), np.zeros((0, 0), dtype=np.float32))
        return plain if vectors is None else plain.with_vectors(vectors, classes)

    @property
    def has_vectors(self) -> bool:
        """Whether an encoder takes part."""
        return len(self.centre) > 0

    def with_vectors(self, vectors: Vectors, classes: NDArray[np.int64]) -> FeatureSpace:
        """Return the same n-grams beside vectors, of whatever kind, of labelled texts, shape (n_texts, n_dimensions)."""
        centre = vectors.mean(axis=0, dtype=np.float32)
        return FeatureSpace(self.ngrams, centre, _learn_metric(vectors, centre, classes))

    def without_vectors(self) -> FeatureSpace:
        """Return the n-grams alone."""
        return FeatureSpace(self.ngrams, self.centre[:0], self.metric[:0, :0])

    def find(self, texts: Sequence[str], vectors: Vectors | None) -> Features:
        """Return the features of texts; without vectors the dense ones have no columns."""
        if vectors is None:
            return Features(self.ngrams.count(texts), np.zeros((len(texts), 0), dtype=np.float32))
        return Features(self.ngrams.count(texts), self.spread(vectors))

    def spread(self, vectors: Vectors) -> Floats:
        """Return vectors as they are compared: centred, and long in the directions that tell labels apart."""
        return np.asarray((vectors - self.centre) @ self.metric, dtype=np.float32)


def _learn_metric(vectors: Vectors, centre: Floats, classes: NDArray[np.int64]) -> Floats:
    """Return the map that makes what differs inside labels nearly round and the mean length 1.

    The bundled encoder's vectors lie in a narrow cone (cosines of unrelated texts are near 0.8); what tells labels apart is the rest.

    References
    ----------
    Hatch, Kajarekar and Stolcke 2006, Within-class covariance normalization for SVM-based speaker recognition.
    """
    _, places, counts = np.unique(classes, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), vectors.shape[1]), dtype=np.float32)
    np.add.at(sums, places, vectors)
    inside = vectors - (sums / counts[:, None].astype(np.float32))[places]
    values, directions = np.linalg.eigh((inside.T @ inside / len(inside)).astype(np.float64))
    mean = max(float(values.mean()), 1e-9)
    metric = directions / np.sqrt(np.maximum(values, 0) + _SHRINKAGE * mean)
    length = np.linalg.norm((vectors - centre) @ metric, axis=1).mean()
    return np.asarray(metric / max(float(length), 1e-9), dtype=np.float32)
