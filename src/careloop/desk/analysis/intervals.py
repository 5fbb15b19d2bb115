"""Intervals for rates and averages on pages, in plain Python: a page that shows one number need not load SciPy."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, sqrt

Z95 = 1.959963984540054  # 97.5 % quantile of the normal distribution


@dataclass(frozen=True)
class Rate:
    """`hits` of `n`, with the share and its 95 % interval (all 0–1); share and interval are None when n is 0."""

    hits: int
    n: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Mean:
    """The average of `n` values with its 95 % interval; None where n is too small to say (0 for the average, 1 for the interval)."""

    n: int
    average: float | None
    low: float | None
    high: float | None


def rate_of(hits: int, n: int) -> Rate:
    """The share of hits with Wilson's score interval.

    References
    ----------
    Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22, 209–212.
    """
    if n == 0:
        return Rate(hits, n, None, None, None)
    share = hits / n
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    return Rate(hits, n, share, max(0.0, centre - half), min(1.0, centre + half))


def mean_of(counted: Iterable[tuple[float, int]], *, lowest: float = -inf, highest: float = inf) -> Mean:
    """The average of values that occur a number of times each, with Student's interval cut to the range of possible values."""
    pairs = [(value, count) for value, count in counted if count]
    n = sum(count for _value, count in pairs)
    if n == 0:
        return Mean(0, None, None, None)
    average = sum(value * count for value, count in pairs) / n
    if n == 1:
        return Mean(1, average, None, None)
    variance = sum(count * (value - average) ** 2 for value, count in pairs) / (n - 1)
    half = student_quantile(n - 1) * sqrt(variance / n)
    return Mean(n, average, max(lowest, average - half), min(highest, average + half))


def student_quantile(freedom: int) -> float:
    """The 97.5 % quantile of Student's t; error below 0.003.

    References
    ----------
    Abramowitz & Stegun (1964), Handbook of Mathematical Functions, 26.7.5 (Cornish–Fisher expansion); the first four are tabled there.
    """
    tabled = {1: 12.7062, 2: 4.3027, 3: 3.1824, 4: 2.7764}
    if freedom in tabled:
        return tabled[freedom]
    z, v = Z95, freedom
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / v + second / v**2 + third / v**3
