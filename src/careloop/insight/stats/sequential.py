"""Comparisons of two groups that may be looked at as often as one likes, and how many cases they need."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri, stdtr

from careloop.insight.errors import InputError, Sentence
from careloop.insight.stats.intervals import Moments
from careloop.insight.stats.survival import compare_survival

LEAST_N = 20  # in each group, before anything is said: the normal approximation does not hold for fewer
LENT_N = 300  # values' worth of the scatter of both groups that is lent to each: of 20 ratings all may be 5, and nothing seem to scatter
POWER = 0.8
UNPLANNED = "The planned size is not above 0; say how many cases the comparison shall reach."
BEST_RATIO = 8.205  # prior variance over variance at the planned size that makes the interval there narrowest, at 5 %


@dataclass(frozen=True)
class Look:
    """What two groups show at one moment, whichever it is and however often one looked before.

    Attributes
    ----------
    difference : float
        First minus second.
    low, high : float
        An interval that holds the true difference at all moments together with 95 % probability.
    evidence : float
        How much likelier the figures are under a difference than under none, ≥ 0; 20 or more happens by chance in at most 5 % of all
        comparisons, however often one looks.
    visible : float
        The difference that would have been shown by now with a probability of 80 %.
    n : (int, int)
    """

    difference: float
    low: float
    high: float
    evidence: float
    visible: float
    n: tuple[int, int]

    @property
    def p(self) -> float:
        """The p-value of this moment alone, which holds however the moment was chosen, 0–1."""
        return min(1.0, 1 / self.evidence) if self.evidence > 0 else 1.0


class Plan(NamedTuple):
    """How many cases in both groups together: for one look at the end, and for looking daily."""

    once: int
    daily: int


def look_at_shares(first: tuple[int, int], second: tuple[int, int], *, planned: float, alpha: float = 0.05) -> Look:
    """Return what two shares show.

    Parameters
    ----------
    first, second : (int, int)
        Successes and trials so far.
    planned : float
        Trials of both groups together at which the interval shall be narrowest; chosen before the start and kept.
    alpha : float
        Probability of ever calling a difference that is none.

    Raises
    ------
    InputError
        When the counts contradict each other or the planned size is not above 0.

    References
    ----------
    Robbins 1970, Statistical methods related to the law of the iterated logarithm; Johari, Koomen, Pekelis & Walsh 2022, Always valid
    inference; Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2024, Time-uniform central limit theory and asymptotic confidence sequences;
    one success and one failure more in each group, as Agresti & Caffo 2000, so that few or no successes do not look certain.

    Examples
    --------
    >>> look = look_at_shares((80, 100), (55, 100), planned=200)
    >>> round(look.difference, 2), look.p < 0.05
    (0.25, True)
    """
    for won, tried in (first, second):
        if not 0 <= won <= tried:
            raise InputError(f"Of {tried} trials {won} cannot have succeeded; give 0 ≤ successes ≤ trials.")
    n = first[1], second[1]
    if min(n) < LEAST_N:
        return _nothing_yet(n, planned)
    smoothed = [(won + 1) / (tried + 2) for won, tried in (first, second)]
    variance = sum(share * (1 - share) / (tried + 2) for share, tried in zip(smoothed, n, strict=True))
    difference = first[0] / n[0] - second[0] / n[1]
    return _look(difference, (smoothed[0] - smoothed[1]) / math.sqrt(variance), math.sqrt(variance), n, (_ratio(n, planned), alpha))


def look_at_means(first: Moments, second: Moments, *, planned: float, alpha: float = 0.05) -> Look:
    """Return what two averages show.

    Parameters
    ----------
    first, second : Moments
        Of the values so far.
    planned : float
        Values of both groups together at which the interval shall be narrowest; chosen before the start and kept.
    alpha : float
        Probability of ever calling a difference that is none.

    Raises
    ------
    InputError
        When the planned size is not above 0.

    References
    ----------
    As `look_at_shares`; Student's t of Welch 1947 is taken to the normal value of the same probability, for small groups. The error is
    never below what it is with `LENT_N` values of the common scatter lent to each group: ours, docs/decisions/0031.
    """
    n = first.n, second.n
    common = _common_variance(first, second) if min(n) >= LEAST_N else 0.0
    if not common:
        return _nothing_yet(n, planned)
    error, freedom = max(_error(first, second, common, lent) for lent in (0, LENT_N))
    difference = first.mean - second.mean
    statistic = abs(difference) / error
    tail = float(stdtr(freedom, -statistic))
    normal = -float(ndtri(tail)) if tail > 0 else statistic
    stretched = error * (statistic / normal if normal > 1e-9 else 1.0)  # the same place on the t scale
    return _look(difference, math.copysign(normal, difference), stretched, n, (_ratio(n, planned), alpha))


def _common_variance(first: Moments, second: Moments) -> float:
    """Return the variance of the values around the average of their own group."""
    return ((first.n - 1) * first.variance + (second.n - 1) * second.variance) / (first.n + second.n - 2)


def _error(first: Moments, second: Moments, common: float, lent: int) -> tuple[float, float]:
    """Return the difference's standard error and degrees of freedom with so many values of the common variance lent to each group."""
    weights = [one.n - 1 + lent for one in (first, second)]
    parts = [(one.variance * (one.n - 1) + common * lent) / weight / one.n for one, weight in zip((first, second), weights, strict=True)]
    return math.sqrt(sum(parts)), sum(parts) ** 2 / sum(part**2 / weight for part, weight in zip(parts, weights, strict=True))


