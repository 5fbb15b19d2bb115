"""Topics over time: counts a day or week, and which topics (or words) are emerging, with a bounded rate of false alarms.

A period's count of a topic is compared with what its earlier share foretells. Days with the same share still differ by more than chance
(campaigns, weekends), so the foretelling is a mixture of beta-binomials: each overdispersion counts as much as the earlier periods bear it
out. Those of the topic alone and those of all topics together give a p value each, and the greater is taken. The p values of all topics
of a period go through Holm's step-down procedure. How often quiet periods still alarm is measured by `topics.false_alarms`.

References
----------
Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979.
Gelman et al., "Bayesian Data Analysis", 3rd edition, 2013, section 1.3 (posterior predictive distribution).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln

Period: TypeAlias = Literal["day", "week"]
Counts: TypeAlias = NDArray[np.int64]

FALSE_ALARM_RATE = 0.01  # of any alarm in a period in which nothing changed; measured: `topics.false_alarms`
_LEAST_HISTORY = 4  # periods
_LEAST_COUNT = 3  # texts; two of a kind are no topic
_LARGEST_SPREAD = 0.9
_LEAST_WEIGHT = 1e-5  # of a dispersion that is looked at
_DISPERSIONS = np.concatenate([[0.0], np.geomspace(1e-4, 0.3, 40)])


@dataclass(frozen=True)
class Trend:
    """Counts over time.

    Attributes
    ----------
    periods : tuple of date, length n_periods
        First day of each, without gaps.
    counts : array of int, shape (n_periods, n_topics)
    totals : array of int, shape (n_periods,)
        All texts, those without a topic included.
    """

    periods: tuple[date, ...]
    counts: Counts
    totals: Counts


@dataclass(frozen=True)
class Emerging:
    """A topic that is more frequent in a period than its history explains.

    Attributes
    ----------
    topic : int
    count, expected : int, float
        Texts in the period, and the number foretold by the earlier share.
    p_value : float
        Adjusted for the number of topics looked at (Holm), 0–1.
    """

    topic: int
    count: int
    expected: float
    p_value: float


def count_over_time(labels: NDArray[np.int64], times: Sequence[datetime | date], *, n_topics: int, period: Period = "week") -> Trend:
    """Return the counts of each topic in each day or week (weeks begin on Monday)."""
    starts = [_start(one, period) for one in times]
    if not starts:
        empty = np.zeros((0, n_topics), dtype=np.int64)
        return Trend((), empty, empty[:, 0] if n_topics else np.zeros(0, dtype=np.int64))
    step = timedelta(days=7 if period == "week" else 1)
    first, n_periods = min(starts), (max(starts) - min(starts)) // step + 1
    places = np.array([(one - first) // step for one in starts])
    counts = np.zeros((n_periods, n_topics), dtype=np.int64)
    told = labels >= 0
    np.add.at(counts, (places[told], labels[told]), 1)
    return Trend(tuple(first + step * n for n in range(n_periods)), counts, np.bincount(places, minlength=n_periods).astype(np.int64))


def find_emerging(trend: Trend, *, rate: float = FALSE_ALARM_RATE) -> list[Emerging]:
    """Return the topics that are emerging in the last period, surest first; none when there are fewer than four periods before it."""
    if len(trend.periods) <= _LEAST_HISTORY:
        return []
    before, totals = trend.counts[:-1], trend.totals[:-1]
    now, total = trend.counts[-1], int(trend.totals[-1])
    shares = (before.sum(axis=0) + 0.5) / (totals.sum() + 1)
    expected = shares * total
    suspects = np.flatnonzero((now >= _LEAST_COUNT) & (now > expected + np.sqrt(expected)))  # the others have p values near 0.1 and above
    if not len(suspects):
        return []
    likelihoods = _weigh_dispersions(before, totals, shares)
    together = _bear_out(likelihoods.sum(axis=1))
    p_values = np.ones(len(shares))
    for topic in suspects:
        weights = np.vstack([together, _bear_out(likelihoods[:, topic])])
        borne_out = weights.max(axis=0) > _LEAST_WEIGHT
        tails = _foretell(shares[topic], _DISPERSIONS[borne_out], totals, (int(now[topic]), total))
        p_values[topic] = (weights[:, borne_out] @ tails).max()
    adjusted = adjust_holm(p_values)
    found = [
        Emerging(topic, int(now[topic]), float(expected[topic]), float(adjusted[topic]))
        for topic in suspects.tolist()
        if adjusted[topic] <= rate
    ]
    return sorted(found, key=lambda one: (one.p_value, -one.count))


def adjust_holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the p values adjusted for their number, in their order, 0–1."""
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _foretell(share: float, dispersions: NDArray[np.float64], before: Counts, now: tuple[int, int]) -> NDArray[np.float64]:
    """Return the probability of at least now[0] texts of now[1] under each dispersion, shape (n_dispersions,).

    The share is itself uncertain: as much as a sample of the history's size leaves open, and as much as its few periods varied.
    """
    count, total = now
    n_before = float(before.sum())
    n_periods = n_before**2 / max(float((before.astype(np.float64) ** 2).sum()), 1.0)  # as many of equal size
    spread = np.minimum(dispersions * (1 + 1 / n_periods) + 1 / (n_before + 2), _LARGEST_SPREAD)[:, None]
    a, b = share * (1 / spread - 1), (1 - share) * (1 / spread - 1)
    fewer = np.arange(count, dtype=np.float64)
    logs = _choose(float(total), fewer) + betaln(fewer + a, total - fewer + b) - betaln(a, b)
    return np.asarray(np.clip(1 - np.exp(logs).sum(axis=1), 0, 1))


def _bear_out(likelihoods: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how much the history bears out each dispersion, shape (41,), sum 1: its likelihood, nothing else being known."""
    weights = np.exp(likelihoods - likelihoods.max())
    return np.asarray(weights / weights.sum())


def _weigh_dispersions(counts: Counts, totals: Counts, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log-likelihood of each topic's history under each dispersion (intra-period correlation), shape (41, n_topics)."""
    n, x = totals[totals > 0, None].astype(np.float64), counts[totals > 0].astype(np.float64)
    spread = _DISPERSIONS[1:, None, None]
    a, b = shares * (1 / spread - 1), (1 - shares) * (1 / spread - 1)
    ways = _choose(n, x)
    chance = (ways + x * np.log(shares) + (n - x) * np.log1p(-shares)).sum(axis=0)
    return np.vstack([chance, (ways + betaln(x + a, n - x + b) - betaln(a, b)).sum(axis=1)])


def _choose(n: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of the number of ways to choose x of n."""
    return np.asarray(gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1))


def _start(moment: datetime | date, period: Period) -> date:
    day = moment.date() if isinstance(moment, datetime) else moment
    return day - timedelta(days=day.weekday()) if period == "week" else day
