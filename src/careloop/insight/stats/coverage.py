"""What is gained by not answering: accuracy against the share that is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from careloop.insight.stats.intervals import wilson_interval

THRESHOLDS = (0.0, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


class ThresholdRow(NamedTuple):
    """What happens when only answers at least as likely as `threshold` are given; `accuracy` is None when none is."""

    threshold: float
    accuracy: float | None
    answered_ratio: float
    low: float
    high: float


def measure_coverage(
    probabilities: NDArray[np.float64],
    outcomes: NDArray[np.bool_],
    thresholds: Sequence[float] = THRESHOLDS,
) -> list[ThresholdRow]:
    """Return accuracy and share answered at each threshold, with the accuracy's 95 % interval.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_rows,), 0–1
    outcomes : ndarray of bool, shape (n_rows,)
        Whether the answer was right.
    thresholds : sequence of float

    References
    ----------
    El-Yaniv and Wiener 2010, On the foundations of noise-free selective classification.
    """
    table = []
    for threshold in thresholds:
        answered = probabilities >= threshold
        n_answered, n_right = int(answered.sum()), int(outcomes[answered].sum())
        low, high = wilson_interval(n_right, n_answered)
        accuracy = n_right / n_answered if n_answered else None
        table.append(ThresholdRow(float(threshold), accuracy, n_answered / max(len(probabilities), 1), low, high))
    return table


def find_threshold(probabilities: NDArray[np.float64], outcomes: NDArray[np.bool_], *, least_accuracy: float) -> float | None:
    """Return the lowest probability from which on answers reach an accuracy, or None when no group of 20 or more does.

    The accuracy is that of all answers from there on; groups of fewer than 20 rows decide nothing.
    """
    order = np.argsort(-probabilities, kind="stable")
    right = np.cumsum(outcomes[order])
    counts = np.arange(1, len(order) + 1)
    good = np.flatnonzero((right / counts >= least_accuracy) & (counts >= 20))
    return float(probabilities[order[good[-1]]]) if len(good) else None
