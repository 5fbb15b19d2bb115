"""Chances of counts and shares under a forecast: how far off a value is, and what its steps do to limits.

A count or a share moves in steps. Its deviation is that of the middle of its step (mid-p), which scatters less than a normal one and seldom
hits a limit exactly; how much so follows from the forecast and is given to the chart, which evens it out.

References
----------
Lancaster 1961, Significance tests in discrete distributions (mid-p). Klugman, Panjer & Willmot 2012, Loss models (the distributions).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaln, gammaln, ndtr, ndtri, xlogy

Doubles = NDArray[np.float64]

_FINE_COUNT = 400.0  # from which expected count on steps do not matter: 0.05 standard deviations
_LEAST_SD = 0.3
_TINY = 1e-300


class Steps(NamedTuple):
    """What steps do to the deviations of periods.

    Attributes
    ----------
    mean, sd : ndarray of float64, shape (n_periods,)
        Of a quiet deviation; 0 and 1 without steps.
    used : ndarray of float64, shape (n_periods,)
        Chance of a deviation beyond the limit by that of a normal one; 1 without steps.
    """

    mean: Doubles
    sd: Doubles
    used: Doubles


def deviate_shares(values: Doubles, totals: Doubles, means: Doubles, spreads: Doubles) -> Doubles:
    """Return the normal deviations of beta-binomial numbers `values` out of `totals`; a spread is the correlation within a period."""
    laws = zip(values, totals, means, spreads, strict=True)
    return np.array([_middles(beta_binomial(total, mean, spread))[int(value)] for value, total, mean, spread in laws])


def deviate_counts(values: Doubles, means: Doubles, spreads: Doubles) -> Doubles:
    """Return the normal deviations of negative binomial counts with variances mean + spread · mean²."""
    size, chance = 1 / spreads, 1 / (1 + spreads * means)
    up_to, before = betainc(size, values + 1, chance), np.where(values > 0, betainc(size, np.maximum(values, 1), chance), 0)
    above = betainc(values + 1, size, 1 - chance)
    half = (up_to - before) / 2
    return _to_normal(before + half, above + half)


def steps_of_shares(totals: Doubles, means: Doubles, spreads: Doubles, limit: float) -> Steps:
    """Return what steps do to the deviations of beta-binomial numbers."""
    return _join([_measure(beta_binomial(*one), limit) for one in zip(totals, means, spreads, strict=True)])


def steps_of_counts(means: Doubles, spreads: Doubles, limit: float) -> Steps:
    """Return what steps do to the deviations of negative binomial counts."""
    found = []
    for mean, spread in zip(means, spreads, strict=True):
        if mean > _FINE_COUNT:
            found.append((0.0, 1.0, 1.0))
            continue
        counts, size = np.arange(int(mean + 12 * np.sqrt(mean + spread * mean**2)) + 12, dtype=np.float64), 1 / spread
        ways = gammaln(counts + size) - gammaln(size) - gammaln(counts + 1)
        found.append(_measure(np.exp(ways - size * np.log1p(spread * mean) + xlogy(counts, spread * mean / (1 + spread * mean))), limit))
    return _join(found)


def beta_binomial(total: float, mean: float, spread: float) -> Doubles:
    """Return the chance of each number out of `total`, shape (total + 1,)."""
    n, counts = total, np.arange(int(total) + 1, dtype=np.float64)
    ways = gammaln(n + 1) - gammaln(counts + 1) - gammaln(n - counts + 1)
    share, within = min(max(mean, 1e-6), 1 - 1e-6), min(spread, 0.9)
    if within < 1e-7:
        return np.asarray(np.exp(ways + counts * np.log(share) + (n - counts) * np.log1p(-share)))
    a, b = share * (1 / within - 1), (1 - share) * (1 / within - 1)
    return np.asarray(np.exp(ways + betaln(counts + a, n - counts + b) - betaln(a, b)))


def _measure(chances: Doubles, limit: float) -> tuple[float, float, float]:
    deviations = _middles(chances)
    mean = float(chances @ deviations)
    variance = float(chances @ deviations**2) - mean**2
    used = float(chances[np.abs(deviations) > limit].sum()) / (2 * float(ndtr(-limit)))
    return mean, max(variance, _LEAST_SD**2) ** 0.5, used


def _join(found: list[tuple[float, float, float]]) -> Steps:
    return Steps(*np.array(found, dtype=np.float64).reshape(-1, 3).T)


def _middles(chances: Doubles) -> Doubles:
    """Return the normal deviation of the middle of each step."""
    half = chances / 2
    return _to_normal(np.cumsum(chances) - half, np.cumsum(chances[::-1])[::-1] - half)


def _to_normal(below: Doubles, above: Doubles) -> Doubles:
    """Return normal deviations from the nearer tail."""
    return np.asarray(np.where(below <= above, ndtri(np.maximum(below, _TINY)), -ndtri(np.maximum(above, _TINY))))
