"""Whether customers come back: repeat, retention and churn rates after a complaint, compared with customers who did not complain.

A customer enters at the first complaint, not at the first purchase (or the time that was survived without complaint would count as loyalty
after it). Customers without a complaint enter at a day drawn from the days on which complaints were first made, among those on which they
were customers. Those whom the observation ends for are censored.

| rate | within the horizon after entering |
|---|---|
| retention | share who bought again |
| churn | 1 − retention |
| repeat | share who bought again at least twice |

References
----------
Suissa 2008, Immortal time bias in pharmacoepidemiology. Kaplan & Meier 1958. Zou & Donner 2008 (interval of a difference).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError
from careloop.insight.stats.intervals import wilson_interval
from careloop.insight.stats.survival import fit_survival

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Buyer:
    """A customer's history, in days from any origin.

    Attributes
    ----------
    purchases : tuple of float
        When, in any order; at least one.
    complained_at : float or None
        The first complaint.
    remedy : str
        What the first complaint was made good with; empty for nothing.
    """

    purchases: tuple[float, ...]
    complained_at: float | None = None
    remedy: str = ""


class Followed(NamedTuple):
    """A customer from entering on.

    Attributes
    ----------
    number : int
        Place among the customers given.
    entered_at : float
        Day.
    has_complained : bool
    remedy : str
    days : tuple of (float, float)
        Days until the first and until the second purchase after entering, or as long as it was observed.
    has_bought : tuple of (bool, bool)
        Whether they were made.
    """

    number: int
    entered_at: float
    has_complained: bool
    remedy: str
    days: tuple[float, float]
    has_bought: tuple[bool, bool]


class Rate(NamedTuple):
    """A share with its 95 % interval, 0–1; None when nobody was followed so long; of `n` customers `n_until` were."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_until: int


class RateDifference(NamedTuple):
    """First rate minus second with its 95 % interval; None when either is not known. `is_shown` when the interval leaves 0 out."""

    value: float | None
    low: float | None
    high: float | None
    is_shown: bool


def follow(buyers: Sequence[Buyer], *, until: float, seed: int = 0) -> list[Followed]:
    """Return the customers from entering on; left out are those who bought nothing before they entered.

    Parameters
    ----------
    buyers : sequence of Buyer
    until : float
        Day on which observation ends.
    seed : int
        Of the days drawn for customers without a complaint.

    Raises
    ------
    InputError
        When a customer has no purchase or a day is not finite.
    """
    for buyer in buyers:
        days = (*buyer.purchases, buyer.complained_at or 0.0)
        if not buyer.purchases or not all(math.isfinite(one) for one in days):
            raise InputError("A customer has no purchase or a day that is not finite; leave such customers out.")
    first_days = np.array(
        sorted(one.complained_at for one in buyers if one.complained_at is not None and min(one.purchases) <= one.complained_at < until)
    )
    chances = np.random.default_rng(seed).random(len(buyers))
    found = []
    for number, buyer in enumerate(buyers):
        has_complained = buyer.complained_at is not None and buyer.complained_at < until
        entered_at = buyer.complained_at if has_complained else _draw_day(first_days, min(buyer.purchases), until, float(chances[number]))
        if entered_at is not None and min(buyer.purchases) <= entered_at < until:
            found.append(_follow_one(number, buyer, entered_at, until))
    return found


def measure_rate(days: Sequence[float], has_bought: Sequence[bool], *, horizon_days: float) -> Rate:
    """Return the share who bought within the horizon, by the product-limit curve.

    Parameters
    ----------
    days : sequence of float
        Until the purchase, or as long as it was observed.
    has_bought : sequence of bool
    horizon_days : float
        Above 0.

    Raises
    ------
    InputError
        When the horizon is not above 0, or as `fit_survival`.
    """
    if horizon_days <= 0:
        raise InputError(f"A horizon of {horizon_days:g} days is no time to come back in; give more than 0 days.")
    times, ended = np.asarray(days, dtype=np.float64), np.asarray(has_bought, dtype=bool)
    curve = fit_survival(times, ended)
    n_until = int(((times >= horizon_days) | ended).sum())
    is_known = len(times) > 0 and (float(times.max()) >= horizon_days or bool(ended.all()))
    if not is_known:
        return Rate(None, None, None, len(times), n_until)
    low, high = curve.interval(horizon_days)
    if curve.at(horizon_days) in (0.0, 1.0):  # the curve's own interval knows no scatter there
        return _of_all(curve.at(horizon_days), len(times), n_until)
    return Rate(1 - curve.at(horizon_days), 1 - high, 1 - low, len(times), n_until)


def measure_retention(followed: Sequence[Followed], *, horizon_days: float) -> Rate:
    """Return the share who bought again within the horizon."""
    return measure_rate([one.days[0] for one in followed], [one.has_bought[0] for one in followed], horizon_days=horizon_days)


def measure_repeat(followed: Sequence[Followed], *, horizon_days: float) -> Rate:
    """Return the share who bought again at least twice within the horizon."""
    return measure_rate([one.days[1] for one in followed], [one.has_bought[1] for one in followed], horizon_days=horizon_days)


def measure_churn(followed: Sequence[Followed], *, horizon_days: float) -> Rate:
    """Return the share who did not buy again within the horizon."""
    kept = measure_retention(followed, horizon_days=horizon_days)
    if kept.value is None or kept.low is None or kept.high is None:
        return kept
    return Rate(1 - kept.value, 1 - kept.high, 1 - kept.low, kept.n, kept.n_until)


def subtract(first: Rate, second: Rate) -> RateDifference:
    """Return the first rate minus the second; the interval joins the two intervals' sides (MOVER)."""
    if first.value is None or second.value is None or first.low is None or second.low is None or first.high is None or second.high is None:
        return RateDifference(None, None, None, False)
    value = first.value - second.value
    low = value - math.hypot(first.value - first.low, second.high - second.value)
    high = value + math.hypot(first.high - first.value, second.value - second.low)
    return RateDifference(value, low, high, low > 0 or high < 0)


def _of_all(survival: float, n: int, n_until: int) -> Rate:
    low, high = wilson_interval((1 - survival) * n_until, n_until)
    return Rate(1 - survival, low, high, n, n_until)


def _draw_day(days: Doubles, first_purchase: float, until: float, chance: float) -> float | None:
    """Return one of the days from the first purchase on; None when there is none."""
    place = int(np.searchsorted(days, first_purchase, side="left"))
    left = days[place:]
    if not len(left) or first_purchase >= until:
        return None
    return float(left[min(int(chance * len(left)), len(left) - 1)])


def _follow_one(number: int, buyer: Buyer, entered_at: float, until: float) -> Followed:
    has_complained = buyer.complained_at is not None and buyer.complained_at <= entered_at
    later = sorted(one for one in buyer.purchases if one > entered_at and one <= until)
    days = [(later[place] if place < len(later) else until) - entered_at for place in range(2)]
    return Followed(
        number,
        entered_at,
        has_complained,
        buyer.remedy if has_complained else "",
        (days[0], days[1]),
        (len(later) > 0, len(later) > 1),
    )
