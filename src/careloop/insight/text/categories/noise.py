"""Labels that seem to be wrong: how many, which, and what is learnt without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from careloop.insight.text.categories.card import LEAST_NOISE
from careloop.insight.text.categories.features import Features
from careloop.insight.text.categories.ridge import fit_ridge, leave_each_out
from careloop.insight.text.ngrams import Floats

_STRENGTH, _VECTOR_WEIGHT = 0.33, 1.5  # of the ridge regression that judges rows
_ROWS_AT_ONCE = 8_000
_SURE_RATIO = 0.2  # the surest fifth tells noise from difficulty
_SHARPNESS = 5.0
_MOST_NOISE = 0.6


@dataclass(frozen=True, slots=True)
class Judgement:
    """What rows look like to models that had not seen them.

    Attributes
    ----------
    scores : ndarray of float32, shape (n_rows, n_labels)
    noise_ratio : float
        Estimated share of rows whose label is wrong at random, 0–1.
    """

    scores: Floats
    noise_ratio: float

    def margins(self, classes: NDArray[np.int64]) -> Floats:
        """Return by how much each row's own label leads the best other one, shape (n_rows,)."""
        rows = np.arange(len(classes))
        others = self.scores.copy()
        others[rows, classes] = -np.inf
        return np.asarray(self.scores[rows, classes] - others.max(axis=1), dtype=np.float32)

    def keep(self, classes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows to learn from: of every label all but its least credible share, which is the noise ratio.

        Nothing is dropped when there seems to be no noise: the worst rows of clean data are its most telling ones.
        """
        if self.noise_ratio < LEAST_NOISE:
            return np.arange(len(classes))
        margins = self.margins(classes)
        kept = []
        for place in np.unique(classes):
            rows = np.flatnonzero(classes == place)
            n_kept = max(1, round(len(rows) * (1 - self.noise_ratio)))
            kept.append(rows[np.argsort(-margins[rows], kind="stable")[:n_kept]])
        return np.sort(np.concatenate(kept))


def judge_rows(features: Features, classes: NDArray[np.int64], n_labels: int, *, seed: int) -> Judgement:
    """Return what every row looks like to a model fitted without it; many rows are judged in parts."""
    targets = 2 * np.eye(n_labels, dtype=np.float32)[classes] - 1
    order = np.random.default_rng(seed).permutation(len(classes))
    scores, crossed = np.empty_like(targets), np.empty_like(targets)
    for part in np.array_split(order, -(-len(order) // _ROWS_AT_ONCE)):
        scores[part] = leave_each_out(features.pick(part), targets[part], strength=_STRENGTH, vector_weight=_VECTOR_WEIGHT)
        for one, other in ((part[::2], part[1::2]), (part[1::2], part[::2])):
            model = fit_ridge(features.pick(one), targets[one], strength=_STRENGTH, vector_weight=_VECTOR_WEIGHT)
            crossed[other] = model.score(features.pick(other))
    return Judgement(scores, estimate_noise(crossed, classes))


def estimate_noise(scores: Floats, classes: NDArray[np.int64]) -> float:
    """Return the share of labels that seem to be drawn at random, 0–0.6.

    Among the surest fifth of rows, a model's disagreement with the label is noise rather than difficulty, if the label stands anywhere in
    the model's ranking instead of right behind the first. So the estimate is the disagreement there, but at most 4/3 of what the far half
    of the ranking bears out, counted twice for the half that is not looked at. The scores must be of models learnt on other rows
    altogether: with each row left out by itself, the surest rows would be the wrong ones, whose own label is missing against them.

    References
    ----------
    The far half: Storey 2002, A direct approach to false discovery rates, equation 8; the rest is ours, docs/decisions/0015-categories.md.
    """
    n_rows, n_labels = scores.shape
    if n_rows < 50 or n_labels < 4:
        return 0.0  # with three labels the second of the ranking is in the far half
    shares = np.bincount(classes, minlength=n_labels) / n_rows
    order = np.argsort(-scores, axis=1, kind="stable")
    ranks = (order == classes[:, None]).argmax(axis=1)
    before = np.where(ranks > 0, np.cumsum(shares[order], axis=1)[np.arange(n_rows), np.maximum(ranks - 1, 0)], 0)
    sure = np.argsort(-softmax(_SHARPNESS * scores, axis=1).max(axis=1), kind="stable")[: max(20, int(n_rows * _SURE_RATIO))]
    disagreement = float((ranks[sure] > 0).mean())
    far = 2 * float((before[sure] > 0.5).mean())
    return min(disagreement, 4 / 3 * far, _MOST_NOISE)
