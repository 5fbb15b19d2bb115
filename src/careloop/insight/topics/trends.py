"""Topics over time: counts a day or week, and which topics (or words) are emerging, with a bounded rate of false alarms.

A period's count of a topic is compared with what its earlier share foretells. Days with the same share still differ by more than chance
(campaigns, weekends), so the foretelling is a beta-binomial whose overdispersion is
estimated from the earlier periods: a topic’s own or that of all topics together, whichever is greater. The p values of all topics
of a period go through Holm's step-down procedure: the probability of any false alarm in a period is at most the rate asked for.

References
----------
Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6, 1979.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln
from scipy.stats import betabinom, binom

Period: TypeAlias = Literal["day", "week"]
Counts: TypeAlias = NDArray[np.int64]

FALSE_ALARM_RATE = 0.01  # of any alarm in a period in which nothing changed
_LEAST_HISTORY = 4  # periods
_LEAST_COUNT = 3  # texts; two of a kind are no topic
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
    likelihoods = np.array([_weigh_dispersions(before[:, topic], totals, shares[topic]) for topic in range(len(shares))])
    together = _choose_dispersion(likelihoods.sum(axis=0))
    dispersions = [max(together, _choose_dispersion(own)) for own in likelihoods]
    p_values = np.array(
        [_foretell(share, one, int(totals.sum()), (int(n), total)) for share, one, n in zip(shares, dispersions, now, strict=True)]
    )
    adjusted = adjust_holm(p_values)
    found = [
        Emerging(topic, int(now[topic]), float(shares[topic] * total), float(adjusted[topic]))
        for topic in range(len(adjusted))
        if adjusted[topic] <= rate and now[topic] >= _LEAST_COUNT
    ]
    return sorted(found, key=lambda one: (one.p_value, -one.count))


def adjust_holm(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the p values adjusted for their number, in their order, 0–1."""
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    adjusted = np.empty_like(stepped)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _foretell(share: float, dispersion: float, n_before: int, now: tuple[int, int]) -> float:
    """Return the probability of at least now[0] texts of now[1].

    The share is itself uncertain: the history adds to the dispersion as much as a sample of its size leaves open.
    """
    count, total = now
    weight = 1 / (dispersion + 1 / (n_before + 2)) - 1
    return float(betabinom.sf(count - 1, total, share * weight, (1 - share) * weight)) if total else 1.0


def _choose_dispersion(likelihoods: NDArray[np.float64]) -> float:
    """Return the largest dispersion that the history still bears out: within half a unit of the greatest log-likelihood."""
    return float(_DISPERSIONS[np.flatnonzero(likelihoods >= likelihoods.max() - 0.5)[-1]])


def _weigh_dispersions(counts: Counts, totals: Counts, share: float) -> NDArray[np.float64]:
    """Return the log-likelihood of a topic's history under each dispersion (intra-period correlation, 0–0.3)."""
    used = totals > 0
    n, x = totals[used].astype(np.float64), counts[used].astype(np.float64)
    spread = _DISPERSIONS[1:, None]
    a, b = share * (1 / spread - 1), (1 - share) * (1 / spread - 1)
    choose = gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)
    spreading = (choose + betaln(x + a, n - x + b) - betaln(a, b)).sum(axis=1)
    return np.concatenate([[binom.logpmf(x, n, share).sum()], spreading])


def _start(moment: datetime | date, period: Period) -> date:
    day = moment.date() if isinstance(moment, datetime) else moment
    return day - timedelta(days=day.weekday()) if period == "week" else day
