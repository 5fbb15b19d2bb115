"""Models that add up: one set of weights for each label over n-grams and vectors, and, for vectors, over likeness to learnt rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp
from threadpoolctl import threadpool_limits

from careloop.insight.text.categories.features import Features
from careloop.insight.text.ngrams import Floats

Loss = Literal["logistic", "ridge"]
_STEPS = 60


def _nothing() -> Floats:
    return np.zeros((0, 0), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Weights and what they are laid on.

    Attributes
    ----------
    sparse : ndarray of float32, shape (n_ngrams, n_labels)
    dense : ndarray of float32, shape (n_dense, n_labels)
    bias : ndarray of float32, shape (n_labels,)
    anchors : ndarray of float32, shape (n_anchors, n_dense)
        Dense features of learnt rows; none for a model that is linear in the vectors.
    pulls : ndarray of float32, shape (n_anchors, n_labels)
        What the squared dot product with each anchor adds to each label.
    """

    sparse: Floats
    dense: Floats
    bias: Floats
    anchors: Floats = field(default_factory=_nothing)
    pulls: Floats = field(default_factory=_nothing)

    def score(self, features: Features) -> Floats:
        """Return scores, shape (n_texts, n_labels); higher is likelier."""
        scores = features.sparse @ self.sparse + features.dense @ self.dense + self.bias
        if len(self.anchors):
            scores += np.square(features.dense @ self.anchors.T) @ self.pulls
        return np.asarray(scores, dtype=np.float32)


def fit_linear(features: Features, targets: Floats, *, loss: Loss, strength: float) -> LinearModel:
    """Return the weights that minimise loss + ‖weights‖² / (2 · strength) by L-BFGS; deterministic.

    Parameters
    ----------
    features : Features
    targets : ndarray of float32, shape (n_texts, n_labels)
        Probability of each label; rows sum to 1.
    loss : {"logistic", "ridge"}
        Cross-entropy of the softmax, or squared error of each label against the rest (targets become −1 … 1).
    strength : float
        How much the rows count against the penalty (C of a support vector machine), above 0.

    References
    ----------
    Liu and Nocedal 1989, On the limited memory BFGS method for large scale optimization.
    """
    n_ngrams, n_dense, n_labels = features.sparse.shape[1], features.dense.shape[1], targets.shape[1]
    measure = _LOSSES[loss]
    transposed = features.sparse.T.tocsr()
    penalty = np.float32(1 / strength)

    def objective(flat: Floats) -> tuple[float, Floats]:
        model = flat.astype(np.float32).reshape(-1, n_labels)
        scores = features.sparse @ model[:n_ngrams] + features.dense @ model[n_ngrams:-1] + model[-1]
        value, errors = measure(scores, targets)
        gradient = np.empty_like(model)
        gradient[:n_ngrams] = transposed @ errors + penalty * model[:n_ngrams]
        gradient[n_ngrams:-1] = features.dense.T @ errors + penalty * model[n_ngrams:-1]
        gradient[-1] = errors.sum(axis=0)
        total = float(value.sum()) + 0.5 * float(penalty) * float(np.vdot(model[:-1], model[:-1]))
        return total, gradient.ravel().astype(np.float64)

    start = np.zeros((n_ngrams + n_dense + 1) * n_labels)
    options = {"maxiter": _STEPS, "maxcor": 6, "ftol": 1e-6}
    with threadpool_limits(None if n_dense else 1):  # without vectors threads only wait for one another, at twenty times the processor time
        flat = minimize(objective, start, jac=True, method="L-BFGS-B", options=options).x
    found = flat.astype(np.float32).reshape(-1, n_labels)
    return LinearModel(found[:n_ngrams], found[n_ngrams:-1], found[-1])


def _cross_entropy(scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
    logs = scores - logsumexp(scores, axis=1, keepdims=True)
    return -(targets * logs).sum(axis=1), np.exp(logs) - targets


def _squared_error(scores: Floats, targets: Floats) -> tuple[Floats, Floats]:
    errors = scores - (2 * targets - 1)
    return 0.5 * (errors**2).sum(axis=1), errors


_LOSSES: dict[str, Callable[[Floats, Floats], tuple[Floats, Floats]]] = {"logistic": _cross_entropy, "ridge": _squared_error}
