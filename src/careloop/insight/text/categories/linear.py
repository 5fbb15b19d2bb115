"""Linear models with one set of weights for each label: support vector machine, logistic and ridge regression by one solver.

Targets may be soft and rows weighted, which scikit-learn's own do not offer for all three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from careloop.insight.text.categories.features import Features
from careloop.insight.text.ngrams import Floats

Loss = Literal["svm", "logistic", "ridge"]
_STEPS = 60


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights of the n-grams (n_ngrams, n_labels), of the dense features (n_dense, n_labels), and bias (n_labels,)."""

    sparse: Floats
    dense: Floats
    bias: Floats

    def score(self, features: Features) -> Floats:
        """Return scores, shape (n_texts, n_labels); higher is likelier."""
        return np.asarray(features.sparse @ self.sparse + features.dense @ self.dense + self.bias, dtype=np.float32)


def fit_linear(features: Features, targets: Floats, *, loss: Loss, strength: float, weights: Floats | None = None) -> LinearModel:
    """Return the weights that minimise loss + ‖weights‖² / (2 · strength) by L-BFGS; deterministic.

    Parameters
    ----------
    features : Features
    targets : ndarray of float32, shape (n_texts, n_labels)
        Probability of each label; rows sum to 1.
    loss : {"svm", "logistic", "ridge"}
        Squared hinge and squared error of each label against the rest, or cross-entropy of the softmax.
    strength : float
        How much the rows count against the penalty (C of a support vector machine), above 0.
    weights : ndarray of float32, shape (n_texts,), optional
        How much each row counts.

    References
    ----------
    Liu and Nocedal 1989, On the limited memory BFGS method for large scale optimization.
    """
    n_ngrams, n_dense, n_labels = features.sparse.shape[1], features.dense.shape[1], targets.shape[1]
    measure = _LOSSES[loss]
    rows = np.ones(len(features), dtype=np.float32) if weights is None else weights
    transposed = features.sparse.T.tocsr()
    penalty = np.float32(1 / strength)

    def objective(flat: Floats) -> tuple[float, Floats]:
        model = flat.astype(np.float32).reshape(-1, n_labels)
        scores = features.sparse @ model[:n_ngrams] + features.dense @ model[n_ngrams:-1] + model[-1]
        value, errors = measure(scores, targets)
        errors *= rows[:, None]
        gradient = np.empty_like(model)
        gradient[:n_ngrams] = transposed @ errors + penalty * model[:n_ngrams]
        gradient[n_ngrams:-1] = features.dense.T @ errors + penalty * model[n_ngrams:-1]
        gradient[-1] = errors.sum(axis=0)
        total = float(rows @ value) + 0.5 * float(penalty) * float(np.vdot(model[:-1], model[:-1]))
        return total, gradient.ravel().astype(np.float64)

    start = np.zeros((n_ngrams + n_dense + 1) * n_labels)
    options = {"maxiter": _STEPS, "maxcor": 6, "ftol": 1e-6}
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x.astype(np.float32).reshape(-1, n_labels)
    return LinearModel(found[:n_ngrams], found[n_ngrams:-1], found[-1])


def _squared_hinge(scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
    inside, outside = np.maximum(1 - scores, 0), np.maximum(1 + scores, 0)
    value = (targets * inside**2 + (1 - targets) * outside**2).sum(axis=1)
    return value, 2 * ((1 - targets) * outside - targets * inside)


def _cross_entropy(scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
    logs = scores - logsumexp(scores, axis=1, keepdims=True)
    return -(targets * logs).sum(axis=1), np.exp(logs) - targets


def _squared_error(scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
    errors = scores - (2 * targets - 1)
    return 0.5 * (errors**2).sum(axis=1), errors


_LOSSES: dict[str, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {
    "svm": _squared_hinge,
    "logistic": _cross_entropy,
    "ridge": _squared_error,
}
