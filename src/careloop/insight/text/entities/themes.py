"""What a text speaks of as a whole: for every type the probability that it has such an entity, from its characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.entities.annotations import AnnotatedText

_FOLDS = 5
_BUCKETS = 1 << 16
_STRENGTH = 2e-6  # of the penalty


@dataclass(frozen=True, slots=True)
class Themes:
    """Linear models on character n-grams (1–3), one a type.

    Attributes
    ----------
    types : tuple of str, length n_types
    rarity : ndarray of float32, shape (n_buckets,)
    weights : ndarray of float32, shape (n_buckets, n_types)
    biases : ndarray of float32, shape (n_types,)
    """

    types: tuple[str, ...]
    rarity: NDArray[np.float32]
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]

    def read(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the probability that a text has an entity of a type, shape (n_texts, n_types)."""
        if not texts:
            return np.zeros((0, len(self.types)), dtype=np.float32)
        return _to_probabilities(np.asarray(_count(texts, self.rarity) @ self.weights) + self.biases)


def learn_themes(rows: Sequence[AnnotatedText], *, seed: int) -> tuple[Themes, NDArray[np.float32]]:
    """Return the models, and for every row the probabilities by models that did not see it (five folds)."""
    from sklearn.linear_model import SGDClassifier

    types = tuple(sorted({span.type for row in rows for span in row.spans}))
    texts = [row.text for row in rows]
    counts = _count(texts, np.ones(_BUCKETS, dtype=np.float32), is_scaled=False)
    rarity = np.log((1 + len(rows)) / (1 + np.bincount(counts.indices, minlength=_BUCKETS))).astype(np.float32) + 1
    features = _count(texts, rarity)
    present = np.array([[any(span.type == name for span in row.spans) for name in types] for row in rows])
    folds = np.random.default_rng(seed).permutation(len(rows)) % _FOLDS
    weights = np.zeros((_BUCKETS, len(types)), dtype=np.float32)
    biases = np.zeros(len(types), dtype=np.float32)
    seen_by_others = np.zeros((len(rows), len(types)), dtype=np.float32)
    for column in range(len(types)):
        for fold in range(_FOLDS):
            rest, held = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            if len(np.unique(present[rest, column])) < 2:  # every text has the type, or none: its share says all
                bias = np.float32(3.0 if present[rest, column].any() else -3.0)
                biases[column] += bias / _FOLDS
                seen_by_others[held, column] = bias
                continue
            model = SGDClassifier(loss="log_loss", alpha=_STRENGTH, max_iter=12, tol=None, random_state=seed, average=True)
            model.fit(features[rest], present[rest, column])
            weights[:, column] += model.coef_[0].astype(np.float32) / _FOLDS
            biases[column] += np.float32(model.intercept_[0] / _FOLDS)
            if len(held):
                seen_by_others[held, column] = model.decision_function(features[held])
    return Themes(types, rarity, weights, biases), _to_probabilities(seen_by_others)


def _to_probabilities(logits: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), dtype=np.float32)


def _count(texts: Sequence[str], rarity: NDArray[np.float32], *, is_scaled: bool = True) -> Any:
    """Return scaled counts of n-grams, shape (n_texts, n_buckets), sparse, rows of length 1."""
    from sklearn.preprocessing import normalize

    counts = _hasher().transform(texts)
    if not is_scaled:
        return counts
    counts.data = (1 + np.log(counts.data)) * rarity[counts.indices]
    return normalize(counts, copy=False)


@cache
def _hasher() -> Any:
    from sklearn.feature_extraction.text import HashingVectorizer

    return HashingVectorizer(analyzer="char", ngram_range=(1, 3), n_features=_BUCKETS, alternate_sign=False, norm=None, dtype=np.float32)
