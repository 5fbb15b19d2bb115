"""Maximum-a-posteriori softmax regression on sparse and dense features with soft labels, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import expit, logsumexp

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Examples:
    """What to learn from.

    Attributes
    ----------
    sparse : csr_matrix, shape (n_rows, n_features)
    dense : ndarray of float64, shape (n_rows, n_dense)
        A few features that are hardly penalised.
    targets : ndarray of float64, shape (n_rows, n_classes)
        Probabilities; each row sums to 1.
    weights : ndarray of float64, shape (n_rows,)
    """

    sparse: sparse.csr_matrix
    dense: Doubles
    targets: Doubles
    weights: Doubles

    def pick(self, rows: NDArray[np.int64]) -> Examples:
        """Return these rows alone."""
        return Examples(self.sparse[rows], self.dense[rows], self.targets[rows], self.weights[rows])


@dataclass(frozen=True, slots=True)
class Softmax:
    """Learnt weights: sparse (n_features, n_classes), dense (n_dense, n_classes), bias (n_classes,)."""

    sparse: Doubles
    dense: Doubles
    bias: Doubles

    def score(self, examples: Examples) -> Doubles:
        """Return the log-odds before calibration, shape (n_rows, n_classes)."""
        return np.asarray(examples.sparse @ self.sparse + examples.dense @ self.dense + self.bias)


def fit_softmax(examples: Examples, *, ridge: float, dense_ridge: float = 0.01, bias_ridge: float = 0.0, iterations: int = 60) -> Softmax:
    """Return the weights that minimise weighted cross-entropy plus ridge/2 · ‖weights‖² (L-BFGS; deterministic)."""
    n_features, n_dense, n_classes = examples.sparse.shape[1], examples.dense.shape[1], examples.targets.shape[1]
    n_rows_of_weights = n_features + n_dense + 1
    penalties = np.full((n_rows_of_weights, 1), ridge)
    penalties[n_features:-1], penalties[-1] = dense_ridge, bias_ridge
    transposed = examples.sparse.T.tocsr()

    def objective(flat: Doubles) -> tuple[float, Doubles]:
        weights = flat.reshape(n_rows_of_weights, n_classes)
        scores = examples.sparse @ weights[:n_features] + examples.dense @ weights[n_features:-1] + weights[-1]
        logs = scores - logsumexp(scores, axis=1, keepdims=True)
        loss = -(examples.weights[:, None] * examples.targets * logs).sum() + 0.5 * (penalties * weights**2).sum()
        errors = examples.weights[:, None] * (np.exp(logs) - examples.targets)
        gradient = np.vstack([transposed @ errors, examples.dense.T @ errors, errors.sum(axis=0, keepdims=True)])
        return float(loss), (gradient + penalties * weights).ravel()

    start = np.zeros(n_rows_of_weights * n_classes)
    found = minimize(objective, start, jac=True, method="L-BFGS-B", options={"maxiter": iterations})
    weights = found.x.reshape(n_rows_of_weights, n_classes)
    return Softmax(weights[:n_features], weights[n_features:-1], weights[-1])


def fit_line(scores: Doubles, labels: Doubles) -> tuple[float, float]:
    """Return slope and bias that turn scores into calibrated log-odds (Platt 1999)."""

    def loss(line: Doubles) -> float:
        logits = line[0] * scores + line[1]
        return float(np.mean(np.logaddexp(0, logits) - labels * logits))

    slope, bias = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-9}).x
    return float(slope), float(bias)


def fit_logistic(features: Doubles, labels: Doubles, weights: Doubles) -> Doubles:
    """Return the weights of a logistic regression without penalty, shape (n_features,); rows weigh as given."""

    def loss(found: Doubles) -> tuple[float, Doubles]:
        logits = features @ found
        pull = weights * (expit(logits) - labels)
        return float(weights @ (np.logaddexp(0, logits) - labels * logits)), features.T @ pull

    return np.asarray(minimize(loss, np.zeros(features.shape[1]), jac=True, method="BFGS").x)


def measure_calibration(probabilities: Doubles, outcomes: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Return the expected calibration error with equally wide bins (Naeini et al. 2015), 0–1."""
    places = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    gaps = [
        abs(probabilities[places == place].mean() - outcomes[places == place].mean()) * (places == place).mean()
        for place in np.unique(places)
    ]
    return float(sum(gaps))