def look_at_times(first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike], *, planned: float, alpha: float = 0.05) -> Look:
    """Return what two groups of times with open ends show.

    Parameters
    ----------
    first, second : (durations, has_ended)
        As `fit_survival` takes them, as they stand now.
    planned : float
        Endings of both groups together at which the interval shall be narrowest; chosen before the start and kept.
    alpha : float
        Probability of ever calling a difference that is none.

    Returns
    -------
    Look
        Difference, interval and what is visible are logarithms of the hazard ratio (above 0: the first end sooner), by one step from
        equality; `n` counts endings.

    Raises
    ------
    InputError
        As `fit_survival`, or when the planned size is not above 0.

    References
    ----------
    Tsiatis 1981, The asymptotic joint distribution of the efficient scores test (looked at repeatedly, the log-rank score moves like a sum
    of independent steps); Peto & Peto 1972 (the one step).
    """
    if not planned > 0:
        raise InputError(UNPLANNED)
    ended = int(np.sum(np.asarray(first[1], dtype=bool))), int(np.sum(np.asarray(second[1], dtype=bool)))
    if min(len(np.asarray(one[0])) for one in (first, second)) < LEAST_N or sum(ended) < LEAST_N:
        return Look(0.0, -math.inf, math.inf, 1.0, math.inf, ended)
    found = compare_survival([first, second])
    information = float(found.variances[0])
    if information <= 0:
        return Look(0.0, -math.inf, math.inf, 1.0, math.inf, ended)
    score = float(found.observed[0] - found.expected[0])
    ratio = BEST_RATIO * 4 * information / planned
    return _look(score / information, score / math.sqrt(information), 1 / math.sqrt(information), ended, (ratio, alpha))


def _ratio(n: tuple[int, int], planned: float) -> float:
    """Return the prior's variance over the difference's now; it grows with the information that has come in."""
    if not planned > 0:
        raise InputError(UNPLANNED)
    return BEST_RATIO * 4 / (1 / n[0] + 1 / n[1]) / planned if min(n) else 0.0


def _boundary(ratio: float, alpha: float) -> float:
    """Return how many standard errors the difference never passes by chance, with probability 1 − alpha."""
    return math.sqrt((1 + 1 / ratio) * (2 * math.log(1 / alpha) + math.log1p(ratio)))


def _nothing_yet(n: tuple[int, int], planned: float) -> Look:
    _ratio(n, planned)
    return Look(0.0, -math.inf, math.inf, 1.0, math.inf, n)


