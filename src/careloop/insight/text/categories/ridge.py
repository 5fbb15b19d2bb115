"""Ridge regression by its dual: one factorisation for all labels, and what each row would be taken for had it been left out."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from scipy.linalg import lapack

from careloop.insight.text.categories.features import Features
from careloop.insight.text.categories.linear import LinearModel
from careloop.insight.text.ngrams import Floats

MOST_ROWS = 12_000  # of one factorisation: 0.6 GB and, on one core, half a minute
SQUARE_WEIGHT = np.float32(0.4)  # of squared dot products beside plain ones: +1.7 points of macro-F1, docs/decisions/0010-categories.md


def compare(left: Features, right: Features) -> Floats:
    """Return the likeness of texts, shape (n_left, n_right): dot products, and squared ones of the dense features."""
    likeness = np.asarray((left.sparse @ right.sparse.T).todense(), dtype=np.float32)
    if left.dense.shape[1]:
        plain = left.dense @ right.dense.T
        likeness += plain
        likeness += SQUARE_WEIGHT * np.square(plain)
    return likeness


def fit_ridge(features: Features, targets: Floats, *, strength: float) -> LinearModel:
    """Return the model that minimises squared error + ‖weights‖² / strength; targets are −1 … 1, shape (n_texts, n_labels).

    References
    ----------
    Saunders, Gammerman and Vovk 1998, Ridge regression learning algorithm in dual variables.
    """
    likeness = compare(features, features)
    likeness[np.diag_indices(len(likeness))] += np.float32(1 / strength)
    middle = targets.mean(axis=0)
    factor = scipy.linalg.cho_factor(likeness, lower=True, overwrite_a=True, check_finite=False)
    duals = scipy.linalg.cho_solve(factor, targets - middle, check_finite=False).astype(np.float32)
    sparse = np.asarray(features.sparse.T @ duals, dtype=np.float32)
    dense = np.asarray(features.dense.T @ duals, dtype=np.float32)
    if not features.dense.shape[1]:
        return LinearModel(sparse, dense, middle)
    return LinearModel(sparse, dense, middle, features.dense, SQUARE_WEIGHT * duals)


def leave_each_out(features: Features, targets: Floats, *, strength: float) -> Floats:
    """Return the scores of every row by the model fitted without it, shape (n_texts, n_labels); exact, from one inverse.

    References
    ----------
    Rifkin and Lippert 2007, Notes on regularized least squares, section 4.
    """
    likeness = compare(features, features)
    likeness[np.diag_indices(len(likeness))] += np.float32(1 / strength)
    factor = scipy.linalg.cholesky(likeness, lower=True, overwrite_a=True, check_finite=False)
    inverse, _ = lapack.spotri(factor, lower=1, overwrite_c=1)
    inverse = np.tril(inverse)
    diagonal = inverse.diagonal().copy()
    centred = targets - targets.mean(axis=0)
    duals = inverse @ centred + inverse.T @ centred - diagonal[:, None] * centred
    return np.asarray(targets - duals / diagonal[:, None], dtype=np.float32)
