"""How large a difference is: effect sizes of means and shares with their 95 % intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from scipy.optimize import brentq
from scipy.special import ncfdtr

from careloop.insight.errors import InputError
from careloop.insight.stats.comparison import check_groups, compare_means, sums_of_squares
from careloop.insight.stats.intervals import Z_95, Moments


class Effect(NamedTuple):
    """An effect size with its 95 % interval."""

    value: float
    low: float
    high: float


def eta_squared(groups: Sequence[Moments]) -> Effect:
    """Return the share of all scatter that lies between the groups, 0–1.

    Parameters
    ----------
    groups : sequence of Moments

    Raises
    ------
    InputError
        As `compare_means`.

    References
    ----------
    Cohen 1988, Statistical power analysis, chapter 8; interval by inverting the noncentral F: Steiger 2004, Beyond the F test.
    """
    test = compare_means(groups)
    between, within, _, _ = sums_of_squares(groups)
    (freedom, rest), n = test.freedom, sum(one.n for one in groups)
    if within == 0:
        value = 0.0 if test.statistic == 0 else 1.0
        return Effect(value, 0.0, 1.0)

    def reached(noncentrality: float) -> float:
        return float(ncfdtr(freedom, rest, noncentrality, test.statistic))

    low, high = (_invert(reached, chance, 0.0) for chance in (0.975, 0.025))
    value = between / (between + within)  # too high by chance: groups closer than chance makes them get an interval below it
    return Effect(value, min(low / (low + n), value), max(high / (high + n), value))


def omega_squared(groups: Sequence[Moments]) -> float:
    """Return the share of all scatter that lies between the groups without what chance alone puts there, 0–1.

    Parameters
    ----------
    groups : sequence of Moments

    Raises
    ------
    InputError
        As `compare_means`.

    References
    ----------
    Hays 1963, Statistics for psychologists, section 12.18.

    Examples
    --------
    >>> round(omega_squared([Moments.of([1, 2, 3]), Moments.of([3, 4, 5])]), 4)
    0.4545
    """
    compare_means(groups)  # refuses what cannot be compared
    between, within, freedom, rest = sums_of_squares(groups)
    chance = within / rest
    whole = between + within + chance
    return max(0.0, (between - freedom * chance) / whole) if whole > 0 else 0.0


def _invert(reached: Callable[[float], float], chance: float, least: float) -> float:
    """Return where a falling function crosses `chance`; `least` when it starts below."""
    if reached(least) <= chance:
        return least
    width = 1.0
    while reached(least + width) > chance and width < 1e9:
        width *= 2
    return float(brentq(lambda place: reached(place) - chance, least, least + width, xtol=1e-10))


def hedges_g(first: Moments, second: Moments) -> Effect:
    """Return the difference of two means in units of their common scatter, put right for few values.

    Parameters
    ----------
    first, second : Moments

    Returns
    -------
    Effect
        0.2 is small, 0.5 middling, 0.8 large by Cohen's rule of thumb; 0 and infinite ends when nothing varies.

    Raises
    ------
    InputError
        When a group has fewer than two values.

    References
    ----------
    Hedges 1981, Distribution theory for Glass's estimator of effect size; the variance of its approximately unbiased form.
    """
    check_groups([first, second], 2)
    freedom = first.n + second.n - 2
    pooled = ((first.n - 1) * first.variance + (second.n - 1) * second.variance) / freedom
    if pooled == 0:
        return Effect(0.0, -math.inf, math.inf)
    total = first.n + second.n
    value = (first.mean - second.mean) / math.sqrt(pooled) * (1 - 3 / (4 * total - 9))
    half = Z_95 * math.sqrt(total / (first.n * second.n) + value * value / (2 * (total - 3.94)))
    return Effect(value, value - half, value + half)


def cohens_h(first: tuple[float, float], second: tuple[float, float]) -> Effect:
    """Return the difference of two shares on the arcsine scale, on which a point counts alike everywhere.

    Parameters
    ----------
    first, second : (float, float)
        Successes and trials.

    Raises
    ------
    InputError
        When nothing was tried.

    References
    ----------
    Cohen 1988, Statistical power analysis, chapter 6: 0.2 is small, 0.5 middling, 0.8 large.

    Examples
    --------
    >>> found = cohens_h((30, 40), (20, 40))
    >>> round(found.value, 4), round(found.low, 4), round(found.high, 4)
    (0.5236, 0.0853, 0.9619)
    """
    if not first[1] or not second[1]:
        raise InputError("A share of nothing was given; both groups need at least one trial.")
    value = 2 * math.asin(math.sqrt(first[0] / first[1])) - 2 * math.asin(math.sqrt(second[0] / second[1]))
    half = Z_95 * math.sqrt(1 / first[1] + 1 / second[1])
    return Effect(value, max(-math.pi, value - half), min(math.pi, value + half))