def _look(difference: float, statistic: float, error: float, n: tuple[int, int], setting: tuple[float, float]) -> Look:
    ratio, alpha = setting
    boundary = _boundary(ratio, alpha)
    log_evidence = statistic**2 * ratio / (2 * (1 + ratio)) - 0.5 * math.log1p(ratio)
    middle = statistic * error  # of shares: of those with one success and one failure more
    half = boundary * error
    visible = (boundary + float(ndtri(POWER))) * error
    evidence = math.exp(min(log_evidence, 700.0))
    return Look(difference, min(middle - half, difference), max(middle + half, difference), evidence, visible, n)


def follow_p(looks: Iterable[Look]) -> list[float]:
    """Return the p-value after each of several looks in their order: what was once shown stays shown.

    References
    ----------
    Johari, Koomen, Pekelis & Walsh 2022, Always valid inference.
    """
    found: list[float] = []
    for look in looks:
        found.append(min(look.p, found[-1]) if found else look.p)
    return found


def plan_shares(base: float, difference: float, *, held_out_ratio: float = 0.5, power: float = POWER, alpha: float = 0.05) -> Plan:
    """Return how many cases show a difference of two shares.

    Parameters
    ----------
    base : float, 0–1
        The share without what is tried.
    difference : float
        What one wants to see, up or down; base + difference lies within 0–1.
    held_out_ratio : float, 0–1
        Part of the cases that goes without.
    power : float, 0–1
        Probability of showing it.
    alpha : float
        Probability of showing a difference that is none.

    Raises
    ------
    InputError
        When a share or the held-out part is not within 0–1 or the difference is 0.

    References
    ----------
    Fleiss, Levin & Paik 2003, Statistical methods for rates and proportions, equation 4.14 without the correction of continuity.

    Examples
    --------
    >>> plan_shares(0.7, 0.1)
    Plan(once=587, daily=1124)
    """
    if not (0 <= base <= 1 and 0 <= base + difference <= 1):
        raise InputError(
            Sentence("From {base} a difference of {difference} leads out of 0–1; ask for a smaller one.", base=base, difference=difference)
        )
    parts = (1 - held_out_ratio, held_out_ratio)
    _check_plan(difference, held_out_ratio)
    shares = (base + difference, base)
    middle = parts[0] * shares[0] + parts[1] * shares[1]
    alike = math.sqrt(middle * (1 - middle) * (1 / parts[0] + 1 / parts[1]))
    apart = math.sqrt(sum(share * (1 - share) / part for share, part in zip(shares, parts, strict=True)))
    return _plan(alike, apart, difference, parts, (power, alpha))


def plan_means(spread: float, difference: float, *, held_out_ratio: float = 0.5, power: float = POWER, alpha: float = 0.05) -> Plan:
    """Return how many cases show a difference of two averages.

    Parameters
    ----------
    spread : float, > 0
        Standard deviation of the values.
    difference : float
        What one wants to see, in the same unit.
    held_out_ratio, power, alpha : float
        As `plan_shares`.

    Raises
    ------
    InputError
        When the spread is not above 0, the held-out part is not within 0–1 or the difference is 0.

    Examples
    --------
    >>> plan_means(1.0, 0.5)
    Plan(once=126, daily=241)
    """
    if not spread > 0:
        raise InputError("The spread is not above 0; give the standard deviation of the values.")
    _check_plan(difference, held_out_ratio)
    parts = (1 - held_out_ratio, held_out_ratio)
    error = spread * math.sqrt(1 / parts[0] + 1 / parts[1])
    return _plan(error, error, difference, parts, (power, alpha))


def _check_plan(difference: float, held_out_ratio: float) -> None:
    if difference == 0 or not 0 < held_out_ratio < 1:
        raise InputError("A plan needs a difference other than 0 and a held-out part between 0 and 1.")


def _plan(alike: float, apart: float, difference: float, parts: tuple[float, float], setting: tuple[float, float]) -> Plan:
    """Return sizes from the error of one case under no difference and under the wanted one."""
    power, alpha = setting
    reach = float(ndtri(power)) * apart
    once = ((-float(ndtri(alpha / 2)) * alike + reach) / difference) ** 2
    boundary = _boundary(BEST_RATIO * 4 * parts[0] * parts[1], alpha)
    daily = ((boundary * alike + reach) / difference) ** 2
    least = math.ceil(LEAST_N / min(parts))
    return Plan(max(math.ceil(once), least), max(math.ceil(daily), least))
