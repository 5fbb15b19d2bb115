"""Rows without a label that help where few have one: what models are surest of is learnt as if people had labelled it.

Nothing is decided here: whether they help is tried in trials.py, on labelled rows that took no part.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from careloop.insight.text.categories.features import Features
from careloop.insight.text.categories.ridge import fit_ridge
from careloop.insight.text.encoder import Vectors
from careloop.insight.text.ngrams import Floats

MOST_LABELLED_ROWS = 2_000  # from here on labels say more than guesses
MOST_ROWS = 3_000  # without a label
LEAST_ROWS = 50
SHARES = (0.5, 0.65, 0.8)  # of what is guessed to have a label, learnt in each round
_STRENGTH, _VECTOR_WEIGHT, _SHARPNESS = 2.0, 2.5, 8.0  # of the ridge regression that guesses


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """Texts without a label; `vectors` has shape (n_texts, n_dimensions), or is None without an encoder."""

    texts: list[str]
    vectors: Vectors | None


def choose_texts(texts: list[str], *, n_labelled: int, seed: int) -> list[str]:
    """Return the texts that may help: different ones, a random 3,000 of many; none when they are few or 2,000 rows have a label."""
    different = list(dict.fromkeys(texts))
    if len(different) < LEAST_ROWS or n_labelled > MOST_LABELLED_ROWS:
        return []
    return [different[place] for place in np.sort(np.random.default_rng(seed).permutation(len(different))[:MOST_ROWS])]


def guess(features: Features, classes: NDArray[np.int64], asked: Features, n_labels: int) -> Floats:
    """Return how likely each label is for the texts asked about, shape (n_asked, n_labels), in the eyes of a ridge regression."""
    targets = 2 * np.eye(n_labels, dtype=np.float32)[classes] - 1
    model = fit_ridge(features, targets, strength=_STRENGTH, vector_weight=_VECTOR_WEIGHT)
    return np.asarray(softmax(_SHARPNESS * model.score(asked), axis=1), dtype=np.float32)


def pick_surest(guesses: Floats, share: float) -> NDArray[np.int64]:
    """Return the rows to believe: of each label the surest share of the rows that it leads, at least one; sorted.

    References
    ----------
    Taking as many of each label as were guessed: Zou et al. 2018, Unsupervised domain adaptation for semantic segmentation via
    class-balanced self-training.
    """
    found, surest = guesses.argmax(axis=1), guesses.max(axis=1)
    believed = []
    for place in np.unique(found):
        rows = np.flatnonzero(found == place)
        believed.append(rows[np.argsort(-surest[rows], kind="stable")[: max(1, int(share * len(rows)))]])
    return np.sort(np.concatenate(believed)) if believed else np.zeros(0, dtype=np.int64)
