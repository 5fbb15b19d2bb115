"""How long things take when some are not over yet: the product-limit estimate with right-censored times."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from careloop.insight.errors import InputError
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
        value, spread = float(self.survival[place]), float(self.variance_sums[place])
        if value <= 0 or value >= 1 or not np.isfinite(spread):
            return (0.0, 1.0) if value <= 0 else (value, value)
        scale = np.exp(z * np.sqrt(spread) / np.log(value))
        return float(value ** (1 / scale)), float(value**scale)


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
    steps = np.unique(times[ended])
    ordered = np.sort(times)
    at_risk = len(times) - np.searchsorted(ordered, steps, side="left")
    died = np.searchsorted(np.sort(times[ended]), steps, side="right") - np.searchsorted(np.sort(times[ended]), steps, side="left")
    with np.errstate(divide="ignore"):
        sums = np.cumsum(died / (at_risk * (at_risk - died).astype(np.float64)))
    survival = np.asarray(np.cumprod(1 - died / at_risk), dtype=np.float64)
    return SurvivalCurve(steps, survival, sums, len(times), int(ended.sum()))
