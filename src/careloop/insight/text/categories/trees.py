"""Decision trees and forests as plain arrays: grown by scikit-learn, kept and read without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.categories.features import Features
from careloop.insight.text.ngrams import Floats

_MOST_NGRAMS = 400  # that trees may ask about; picked by how unevenly they are spread over the labels
_FOREST_TREES = 100
_LEAST_SHARE = 1e-3  # of a label in a leaf, so that no label is impossible


@dataclass(frozen=True, slots=True)
class ForestModel:
    """One tree or many.

    Attributes
    ----------
    ngrams : ndarray of int64, shape (n_picked,)
        Columns of the n-grams that trees ask about; the dense features come behind them.
    roots : ndarray of int32, shape (n_trees,)
    left, right : ndarray of int32, shape (n_nodes,)
        Next node when the feature is at most the threshold, or above it; −1 at a leaf.
    asked : ndarray of int32, shape (n_nodes,)
        The feature asked about.
    limits : ndarray of float32, shape (n_nodes,)
    shares : ndarray of float32, shape (n_leaves, n_labels)
    leaves : ndarray of int32, shape (n_nodes,)
        Row of `shares`, −1 when not a leaf.
    """

    ngrams: NDArray[np.int64]
    roots: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    asked: NDArray[np.int32]
    limits: Floats
    shares: Floats
    leaves: NDArray[np.int32]

    def score(self, features: Features) -> Floats:
        """Return log-probabilities, shape (n_texts, n_labels)."""
        values = _join(features, self.ngrams)
        total = np.zeros((len(values), self.shares.shape[1]), dtype=np.float32)
        rows = np.arange(len(values))
        for root in self.roots:
            nodes = np.full(len(values), root, dtype=np.int32)
            while (walking := self.left[nodes] >= 0).any():
                goes_left = values[rows, self.asked[nodes]] <= self.limits[nodes]
                nodes = np.where(walking, np.where(goes_left, self.left[nodes], self.right[nodes]), nodes)
            total += self.shares[self.leaves[nodes]]
        return np.asarray(np.log(total / len(self.roots) + np.float32(_LEAST_SHARE)), dtype=np.float32)


def fit_forest(
    features: Features, classes: NDArray[np.int64], n_labels: int, *, strength: float, is_forest: bool, seed: int
) -> ForestModel:
    """Return a tree, or a forest of 100; `strength` is one over the smallest number of rows in a leaf."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree import DecisionTreeClassifier

    ngrams = _pick_ngrams(features, classes, n_labels)
    values = _join(features, ngrams)
    least_rows = max(1, round(1 / strength))
    if is_forest:
        grown = RandomForestClassifier(_FOREST_TREES, min_samples_leaf=least_rows, random_state=seed).fit(values, classes)
        trees = [one.tree_ for one in grown.estimators_]
    else:
        grown = DecisionTreeClassifier(min_samples_leaf=least_rows, random_state=seed).fit(values, classes)
        trees = [grown.tree_]
    return _flatten(trees, ngrams, grown.classes_, n_labels)


def _join(features: Features, ngrams: NDArray[np.int64]) -> Floats:
    return np.hstack([np.asarray(features.sparse[:, ngrams].todense(), dtype=np.float32), features.dense])


def _pick_ngrams(features: Features, classes: NDArray[np.int64], n_labels: int) -> NDArray[np.int64]:
    """Return the columns whose weight is spread over the labels least like the rows are (chi-squared)."""
    members = np.eye(n_labels, dtype=np.float32)[classes]
    observed = np.asarray(features.sparse.T @ members)
    expected = observed.sum(axis=1, keepdims=True) * members.mean(axis=0)
    spread = ((observed - expected) ** 2 / np.maximum(expected, 1e-9)).sum(axis=1)
    return np.sort(np.argsort(-spread, kind="stable")[:_MOST_NGRAMS]).astype(np.int64)


def _flatten(trees: list[Any], ngrams: NDArray[np.int64], present: NDArray[np.int64], n_labels: int) -> ForestModel:
    sizes = [tree.node_count for tree in trees]
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)

    def join(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(tree, name) for tree in trees])

    shift = np.repeat(roots, sizes)
    left, right = (np.where(join(name) >= 0, join(name) + shift, -1).astype(np.int32) for name in ("children_left", "children_right"))
    is_leaf = left < 0
    values = np.concatenate([tree.value[:, 0, :][tree.children_left < 0] for tree in trees])
    shares = np.zeros((len(values), n_labels), dtype=np.float32)
    shares[:, present] = values / values.sum(axis=1, keepdims=True)
    leaves = np.where(is_leaf, np.cumsum(is_leaf) - 1, -1).astype(np.int32)
    asked = np.maximum(join("feature"), 0).astype(np.int32)
    return ForestModel(ngrams, roots, left, right, asked, join("threshold").astype(np.float32), shares, leaves)
