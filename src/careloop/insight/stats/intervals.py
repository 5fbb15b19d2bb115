"""Intervals of shares, averages, rates and medians, and of the differences of two of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import gammainc, gammaincc, gammaincinv, gammaln, ndtri, stdtrit

from careloop.insight.errors import InputError, Sentence

if TYPE_CHECKING:
    from careloop.insight.stats.survival import SurvivalCurve

Z_95 = 1.959963984540054  # standard normal quantile at 0.975


def wilson_interval(successes: float, trials: float, *, z: float = Z_95) -> tuple[float, float]:
    """Return the score interval of a proportion, within 0–1; (0, 1) when nothing was tried.

    Parameters
    ----------
    successes, trials : float
        Counts, 0 ≤ successes ≤ trials; weights need not be whole.
    z : float
        Quantile of the standard normal; the default makes a 95 % interval.

    Raises
    ------
    InputError
        When the counts contradict each other.

    References
    ----------
    Wilson 1927, Probable inference, the law of succession, and statistical inference.

    Examples
    --------
    >>> low, high = wilson_interval(8, 10)
    >>> round(low, 4), round(high, 4)
    (0.4902, 0.9433)
    """
    if not 0 <= successes <= trials:
        raise InputError(f"Of {trials} trials {successes} cannot have succeeded; give 0 ≤ successes ≤ trials.")
    if trials == 0:
        return 0.0, 1.0
    ratio, width = successes / trials, z * z / trials
    centre = (ratio + width / 2) / (1 + width)
    half = z / (1 + width) * math.sqrt(ratio * (1 - ratio) / trials + width / (4 * trials))
    return max(0.0, min(ratio, centre - half)), min(1.0, max(ratio, centre + half))  # rounding must not push the ratio out


class Moments(NamedTuple):
    """All that averages need of a group: how many values, their total, the total of their squares.

    Attributes
    ----------
    n : int
    total, total_of_squares : float
        In the values' unit and its square; what a database can add up.
    """

    n: int
    total: float
    total_of_squares: float

    @classmethod
    def of(cls, values: ArrayLike) -> Moments:
        """Return the moments of values, any shape."""
        given = np.asarray(values, dtype=np.float64)
        return cls(given.size, float(given.sum()), float((given * given).sum()))

    @property
    def mean(self) -> float:
        """The average; not a number for no values."""
        return self.total / self.n if self.n else math.nan

    @property
    def variance(self) -> float:
        """The variance with n − 1, ≥ 0, not a number for fewer than two; what rounding alone could make counts as 0."""
        if self.n < 2:
            return math.nan
        squares = self.total_of_squares - self.total * self.total / self.n
        return squares / (self.n - 1) if squares > 1e-12 * self.total_of_squares else 0.0


def mean_interval(
    n: int, total: float, total_of_squares: float, *, bounds: tuple[float, float] | None = None, confidence: float = 0.95
) -> tuple[float, float]:
    """Return the t interval of an average.

    Parameters
    ----------
    n : int
        Number of values.
    total, total_of_squares : float
        Their sum and the sum of their squares.
    bounds : (float, float) or None
        Between which every value lies, such as (1, 5) for ratings. The interval stays within them; and when all values are the same,
        their share of others may still be as high as its score interval says (a t interval would have no width).
    confidence : float, 0–1

    Returns
    -------
    (float, float)
        (−∞, ∞), or the bounds, for fewer than two values without bounds.

    References
    ----------
    Student 1908, The probable error of a mean; the widening for equal values is ours (decision 0031).

    Examples
    --------
    >>> low, high = mean_interval(4, 16, 66)
    >>> round(low, 3), round(high, 3)
    (2.701, 5.299)
    """
    moments = Moments(n, total, total_of_squares)
    lowest, highest = bounds or (-math.inf, math.inf)
    if n < 1 or (n < 2 and bounds is None):
        return lowest, highest
    mean = moments.mean
    if bounds is not None and (n < 2 or moments.variance == 0):
        other = wilson_interval(0, n, z=float(ndtri((1 + confidence) / 2)))[1]
        return mean - other * (mean - lowest), mean + other * (highest - mean)
    half = float(stdtrit(n - 1, (1 + confidence) / 2)) * math.sqrt(moments.variance / n)
    return max(lowest, mean - half), min(highest, mean + half)


def rate_interval(events: int, exposure: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of a rate: events per unit of exposure, from the exact Poisson probabilities with half weight on the own count.

    Parameters
    ----------
    events : int, ≥ 0
    exposure : float, > 0
        In which the events were counted: days, hours, cases.
    confidence : float, 0–1

    Raises
    ------
    InputError
        When the count is negative or the exposure is not above 0.

    References
    ----------
    Garwood 1936, Fiducial limits for the Poisson distribution; Cohen & Yang 1994, Mid-P confidence intervals for the Poisson expectation:
    without the half weight the interval of few events covers 97–99 % instead of 95 %.

    Examples
    --------
    >>> low, high = rate_interval(5, 10)
    >>> round(low, 4), round(high, 4)
    (0.1832, 1.1082)
    """
    if events < 0 or not exposure > 0:
        raise InputError(
            Sentence(
                "{events} events in {exposure} cannot be; give at least 0 events and an exposure above 0.", events=events, exposure=exposure
            )
        )
    tail = (1 - confidence) / 2

    def own(rate: float) -> float:
        return 0.5 * math.exp(events * math.log(rate) - rate - float(gammaln(events + 1)))

    low, high = 0.0, -math.log(2 * tail)
    if events:
        start, end = float(gammaincinv(events, tail)), float(gammaincinv(events + 1, 1 - tail))
        low = brentq(lambda rate: float(gammainc(events + 1, rate)) + own(rate) - tail, start, events + 1e-9)
        high = brentq(lambda rate: float(gammaincc(events + 1, rate)) - own(rate) - tail, events, end)
    return float(low) / exposure, float(high) / exposure


