"""Counts by the hour: whether the hours just past are far off for their hours of the week, told on the same day.

Each hour of the week is expected to be as in the eight weeks before, newer ones counting more, shrunk towards the common shape of its
weekdays and hours. Spans of 1, 2, 4 and 8 hours that end with an hour are judged by exact chances of negative binomial counts whose scatter
is that of spans of the same length; all spans share the promise. How often quiet hours alarm all the same is measured by simulation:
`python -m tests.insight.service.quiet_hours`.

References
----------
Gelman et al. 2013, Bayesian data analysis, section 2.6 (gamma priors of counts). Klugman, Panjer & Willmot 2012, Loss models.
Glaz, Naus & Wallenstein 2001, Scan statistics (spans of several lengths). The sharing is Bonferroni's, for expected numbers.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc
from scipy.stats import nbinom

from careloop.insight.errors import InputError

Doubles = NDArray[np.float64]

HOURS_A_QUARTER = 91 * 24
SPANS = (1, 2, 4, 8)  # hours
LEAST_WEEKS = 4
WEEKS_LEARNT = 8
WEEK = 168
_GAP = 24  # hours before the judged ones that nothing is learnt from: a change shall not hide in them
_HALF_LIFE = 4.0  # weeks
_LIKENESS = 10.0  # cases that the common shape is worth: hours of the week differ from it by 30 %
_CUT = 16.0  # squared standard deviations from which on an hour of the past counts no more
_SCATTERS = np.concatenate([[0.0], np.geomspace(1e-3, 2.0, 60)])
_TINY = 1e-6


@dataclass(frozen=True)
class Span:
    """Some hours in a row: how many cases came, were expected, and are the least and the most that do not alarm."""

    since: datetime
    until: datetime
    value: float
    expected: float
    low: float
    high: float

    @property
    def is_up(self) -> bool:
        """Whether more came than were expected."""
        return self.value > self.expected


@dataclass(frozen=True)
class Hour:
    """A judged hour, and the span that alarmed with it: of several the one that chance makes least often."""

    span: Span
    alarm: Span | None = None


@dataclass(frozen=True)
class Hours:
    """Counts by the hour.

    Attributes
    ----------
    starts : tuple of datetime, length n_hours
        Hour by hour without gaps, in the house's zone; the last one is over.
    values : ndarray of float64, shape (n_hours,)
        Cases that came.
    left_out : collection of date
        Days that are not as their weekday usually is: neither learnt from nor judged.
    """

    starts: tuple[datetime, ...]
    values: Doubles
    left_out: Collection[date] = ()


@dataclass(frozen=True)
class _Shape:
    """What was learnt, of how many weeks: the expectation of each hour of the week, its squared relative doubt, the scatter of spans."""

    expected: Doubles
    doubt: Doubles
    scatter: dict[int, float]
    weeks: float


@dataclass(frozen=True)
class _Sums:
    """Spans of one length, by the hour with which they end: what came, what was expected, its doubt, and whether all hours are usual."""

    values: Doubles
    expected: Doubles
    doubt: Doubles
    is_usual: NDArray[np.bool_]


def judge_hours(hours: Hours, *, judged: int, false_alarms: float) -> tuple[Hour, ...]:
    """Return the last hours, oldest first, those left out missing; none while the past is shorter than four weeks.

    Parameters
    ----------
    hours : Hours
    judged : int
        How many of the last hours are judged.
    false_alarms : float
        A quarter, while nothing changes.

    Raises
    ------
    InputError
        When there is not one value an hour, or no positive number of false alarms.
    """
    starts, values, n = hours.starts, hours.values, len(hours.starts)
    if values.shape != (n,) or false_alarms <= 0:
        raise InputError(f"{n} hours have {values.shape} values and {false_alarms:g} false alarms; give one each, and more than 0.")
    odd = set(hours.left_out)
    cells = np.array([one.weekday() * 24 + one.hour for one in starts], dtype=np.int64)
    is_usual = np.array([one.date() not in odd for one in starts], dtype=bool)
    end, begun = n - judged - _GAP, int(np.argmax(values > 0)) if (values > 0).any() else n
    if end - begun < LEAST_WEEKS * WEEK:
        return ()
    past = np.arange(max(begun, end - WEEKS_LEARNT * WEEK), end)
    shape = _learn(cells[past], values[past], is_usual[past])
    spans = {length: _judge(shape, _add_up(shape, cells, values, is_usual, length), length) for length in SPANS}
    chance = false_alarms / HOURS_A_QUARTER / len(SPANS) / 2  # of too many, and of too few, in a span of each length
    places = np.arange(n - judged, n)[is_usual[n - judged :]]
    single = _describe(starts, spans[1][0], places, (1, chance))
    found = []
    for at, span in zip(places, single, strict=True):
        seldom, length = min((float(spans[length][1][at]), length) for length in SPANS)
        alarm = _describe(starts, spans[length][0], np.array([at]), (length, chance))[0] if seldom < chance else None
        found.append(Hour(span, alarm))
    return tuple(found)


def _learn(cells: NDArray[np.int64], values: Doubles, is_usual: NDArray[np.bool_]) -> _Shape:
    """Return the shape of a week; hours that were far off are cut to four standard deviations, and the shape is learnt once more."""
    counted = np.asarray(0.5 ** (np.arange(len(cells))[::-1] / WEEK / _HALF_LIFE) * is_usual, dtype=np.float64)
    times, weeks = np.bincount(cells, counted, WEEK).astype(np.float64), float(counted.sum() ** 2 / (counted**2).sum()) / WEEK
    cut = values
    for _round in range(2):
        came = np.bincount(cells, counted * cut, WEEK).astype(np.float64)
        common = _spread_out(came.reshape(7, 24), times.reshape(7, 24)).ravel()
        expected = (came + _LIKENESS) / (times + _LIKENESS / common)
        shape = _Shape(expected, 1 / (came + _LIKENESS), {}, weeks)
        scatter = {length: _scatter(_add_up(shape, cells, values, is_usual, length), counted) for length in SPANS}
        usual = expected[cells]
        cut = np.minimum(values, usual + 1 + np.sqrt(_CUT * (usual + scatter[1] * usual**2)))
    return replace(shape, scatter=scatter)


def _spread_out(came: Doubles, times: Doubles) -> Doubles:
    """Return the hours of a week, shape (7, 24), as if days of work had one common shape and those of the weekend another."""
    common = np.empty((7, 24))
    for days in (slice(0, 5), slice(5, 7)):
        usual = (came[days].sum() + 0.5) / max(times[days].sum() / 24, _TINY)  # a day
        hours = came[days].sum(axis=0) + 0.5
        rates = (came[days].sum(axis=1) + 0.5 * usual) / (times[days].mean(axis=1) + 0.5)
        common[days] = np.maximum(rates[:, None] * (hours / hours.sum())[None, :], _TINY)
    return common


def _add_up(shape: _Shape, cells: NDArray[np.int64], values: Doubles, is_usual: NDArray[np.bool_], length: int) -> _Sums:
    expected = shape.expected[cells]
    squares: Doubles = expected * expected * shape.doubt[cells]
    doubt = _last(squares, length) / _last(expected, length) ** 2
    return _Sums(_last(values, length), _last(expected, length), doubt, _last(is_usual.astype(np.float64), length) > length - 0.5)


def _last(values: Doubles, length: int) -> Doubles:
    """Return the sum of each value and those before it, `length` together; the first ones have fewer."""
    sums = np.concatenate([np.zeros(length), np.cumsum(values)])
    return np.asarray(sums[length:] - sums[:-length])


def _scatter(sums: _Sums, counted: Doubles) -> float:
    """Return the least scatter beyond chance under which the spans' deviations, cut where they are far off, are no larger than they should.

    Spans with less than one case expected tell nothing about it.
    """
    told = (sums.expected >= 1) & sums.is_usual & (counted > 0)
    if not told.any():
        return 0.0
    mean, weights = sums.expected[told], counted[told] / counted[told].sum()
    squares = (sums.values[told] - mean) ** 2 / mean
    found = np.minimum(squares / (1 + _SCATTERS[:, None] * mean), _CUT) @ weights
    return float(_SCATTERS[min(int(np.searchsorted(-found, -1.0)), len(_SCATTERS) - 1)])


def _judge(shape: _Shape, sums: _Sums, length: int) -> tuple[_Sums, Doubles]:
    """Return the spans with their whole scatter as `doubt`, and the chance of so many or more, or so few or fewer: the smaller of both."""
    whole = np.maximum(shape.scatter[length] * (1 + 1 / shape.weeks) + sums.doubt, _TINY)
    size, chance = 1 / whole, 1 / (1 + whole * sums.expected)
    many = np.where(sums.values > 0, betainc(np.maximum(sums.values, 1), size, 1 - chance), 1.0)
    few = betainc(size, sums.values + 1, chance)
    return replace(sums, doubt=whole), np.where(sums.is_usual, np.minimum(many, few), 1.0)


def _describe(starts: tuple[datetime, ...], sums: _Sums, places: NDArray[np.int64], judged: tuple[int, float]) -> list[Span]:
    """Return the spans that end with the hours at `places`; `judged` has their length and the chance below which they alarm."""
    length, chance = judged
    expected, size = sums.expected[places], 1 / sums.doubt[places]
    p = size / (size + expected)
    low, high = nbinom.ppf(chance, size, p), nbinom.isf(chance, size, p)
    ends = [(starts[at - length + 1], starts[at] + timedelta(hours=1)) for at in places]
    return [Span(*end, *map(float, one)) for end, *one in zip(ends, sums.values[places], expected, low, high, strict=True)]
