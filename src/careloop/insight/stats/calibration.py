"""Whether probabilities mean what they say, and how to make them: temperature, isotonic steps, reliability bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

from careloop.insight.stats.intervals import wilson_interval

Doubles = NDArray[np.float64]


class Bin(NamedTuple):
    """One bar of a reliability diagram: what was said on average, what came true, in how many rows, and its 95 % interval."""

    said: float
    true: float
    rows: int
    low: float
    high: float


def sort_into_bins(probabilities: Doubles, outcomes: NDArray[np.bool_], *, bins: int = 10) -> list[Bin]:
    """Return the reliability diagram over equally wide bins; empty bins are left out.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n_rows,), 0–1
    outcomes : ndarray of bool, shape (n_rows,)
    """
    places = np.minimum((np.asarray(probabilities) * bins).astype(np.int64), bins - 1)
    found = []
    for place in np.unique(places):
        inside = places == place
        low, high = wilson_interval(int(outcomes[inside].sum()), int(inside.sum()))
        found.append(Bin(float(probabilities[inside].mean()), float(outcomes[inside].mean()), int(inside.sum()), low, high))
    return found


def measure_calibration_error(probabilities: Doubles, outcomes: NDArray[np.bool_], *, bins: int = 10) -> float:
    """Return the expected calibration error: the mean distance between what was said and what came true, 0–1; 0 for no rows.

    References
    ----------
    Naeini, Cooper and Hauskrecht 2015, Obtaining well calibrated probabilities using Bayesian binning.
    """
    if not len(probabilities):
        return 0.0
    return float(
        sum(abs(one.said - one.true) * one.rows for one in sort_into_bins(probabilities, outcomes, bins=bins)) / len(probabilities)
    )


@dataclass(frozen=True, slots=True)
class Temperature:
    """Turns scores of several classes into probabilities by one number.

    Attributes
    ----------
    value : float
        What scores are divided by, above 0.

    References
    ----------
    Guo et al. 2017, On calibration of modern neural networks, section 4.2.
    """

    value: float

    @classmethod
    def fit(cls, scores: Doubles, classes: NDArray[np.int64]) -> Temperature:
        """Return the temperature that makes the right classes likeliest; scores have shape (n_rows, n_classes)."""
        rows = np.arange(len(classes))

        def loss(log_value: float) -> float:
            scaled = scores / np.exp(log_value)
            return float(np.mean(logsumexp(scaled, axis=1) - scaled[rows, classes]))

        return cls(float(np.exp(minimize_scalar(loss, bounds=(-8, 8), method="bounded").x)))

    def apply(self, scores: Doubles) -> Doubles:
        """Return probabilities, shape (n_rows, n_classes); rows sum to 1."""
        return np.asarray(softmax(np.asarray(scores, dtype=np.float64) / self.value, axis=1))


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A rising curve from a probability as said to one as it comes true, straight between knots.

    Attributes
    ----------
    said, true : ndarray of float64, shape (n_knots,)
        Knots, both rising, within 0–1.

    References
    ----------
    Zadrozny and Elkan 2002, Transforming classifier scores into accurate multiclass probability estimates; knots hold at least
    `least_rows` rows, so that no knot stands on a handful of them (ours).
    """

    said: Doubles
    true: Doubles

    @classmethod
    def fit(cls, probabilities: Doubles, outcomes: NDArray[np.bool_], *, least_rows: int = 50) -> Isotonic:
        """Return the curve through the means of equally large groups, made rising by pooling neighbours."""
        order = np.argsort(probabilities, kind="stable")
        groups = np.array_split(order, max(1, min(20, len(order) // least_rows)))
        blocks = [[float(probabilities[one].mean()), float(outcomes[one].mean()), float(len(one))] for one in groups if len(one)]
        pooled: list[list[float]] = []
        for block in blocks:
            pooled.append(block)
            while len(pooled) > 1 and pooled[-2][1] >= pooled[-1][1]:
                (x0, y0, n0), (x1, y1, n1) = pooled[-2], pooled.pop()
                pooled[-1] = [(x0 * n0 + x1 * n1) / (n0 + n1), (y0 * n0 + y1 * n1) / (n0 + n1), n0 + n1]
        return cls(np.array([one[0] for one in pooled]), np.array([one[1] for one in pooled]))

    def apply(self, probabilities: Doubles) -> Doubles:
        """Return probabilities as they come true, same shape; outside the knots the ends hold."""
        if not len(self.said):
            return probabilities
        return np.asarray(np.interp(probabilities, self.said, self.true))
