"""Do groups differ, and which ones: analyses of variance, all pairs, ranks, shares. By how much: `effect_sizes`.

All but the ranks need a group's moments only, so that a database can add them up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc, fdtrc
from scipy.stats import rankdata, studentized_range

from careloop.insight.errors import InputError, Sentence
from careloop.insight.stats.intervals import Moments, welch_freedom

LARGEST_FREEDOM = 10_000.0  # beyond it the studentized range no longer moves


class Difference(NamedTuple):
    """A test that groups are alike.

    Attributes
    ----------
    statistic : float
        F, or chi-squared for ranks; infinite when groups differ and nothing varies within them.
    freedom : (float, float)
        Degrees of freedom between and within the groups; within is infinite for ranks.
    p : float
        Probability of such a statistic if they are alike, 0–1.
    """

    statistic: float
    freedom: tuple[float, float]
    p: float


class PairDifference(NamedTuple):
    """Two of several groups: the first's mean minus the second's, with interval and p-value put right for all pairs."""

    first: int
    second: int
    difference: float
    low: float
    high: float
    p: float


def check_groups(groups: Sequence[Moments], least: int) -> None:
    """Refuse fewer than two groups, and one with fewer than `least` values (InputError)."""
    small = [one.n for one in groups if one.n < least]
    if len(groups) < 2 or small:
        raise InputError(
            Sentence(
                "{groups} groups, the smallest of {smallest}, cannot be compared; at least two groups of {least} or more are needed.",
                groups=len(groups),
                smallest=min((one.n for one in groups), default=0),
                least=least,
            )
        )


def sums_of_squares(groups: Sequence[Moments]) -> tuple[float, float, int, int]:
    """Return sums of squares between and within groups, and their degrees of freedom."""
    n = sum(one.n for one in groups)
    middle = sum(one.total for one in groups) / n
    between = sum(one.n * (one.mean - middle) ** 2 for one in groups)
    within = sum(one.variance * (one.n - 1) for one in groups if one.n > 1)
    return between, within, len(groups) - 1, n - len(groups)


def _judge_f(statistic: float, freedom: int, rest: float) -> Difference:
    return Difference(statistic, (freedom, rest), float(fdtrc(freedom, rest, statistic)))


def _judge_chi_squared(statistic: float, freedom: int) -> Difference:
    return Difference(statistic, (freedom, math.inf), float(chdtrc(freedom, statistic)))


def compare_means(groups: Sequence[Moments]) -> Difference:
    """Return the analysis of variance of groups whose values scatter alike.

    Parameters
    ----------
    groups : sequence of Moments

    Raises
    ------
    InputError
        When there are fewer than two groups, an empty one, or no group with two values.

    References
    ----------
    Fisher 1925, Statistical methods for research workers, chapter 7.

    Examples
    --------
    >>> found = compare_means([Moments.of([1, 2, 3]), Moments.of([3, 4, 5])])
    >>> round(found.statistic, 6), found.freedom, round(found.p, 4)
    (6.0, (1, 4), 0.0705)
    """
    check_groups(groups, 1)
    between, within, freedom, rest = sums_of_squares(groups)
    if rest < 1:
        raise InputError("Every group holds a single value; how they scatter is not known. Collect more before comparing.")
    if within == 0:
        return Difference(0.0, (freedom, rest), 1.0) if between <= 1e-12 else Difference(math.inf, (freedom, rest), 0.0)
    statistic = between / freedom / (within / rest)
    return _judge_f(statistic, freedom, rest)


def compare_means_unequal(groups: Sequence[Moments]) -> Difference:
    """Return the analysis of variance of groups that may scatter differently.

    Parameters
    ----------
    groups : sequence of Moments

    Raises
    ------
    InputError
        When a group has fewer than two values or one that does not vary at all.

    References
    ----------
    Welch 1951, On the comparison of several mean values: an alternative approach.
    """
    check_groups(groups, 2)
    if any(one.variance == 0 for one in groups):
        raise InputError("All values of one group are the same; its scatter is not known. Compare shares or ranks instead.")
    weights = np.array([one.n / one.variance for one in groups])
    means, freedoms = np.array([one.mean for one in groups]), np.array([one.n - 1 for one in groups])
    total, count = weights.sum(), len(groups)
    middle = (weights * means).sum() / total
    away = float((np.square(1 - weights / total) / freedoms).sum())
    statistic = float((weights * np.square(means - middle)).sum() / (count - 1))
    statistic /= 1 + 2 * (count - 2) / (count**2 - 1) * away
    rest = (count**2 - 1) / (3 * away)
    return _judge_f(statistic, count - 1, rest)


def compare_pairs(groups: Sequence[Moments], *, equal_scatter: bool = False, confidence: float = 0.95) -> list[PairDifference]:
    """Return every pair's difference, put right for the number of pairs: Games–Howell's, or Tukey's when they scatter alike.

    Parameters
    ----------
    groups : sequence of Moments
    equal_scatter : bool
        True takes one variance for all (Tukey–Kramer).
    confidence : float, 0–1
        That all intervals hold at once.

    Raises
    ------
    InputError
        When a group has fewer than two values.

    References
    ----------
    Tukey 1949, Comparing individual means in the analysis of variance; Kramer 1956; Games & Howell 1976, Pairwise multiple comparison
    procedures with unequal n's and/or variances.
    """
    check_groups(groups, 2)
    _, within, _, rest = sums_of_squares(groups)
    common = (within / rest, min(float(rest), LARGEST_FREEDOM))
    found = []
    critical: dict[float, float] = {}
    for first, second in combinations(range(len(groups)), 2):
        one, other = groups[first], groups[second]
        if equal_scatter:
            spread, freedom = common[0] * (1 / one.n + 1 / other.n), common[1]
        else:
            spread = one.variance / one.n + other.variance / other.n
            freedom = min(welch_freedom(one, other), LARGEST_FREEDOM)
        gap = one.mean - other.mean
        if spread == 0:
            found.append(PairDifference(first, second, gap, -math.inf, math.inf, 1.0))
            continue
        if freedom not in critical:
            critical[freedom] = float(studentized_range.ppf(confidence, len(groups), freedom))
        half = critical[freedom] * math.sqrt(spread / 2)
        p = float(studentized_range.sf(abs(gap) / math.sqrt(spread / 2), len(groups), freedom))
        found.append(PairDifference(first, second, gap, gap - half, gap + half, min(max(p, 0.0), 1.0)))
    return found


def compare_ranks(groups: Sequence[ArrayLike]) -> Difference:
    """Return the test by ranks, for scores that are only an order; ties count as their middle rank.

    Parameters
    ----------
    groups : sequence of array_like, each of shape (n_values,)

    Raises
    ------
    InputError
        When there are fewer than two groups or an empty one.

    References
    ----------
    Kruskal & Wallis 1952, Use of ranks in one-criterion variance analysis.
    """
    values = [np.asarray(group, dtype=np.float64) for group in groups]
    check_groups([Moments.of(one) for one in values], 1)
    ranks = rankdata(np.concatenate(values))
    n = len(ranks)
    parts = np.split(ranks, np.cumsum([len(one) for one in values])[:-1])
    _, tied = np.unique(ranks, return_counts=True)
    same = 1 - float((tied**3 - tied).sum()) / (n**3 - n) if n > 1 else 0.0
    freedom = len(values) - 1
    if same == 0:
        return Difference(0.0, (freedom, math.inf), 1.0)
    statistic = (12 / (n * (n + 1)) * sum(float(part.sum()) ** 2 / len(part) for part in parts) - 3 * (n + 1)) / same
    return _judge_chi_squared(statistic, freedom)


def compare_shares(groups: Sequence[tuple[float, float]]) -> Difference:
    """Return the chi-squared test that groups have the same share.

    Parameters
    ----------
    groups : sequence of (float, float)
        Successes and trials of each.

    Raises
    ------
    InputError
        When there are fewer than two groups or one in which nothing was tried.

    References
    ----------
    Pearson 1900, On the criterion that a given system of deviations … can be reasonably supposed to have arisen from random sampling.

    Examples
    --------
    >>> found = compare_shares([(30, 40), (20, 40)])
    >>> round(found.statistic, 4), round(found.p, 4)
    (5.3333, 0.0209)
    """
    check_groups([Moments(int(tried), won, won) for won, tried in groups], 1)
    won, tried = (np.array(column, dtype=np.float64) for column in zip(*groups, strict=True))
    share, freedom = won.sum() / tried.sum(), len(groups) - 1
    if share in {0.0, 1.0}:
        return Difference(0.0, (freedom, math.inf), 1.0)
    statistic = float((np.square(won - tried * share) / (tried * share * (1 - share))).sum())
    return _judge_chi_squared(statistic, freedom)


def compare_with_plan(counts: Sequence[int], ratios: Sequence[float]) -> Difference:
    """Return the chi-squared test that groups are as large as they were to be; a very small p-value means that assigning went wrong.

    Parameters
    ----------
    counts : sequence of int, length n_groups
    ratios : sequence of float, length n_groups
        Planned parts, adding up to 1.

    Raises
    ------
    InputError
        When there are fewer than two groups or the parts are not positive.

    References
    ----------
    Fabijan et al. 2019, Diagnosing sample ratio mismatch in online controlled experiments.
    """
    if len(counts) != len(ratios) or len(counts) < 2 or min(ratios) <= 0:
        raise InputError("Counts and planned parts do not fit together; give a part above 0 for each of at least two groups.")
    expected = np.array(ratios) / sum(ratios) * sum(counts)
    statistic = float((np.square(np.array(counts) - expected) / expected).sum()) if sum(counts) else 0.0
    return _judge_chi_squared(statistic, len(counts) - 1)
