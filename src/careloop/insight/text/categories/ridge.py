"""Ridge regression by its dual: one factorisation for all labels, and what each row would be taken for had it been left out."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from scipy import sparse
from scipy.linalg import lapack

from careloop.insight.text.categories.features import Features
from careloop.insight.text.categories.linear import LinearModel, fit_linear
from careloop.insight.text.ngrams import Floats

MOST_ROWS = 16_000  # of one factorisation: 1 GB and, on one core, some 40 seconds; twice as fast as weights that are found step by step
_ROWS_AT_ONCE = 1_000
SQUARE_WEIGHT = np.float32(0.9)  # of squared cosines beside plain ones: +1.7 points of macro-F1, docs/decisions/0015-categories.md


def compare(left: Features, right: Features, *, vector_weight: float) -> Floats:
    """Return the likeness of texts, shape (n_left, n_right): dot products, and squared ones of the vectors."""
    likeness = np.empty((len(left), len(right)), dtype=np.float32)
    other = right.sparse.T.tocsr()
    for start in range(0, len(left), _ROWS_AT_ONCE):  # so that what lies between costs little memory beside the result
        rows = slice(start, start + _ROWS_AT_ONCE)
        (left.sparse[rows] @ other).toarray(out=likeness[rows])
        if left.dense.shape[1]:
            plain = left.dense[rows] @ right.dense.T
            likeness[rows] += np.float32(vector_weight**2) * (plain + SQUARE_WEIGHT * np.square(plain))
    return likeness


def fit_ridge(features: Features, targets: Floats, *, strength: float, vector_weight: float) -> LinearModel:
    """Return the model that minimises squared error + ‖weights‖² / strength; targets are −1 … 1, shape (n_texts, n_labels).

    References
    ----------
    Saunders, Gammerman and Vovk 1998, Ridge regression learning algorithm in dual variables.
    """
    likeness = compare(features, features, vector_weight=vector_weight)
    likeness[np.diag_indices(len(likeness))] += np.float32(1 / strength)
    middle = targets.mean(axis=0)
    factor = scipy.linalg.cho_factor(likeness.T, lower=True, overwrite_a=True, check_finite=False)
    duals = scipy.linalg.cho_solve(factor, targets - middle, check_finite=False).astype(np.float32)
    return to_weights(features, duals, middle, vector_weight=vector_weight)


def fit_logistic(features: Features, targets: Floats, *, strength: float, vector_weight: float) -> LinearModel:
    """Return the softmax regression on the same likeness: ten times faster than on weights while rows are fewer than n-grams.

    The likeness is split into L·Lᵀ; rows of L are then as good as features (Schölkopf and Smola 2002, section 14.2).
    """
    likeness = compare(features, features, vector_weight=vector_weight)
    likeness[np.diag_indices(len(likeness))] += np.float32(1e-3)
    rows = np.tril(scipy.linalg.cholesky(likeness.T, lower=True, overwrite_a=True, check_finite=False)).astype(np.float32)
    none = Features(sparse.csr_matrix((len(rows), 0), dtype=np.float32), rows)
    found = fit_linear(none, targets, loss="logistic", strength=strength)
    duals = scipy.linalg.solve_triangular(rows, found.dense, lower=True, trans=1, check_finite=False).astype(np.float32)
    return to_weights(features, duals, found.bias, vector_weight=vector_weight)


def to_weights(features: Features, duals: Floats, bias: Floats, *, vector_weight: float) -> LinearModel:
    """Return the model whose scores are likeness to the rows times `duals`, shape (n_texts, n_labels), plus bias."""
    weights = np.asarray(features.sparse.T @ duals, dtype=np.float32)
    if not features.dense.shape[1]:
        return LinearModel(weights, np.zeros((0, duals.shape[1]), dtype=np.float32), bias)
    scaled = np.float32(vector_weight**2) * duals
    return LinearModel(weights, np.asarray(features.dense.T @ scaled, dtype=np.float32), bias, features.dense, SQUARE_WEIGHT * scaled)


def leave_each_out(features: Features, targets: Floats, *, strength: float, vector_weight: float) -> Floats:
    """Return the scores of every row by the model fitted without it, shape (n_texts, n_labels); exact, from one inverse.

    References
    ----------
    Rifkin and Lippert 2007, Notes on regularized least squares, section 4.
    """
    likeness = compare(features, features, vector_weight=vector_weight)
    likeness[np.diag_indices(len(likeness))] += np.float32(1 / strength)
    factor = scipy.linalg.cholesky(likeness.T, lower=True, overwrite_a=True, check_finite=False)
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse)
    diagonal = inverse.diagonal().copy()
    centred = targets - targets.mean(axis=0)
    duals = inverse @ centred + inverse.T @ centred - diagonal[:, None] * centred
    return np.asarray(targets - duals / diagonal[:, None], dtype=np.float32)
