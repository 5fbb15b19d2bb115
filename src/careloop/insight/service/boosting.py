"""The candidates of the model of satisfaction, learnt by scikit-learn and kept as plain numbers: linear weights, or small trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
Learn = Callable[[Doubles, Bools], "Scorer"]

_LEAST_LEAF = 15
_MOST_ROWS = 20_000  # that trees are grown on
_STRENGTHS = (0.03, 0.5)  # of logistic regression: one over the penalty
_TREES = ((1, 60), (3, 40))  # depth and number
_RATE = 0.1


@dataclass(frozen=True)
class Tree:
    """A regression tree as lists over its nodes; −1 marks a leaf."""

    feature: list[int]
    threshold: list[float]
    left: list[int]
    right: list[int]
    value: list[float]


@dataclass(frozen=True)
class Scorer:
    """Log-odds: a constant, plus weights times features, plus the sum of the trees."""

    constant: float
    weights: list[float] = field(default_factory=list)
    trees: list[Tree] = field(default_factory=list)

    def score(self, features: Doubles) -> Doubles:
        """Return log-odds, shape (n_rows,), of features of shape (n_rows, n_features)."""
        found = np.full(len(features), self.constant)
        if self.weights:
            found = found + features @ np.array(self.weights)
        single = features.astype(np.float32)  # as the trees were grown
        for tree in self.trees:
            found = found + _walk(tree, single)
        return np.asarray(found)


def read_scorer(stored: Mapping[str, Any]) -> Scorer:
    """Return the scorer that `dataclasses.asdict` took apart."""
    return Scorer(float(stored["constant"]), list(stored["weights"]), [Tree(**tree) for tree in stored["trees"]])


def list_candidates() -> dict[str, Learn]:
    """Return each candidate's name and how it is learnt."""
    candidates: dict[str, Learn] = {}
    for strength in _STRENGTHS:
        candidates[f"logistic regression, C = {strength:g}"] = _logistic(strength)
    for depth, number in _TREES:
        candidates[f"{number} boosted trees of depth {depth}"] = _boosted(depth, number)
    return candidates


def _logistic(strength: float) -> Learn:
    def learn(features: Doubles, answers: Bools) -> Scorer:
        model = LogisticRegression(C=strength, max_iter=500).fit(features, answers)
        return Scorer(float(model.intercept_[0]), [float(one) for one in model.coef_[0]])

    return learn


def _boosted(depth: int, number: int) -> Learn:
    def learn(features: Doubles, answers: Bools) -> Scorer:
        step = max(1, -(-len(answers) // _MOST_ROWS))
        model = GradientBoostingClassifier(
            n_estimators=number, max_depth=depth, learning_rate=_RATE, min_samples_leaf=_LEAST_LEAF, subsample=0.7, random_state=0
        ).fit(features[::step], answers[::step])
        share = float(answers[::step].mean())
        trees = [_take_apart(one.tree_) for one in model.estimators_[:, 0]]
        return Scorer(float(np.log(share / (1 - share))), [], trees)

    return learn


def _take_apart(tree: Any) -> Tree:
    values = [_RATE * float(one) for one in tree.value[:, 0, 0]]
    return Tree(tree.feature.tolist(), tree.threshold.tolist(), tree.children_left.tolist(), tree.children_right.tolist(), values)


def _walk(tree: Tree, features: NDArray[np.float32]) -> Doubles:
    feature, threshold = np.array(tree.feature), np.array(tree.threshold)
    left, right, nodes = np.array(tree.left), np.array(tree.right), np.zeros(len(features), dtype=np.int64)
    rows = np.arange(len(features))
    while (left[nodes] >= 0).any():
        inner = left[nodes] >= 0
        goes_left = features[rows[inner], feature[nodes[inner]]] <= threshold[nodes[inner]]
        nodes[inner] = np.where(goes_left, left[nodes[inner]], right[nodes[inner]])
    return np.asarray(np.array(tree.value)[nodes])
