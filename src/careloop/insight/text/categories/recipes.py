"""The ways of learning to choose from, each with its settings, behind one function."""

from __future__ import annotations

import warnings
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.categories.features import Features
from careloop.insight.text.categories.linear import LinearModel, Loss, fit_linear
from careloop.insight.text.ngrams import Floats

Algorithm = Literal["svm", "logistic", "ridge", "tree", "forest"]


class Recipe(NamedTuple):
    """An algorithm and how strongly the rows count against simplicity."""

    algorithm: Algorithm
    strength: float


RECIPES: dict[str, tuple[Recipe, ...]] = {
    "svm": (Recipe("svm", 0.06), Recipe("svm", 0.25), Recipe("svm", 1.0)),
    "logistic": (Recipe("logistic", 3.0), Recipe("logistic", 20.0)),
    "ridge": (Recipe("ridge", 0.1), Recipe("ridge", 1.0)),
}


def fit(recipe: Recipe, features: Features, classes: NDArray[np.int64], n_labels: int, *, seed: int) -> LinearModel:
    """Return a model of all `n_labels` labels; one that has no row scores lowest."""
    if recipe.algorithm == "svm":
        return _fit_svm(features, classes, n_labels, recipe.strength, seed)
    targets = np.eye(n_labels, dtype=np.float32)[classes]
    loss: Loss = "logistic" if recipe.algorithm == "logistic" else "ridge"
    return fit_linear(features, targets, loss=loss, strength=recipe.strength)


def _fit_svm(features: Features, classes: NDArray[np.int64], n_labels: int, strength: float, seed: int) -> LinearModel:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    joined = sparse.hstack([features.sparse, sparse.csr_matrix(features.dense)]).tocsr()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 200 passes are enough for the figures, which are measured anyway
        found = LinearSVC(C=strength, tol=0.05, max_iter=200, random_state=seed).fit(joined, classes)
    weights = np.zeros((joined.shape[1], n_labels), dtype=np.float32)
    bias: Floats = np.full(n_labels, -2, dtype=np.float32)
    if len(found.classes_) == 2:
        weights[:, found.classes_] = np.concatenate([-found.coef_, found.coef_]).T
        bias[found.classes_] = np.concatenate([-found.intercept_, found.intercept_])
    else:
        weights[:, found.classes_] = found.coef_.T
        bias[found.classes_] = found.intercept_
    n_ngrams = features.sparse.shape[1]
    return LinearModel(weights[:n_ngrams], weights[n_ngrams:], bias)
