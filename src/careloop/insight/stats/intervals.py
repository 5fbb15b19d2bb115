"""Intervals of proportions and of other averages."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError

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