def difference_of_shares(first: tuple[float, float], second: tuple[float, float], *, z: float = Z_95) -> tuple[float, float]:
    """Return the interval of the first share minus the second, within −1–1.

    Parameters
    ----------
    first, second : (float, float)
        Successes and trials of two independent groups.
    z : float
        Quantile of the standard normal; the default makes a 95 % interval.

    Returns
    -------
    (float, float)
        (−1, 1) when in one of them nothing was tried.

    Raises
    ------
    InputError
        When the counts contradict each other.

    References
    ----------
    Newcombe 1998, Interval estimation for the difference between independent proportions, method 10.

    Examples
    --------
    >>> low, high = difference_of_shares((56, 70), (48, 80))
    >>> round(low, 4), round(high, 4)
    (0.0524, 0.3339)
    """
    (low1, high1), (low2, high2) = wilson_interval(*first, z=z), wilson_interval(*second, z=z)
    if not first[1] or not second[1]:
        return -1.0, 1.0
    ratio1, ratio2 = first[0] / first[1], second[0] / second[1]
    down = math.hypot(ratio1 - low1, high2 - ratio2)
    up = math.hypot(high1 - ratio1, ratio2 - low2)
    return ratio1 - ratio2 - down, ratio1 - ratio2 + up


def welch_freedom(first: Moments, second: Moments) -> float:
    """Return the degrees of freedom of the difference of two means whose variances differ; 0 when neither varies.

    References
    ----------
    Welch 1947, The generalization of Student's problem when several different population variances are involved.
    """
    parts = [(one.variance / one.n, one.n - 1) for one in (first, second)]
    total = sum(part for part, _ in parts)
    return total**2 / sum(part**2 / freedom for part, freedom in parts) if total > 0 else 0.0


def difference_of_means(first: Moments, second: Moments, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the interval of the first mean minus the second, the variances not taken as equal.

    Parameters
    ----------
    first, second : Moments
    confidence : float, 0–1

    Returns
    -------
    (float, float)
        (−∞, ∞) when one group has fewer than two values or neither varies: how far chance carries is then not known.

    References
    ----------
    Welch 1947, The generalization of Student's problem when several different population variances are involved.
    """
    if first.n < 2 or second.n < 2:
        return -math.inf, math.inf
    freedom = welch_freedom(first, second)
    if not freedom:
        return -math.inf, math.inf
    half = float(stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(first.variance / first.n + second.variance / second.n)
    middle = first.mean - second.mean
    return middle - half, middle + half


def median_interval(curve: SurvivalCurve, *, share: float = 0.5, z: float = Z_95) -> tuple[float | None, float | None]:
    """Return the interval of the time by which half (or another share) have ended: where the curve's own interval holds that share.

    Parameters
    ----------
    curve : SurvivalCurve
    share : float, 0–1
        0.5 is the median, 0.9 the time that one in ten exceeds.
    z : float
        Quantile of the standard normal; the default makes a 95 % interval.

    Returns
    -------
    (float or None, float or None)
        In the curve's unit; None where the observations do not reach: the end is later than all that was seen.

    References
    ----------
    Brookmeyer & Crowley 1982, A confidence interval for the median survival time, with log-log limits of the curve.
    """
    lows, highs = curve.bounds(z=z)
    ends = []
    for limits in (lows, highs):
        reached = np.flatnonzero(limits <= 1 - share + 1e-12)
        ends.append(float(curve.times[reached[0]]) if len(reached) else None)
    return ends[0], ends[1]


def bootstrap_interval(
    statistic: Callable[[NDArray[np.int64]], float], n_rows: int, *, draws: int = 200, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic of rows drawn with replacement.

    Parameters
    ----------
    statistic : callable
        Takes row numbers, shape (n_rows,), some of them repeated; returns the figure.
    n_rows : int
    draws : int
    seed : int

    References
    ----------
    Efron and Tibshirani 1993, An introduction to the bootstrap, chapter 13.
    """
    generator = np.random.default_rng(seed)
    found = [statistic(generator.integers(0, n_rows, n_rows)) for _ in range(draws)]
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)
