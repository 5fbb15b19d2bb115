"""The ways of learning to choose from, each with its settings, behind one function."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.categories import ridge
from careloop.insight.text.categories.features import Features
from careloop.insight.text.categories.linear import LinearModel, Loss, fit_linear
from careloop.insight.text.categories.trees import ForestModel, fit_forest
from careloop.insight.text.ngrams import Floats

Algorithm = Literal["svm", "logistic", "ridge", "tree", "forest"]
Model: TypeAlias = LinearModel | ForestModel


class Recipe(NamedTuple):
    """An algorithm, how strongly the rows count against simplicity, and how much vectors count beside n-grams of length 1."""

    algorithm: Algorithm
    strength: float
    vector_weight: float = 2.0


_MOST_DUAL_ROWS = 9_000  # from here on a softmax is fitted faster on weights than on likeness

RECIPES: dict[str, tuple[Recipe, ...]] = {
    "ridge": tuple(Recipe("ridge", strength, weight) for weight in (1.5, 2.5, 4.0) for strength in (0.67, 3.0)),
    "svm": (Recipe("svm", 0.06, 1.5), Recipe("svm", 0.5, 2.5)),
    "logistic": (Recipe("logistic", 20.0, 1.5), Recipe("logistic", 20.0, 3.0), Recipe("logistic", 5.0, 2.0)),
    "forest": (Recipe("forest", 1.0),),
    "tree": (Recipe("tree", 0.5), Recipe("tree", 0.1)),
}


def fit(recipe: Recipe, features: Features, classes: NDArray[np.int64], n_labels: int, *, seed: int) -> Model:
    """Return a model of all `n_labels` labels; one that has no row scores lowest."""
    if recipe.algorithm == "svm":
        return _fit_svm(features, classes, n_labels, recipe, seed)
    if recipe.algorithm in {"tree", "forest"}:
        return fit_forest(features, classes, n_labels, strength=recipe.strength, is_forest=recipe.algorithm == "forest", seed=seed)
    targets = np.eye(n_labels, dtype=np.float32)[classes]
    if recipe.algorithm == "ridge" and len(features) <= ridge.MOST_ROWS:
        return ridge.fit_ridge(features, 2 * targets - 1, strength=recipe.strength, vector_weight=recipe.vector_weight)
    if recipe.algorithm == "logistic" and len(features) <= _MOST_DUAL_ROWS:
        return ridge.fit_logistic(features, targets, strength=recipe.strength, vector_weight=recipe.vector_weight)
    loss: Loss = "logistic" if recipe.algorithm == "logistic" else "ridge"
    return _weigh(fit_linear(features.weigh(recipe.vector_weight), targets, loss=loss, strength=recipe.strength), recipe)


def _weigh(model: LinearModel, recipe: Recipe) -> LinearModel:
    """Return the model for vectors as they are, given the one for weighted vectors."""
    return replace(model, dense=model.dense * np.float32(recipe.vector_weight))


def _fit_svm(features: Features, classes: NDArray[np.int64], n_labels: int, recipe: Recipe, seed: int) -> LinearModel:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    joined: Any = sparse.hstack([features.sparse, sparse.csr_matrix(features.weigh(recipe.vector_weight).dense)]).tocsr()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 200 passes are enough for the figures, which are measured anyway
        found = LinearSVC(C=recipe.strength, tol=0.05, max_iter=200, random_state=seed).fit(joined, classes)
    weights = np.zeros((joined.shape[1], n_labels), dtype=np.float32)
    bias: Floats = np.full(n_labels, -2, dtype=np.float32)
    is_pair = len(found.classes_) == 2  # one set of weights then serves both
    weights[:, found.classes_] = np.concatenate([-found.coef_, found.coef_]).T if is_pair else found.coef_.T
    bias[found.classes_] = np.concatenate([-found.intercept_, found.intercept_]) if is_pair else found.intercept_
    n_ngrams = features.sparse.shape[1]
    return _weigh(LinearModel(weights[:n_ngrams], weights[n_ngrams:], bias), recipe)
