"""Whether customers come back: the share within some days, of those who were followed so long and of those who were not.

Whoever enters is followed until the observation ends; who has not come back until then is censored.

| rate | within the horizon after entering |
|---|---|
| retention | share who came again |
| churn | 1 − retention |
| repeat | share who came again at least twice |

References
----------
Kaplan & Meier 1958. Zou & Donner 2008 (interval of a difference).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError
from careloop.insight.stats.intervals import wilson_interval
from careloop.insight.stats.survival import fit_survival

Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]


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


def measure_rate(days: Sequence[float] | Doubles, has_come: Sequence[bool] | Flags, *, horizon_days: float) -> Rate:
    """Return the share who came within the horizon, by the product-limit curve.

    Parameters
    ----------
    days : sequence of float
        Until they came, or as long as it was observed.
    has_come : sequence of bool
    horizon_days : float
        Above 0.

    Raises
    ------
    InputError
        When the horizon is not above 0, or as `fit_survival`.
    """
    if horizon_days <= 0:
        raise InputError(f"A horizon of {horizon_days:g} days is no time to come back in; give more than 0 days.")
    times, ended = np.asarray(days, dtype=np.float64), np.asarray(has_come, dtype=bool)
    curve = fit_survival(times, ended)
    n_until = int(((times >= horizon_days) | ended).sum())
    is_known = len(times) > 0 and (float(times.max()) >= horizon_days or bool(ended.all()))
    if not is_known:
        return Rate(None, None, None, len(times), n_until)
    low, high = curve.interval(horizon_days)
    if curve.at(horizon_days) in (0.0, 1.0):  # the curve's own interval knows no scatter there
        return _of_all(curve.at(horizon_days), len(times), n_until)
    return Rate(1 - curve.at(horizon_days), 1 - high, 1 - low, len(times), n_until)


def complement(rate: Rate) -> Rate:
    """Return the share of the others: churn is what retention leaves."""
    if rate.value is None or rate.low is None or rate.high is None:
        return rate
    return Rate(1 - rate.value, 1 - rate.high, 1 - rate.low, rate.n, rate.n_until)


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
