"""Whether probabilities mean what they say, and how to make them: temperature, isotonic steps, reliability bins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

from careloop.insight.stats.intervals import wilson_interval

Doubles = NDArray[np.float64]
_SIZES = 40  # of the error that are tried


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


class CalibrationError(NamedTuple):
    """How far probabilities are from what came true, beyond what chance makes of so few rows.

    Attributes
    ----------
    observed : float
        Expected calibration error over the bins, 0–1; never 0 by chance, even where every probability is right.
    by_chance : float
        What it would be on average if every probability were right.
    corrected : float
        The error at which chance gives the observed one on average; 0 where chance alone gives more.
    low, high : float
        95 % interval of the error: outside it, chance gives one as small, or as large, as the observed in fewer than one of 40.
    """

    observed: float
    by_chance: float
    corrected: float
    low: float
    high: float


def judge_calibration(bins: Sequence[Bin], *, draws: int = 1_000, seed: int = 0) -> CalibrationError:
    """Return the expected calibration error of a reliability diagram with its interval, put right for chance.

    Parameters
    ----------
    bins : sequence of Bin
        At least one.
    draws : int
        Drawn diagrams at each of 40 sizes of the error.
    seed : int

    References
    ----------
    Bröcker 2012, Estimating reliability and resolution of probability forecasts (the error is too high by chance); Kumar, Liang & Ma 2019,
    Verified uncertainty calibration. Here the correction turns the expectation around (Gouriéroux, Monfort & Renault 1993, Indirect
    inference), along the pattern that was seen; bins as sure as chance count with the width of chance.
    """
    said, true, rows = (np.array(column, dtype=np.float64) for column in list(zip(*bins, strict=True))[:3])
    parts, gaps = rows / rows.sum(), true - said
    width = np.sqrt(np.maximum(said * (1 - said), 1e-9) / rows)
    observed = float(parts @ np.abs(gaps))
    pattern = np.where(gaps < 0, -1.0, 1.0) * np.maximum(np.abs(gaps), width)
    pattern /= parts @ np.abs(pattern)
    generator = np.random.default_rng(seed)
    errors = np.linspace(0.0, 3 * max(observed, float(parts @ width)), _SIZES)
    drawn = np.empty((_SIZES, draws))
    for place, error in enumerate(errors):
        counts = generator.multinomial(int(rows.sum()), parts, draws)
        true_ratios = generator.binomial(counts, np.clip(said + error * pattern, 0.0, 1.0)) / np.maximum(counts, 1)
        drawn[place] = (np.abs(true_ratios - said) * counts).sum(axis=1) / rows.sum()
    lows, highs = (np.maximum.accumulate(one) for one in np.quantile(drawn, [0.025, 0.975], axis=1))
    means = np.maximum.accumulate(drawn.mean(axis=1))
    low, corrected, high = (float(np.interp(observed, reached, errors)) for reached in (highs, means, lows))
    return CalibrationError(observed, float(means[0]), corrected, min(low, corrected), max(high, corrected))


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
