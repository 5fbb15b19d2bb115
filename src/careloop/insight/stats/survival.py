"""How long things take when some are not over yet: the product-limit estimate with right-censored times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc

from careloop.insight.errors import InputError, Sentence
from careloop.insight.stats.intervals import Z_95

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class SurvivalCurve:
    """The estimated probability that something takes longer than a time, as steps.

    Attributes
    ----------
    times : ndarray, shape (n_steps,)
        The different times at which something ended, ascending, in the unit that was given.
    survival : ndarray, shape (n_steps,)
        Probability (0–1) of taking longer than each of them.
    variance_sums : ndarray, shape (n_steps,)
        Greenwood's sums Σ d / (n · (n − d)) up to each time; infinite where nothing is left.
    n, n_ended : int
        How many were observed, and how many of them ended.

    References
    ----------
    Kaplan & Meier 1958, Nonparametric estimation from incomplete observations; Greenwood 1926, The natural duration of cancer.
    """

    times: Doubles
    survival: Doubles
    variance_sums: Doubles
    n: int
    n_ended: int

    def at(self, time: float) -> float:
        """Return the probability of taking longer than `time`."""
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        return 1.0 if place < 0 else float(self.survival[place])

    def quantile(self, share: float) -> float | None:
        """Return the first time by which at least `share` (0–1) have ended; None when the observations do not reach it."""
        reached = np.flatnonzero(self.survival <= 1 - share + 1e-12)
        return float(self.times[reached[0]]) if len(reached) else None

    def interval(self, time: float, *, z: float = Z_95) -> tuple[float, float]:
        """Return an interval of the probability of taking longer than `time` (log-log scale, so that it stays within 0–1)."""
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        if place < 0:
            return (1.0, 1.0) if self.n else (0.0, 1.0)
        lows, highs = self.bounds(z=z)
        return float(lows[place]), float(highs[place])

    def bounds(self, *, z: float = Z_95) -> tuple[Doubles, Doubles]:
        """Return lower and upper ends of the intervals at all steps, each of shape (n_steps,); (0, 1) where nothing is left."""
        left = (self.survival > 0) & np.isfinite(self.variance_sums)
        values = np.where(left, self.survival, 0.5)
        scale = np.exp(z * np.sqrt(np.where(left, self.variance_sums, 0.0)) / np.log(values))
        return np.where(left, values ** (1 / scale), 0.0), np.where(left, values**scale, 1.0)

    def restricted_mean(self, horizon: float, *, z: float = Z_95) -> tuple[float, float, float]:
        """Return the average time up to a horizon, what takes longer counting as the horizon, with its interval.

        Parameters
        ----------
        horizon : float, > 0
            In the curve's unit, not beyond what was observed: there the curve is only carried on.

        Returns
        -------
        (float, float, float)
            Mean, lower and upper end; within 0 and the horizon.

        References
        ----------
        Royston & Parmar 2013, Restricted mean survival time, section 2; Greenwood's variance of the area.
        """
        inside = self.times < horizon
        edges = np.concatenate(([0.0], self.times[inside], [horizon]))
        pieces = np.diff(edges) * np.concatenate(([1.0], self.survival[inside]))
        area = float(pieces.sum())
        later = pieces.sum() - np.cumsum(pieces)[:-1]
        sums = np.where(later > 0, self.variance_sums[inside], 0.0)
        steps = np.diff(np.concatenate(([0.0], sums)))
        half = z * float(np.sqrt((np.square(later) * np.maximum(steps, 0.0)).sum()))
        return area, max(0.0, area - half), min(horizon, area + half)


def fit_survival(durations: ArrayLike, has_ended: ArrayLike) -> SurvivalCurve:
    """Return the product-limit estimate.

    Parameters
    ----------
    durations : array_like, shape (n,)
        How long each was observed, ≥ 0.
    has_ended : array_like of bool, shape (n,)
        Whether it had ended then; False is censored, that is: it takes longer than it was observed.

    Raises
    ------
    InputError
        When the shapes differ or a duration is negative or not finite.

    Examples
    --------
    >>> curve = fit_survival([1, 2, 2, 3], [True, True, False, True])
    >>> curve.at(2)
    0.5
    """
    times, ended = np.asarray(durations, dtype=np.float64), np.asarray(has_ended, dtype=bool)
    if times.shape != ended.shape or times.ndim != 1:
        raise InputError(f"{times.shape} durations and {ended.shape} endings were given; expected one of each for every observation.")
    if len(times) and (not np.isfinite(times).all() or times.min() < 0):
        raise InputError("A duration is negative or not finite; durations are observed times of at least 0.")
    steps, died = np.unique(times[ended], return_counts=True)
    at_risk = len(times) - np.searchsorted(np.sort(times), steps, side="left")
    with np.errstate(divide="ignore"):
        sums = np.cumsum(died / (at_risk * (at_risk - died).astype(np.float64)))
    survival = np.asarray(np.cumprod(1 - died / at_risk), dtype=np.float64)
    return SurvivalCurve(steps, survival, sums, len(times), int(ended.sum()))


@dataclass(frozen=True)
class SurvivalComparison:
    """Whether groups take equally long.

    Attributes
    ----------
    statistic : float
        Chi-squared, ≥ 0.
    freedom : int
        Degrees of freedom: groups that had anything to compare, less one.
    p : float
        Probability of such a statistic if they do, 0–1.
    observed, expected : ndarray, shape (n_groups,)
        How many ended in each group, and how many would have if all groups were alike.
    variances : ndarray, shape (n_groups,)
        Of observed minus expected, if all groups were alike.
    """

    statistic: float
    freedom: int
    p: float
    observed: Doubles
    expected: Doubles
    variances: Doubles


def compare_survival(groups: Sequence[tuple[ArrayLike, ArrayLike]]) -> SurvivalComparison:
    """Return the log-rank test of two or more groups.

    Parameters
    ----------
    groups : sequence of (durations, has_ended)
        As for `fit_survival`, one pair a group.

    Raises
    ------
    InputError
        When fewer than two groups hold anything or nothing has ended.

    References
    ----------
    Mantel 1966, Evaluation of survival data; Peto & Peto 1972, Asymptotically efficient rank invariant test procedures.

    Examples
    --------
    >>> found = compare_survival([([1, 2, 3], [True, True, True]), ([4, 5, 6], [True, True, True])])
    >>> round(found.p, 4), found.freedom
    (0.0246, 1)
    """
    curves = [fit_survival(*group) for group in groups]  # checks every group
    times = np.concatenate([np.asarray(one, dtype=np.float64) for one, _ in groups]) if groups else np.empty(0)
    ended = np.concatenate([np.asarray(one, dtype=bool) for _, one in groups]) if groups else np.empty(0, dtype=bool)
    if sum(curve.n > 0 for curve in curves) < 2 or not ended.any():
        raise InputError(
            Sentence(
                "{groups} groups with {ended} endings were given; at least two groups and one ending are needed to compare them.",
                groups=sum(curve.n > 0 for curve in curves),
                ended=int(ended.sum()),
            )
        )
    steps = np.unique(times[ended])
    at_risk, died = np.zeros((len(groups), len(steps))), np.zeros((len(groups), len(steps)))
    for row, (durations, over) in enumerate(groups):
        own, own_ended = np.asarray(durations, dtype=np.float64), np.asarray(over, dtype=bool)
        at_risk[row] = len(own) - np.searchsorted(np.sort(own), steps, side="left")
        died[row] = np.bincount(np.searchsorted(steps, own[own_ended]), minlength=len(steps))
    all_risk, all_died = at_risk.sum(axis=0), died.sum(axis=0)
    shares = at_risk / all_risk
    expected, observed = np.asarray((all_died * shares).sum(axis=1)), np.asarray(died.sum(axis=1))
    spread = all_died * (all_risk - all_died) / np.maximum(all_risk - 1, 1)
    covariance = np.diag((spread * shares).sum(axis=1)) - (spread * shares) @ shares.T
    compared = np.flatnonzero(expected > 0)
    kept, gap = compared[:-1], (observed - expected)[compared[:-1]]
    statistic = float(gap @ np.linalg.lstsq(covariance[np.ix_(kept, kept)], gap, rcond=None)[0]) if len(kept) else 0.0
    freedom = max(len(kept), 1)
    return SurvivalComparison(
        max(statistic, 0.0), freedom, float(chdtrc(freedom, max(statistic, 0.0))), observed, expected, np.diag(covariance)
    )
