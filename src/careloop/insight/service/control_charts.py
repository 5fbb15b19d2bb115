"""Watched series: what is expected each day or week, limits around it, and alarms that quiet times raise as seldom as promised.

Each period is compared with a baseline learnt from the periods before it (`service.baselines`), refitted once a week, the last week left
out so that a change does not hide in it. The deviation goes into two judgements: is this period far off, and has the weighted mean of the
last periods moved. Both limits are set by run lengths (`service.run_lengths`); several series share one promise. How often quiet weeks
alarm all the same is measured by simulation: `python -m tests.insight.service.quiet_weeks`.

References
----------
Montgomery 2012, Introduction to statistical quality control, chapter 9. Lucas & Saccucci 1990 (both limits together).
Hawkins 1987, Self-starting CUSUM charts (each value against its own past).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError
from careloop.insight.service.baselines import Baseline, Measure, Past, as_seldom, learn_baseline
from careloop.insight.service.run_lengths import SMOOTHING, Limits, find_limits

Doubles = NDArray[np.float64]
Period = Literal["day", "week"]
Alarm = Literal["", "single", "lasting"]

FALSE_ALARMS = 1.0  # a quarter, over all series of a house together
PERIODS_A_QUARTER = {"day": 91, "week": 13}
LEAST_HISTORY = {"day": 42, "week": 12}  # periods with cases before the first that is judged
_WINDOW = {"day": 182, "week": 52}
_GAP = {"day": 7, "week": 1}
_HALF_LIFE = {"day": 56.0, "week": 16.0}
_REFIT = {"day": 7, "week": 1}
_LEAST_HOLIDAYS = 3
_MOST_LEFT_OUT = 0.1
_SMOOTHING = {"day": SMOOTHING, "week": 0.25}  # of the mean of deviations; a quarter has few weeks, so they must tell sooner
_REMEMBERED = 60  # periods after which the weighted mean has forgotten all but 0.2 %


@dataclass(frozen=True)
class Series:
    """A figure over time.

    Attributes
    ----------
    name : str
    measure : {"count", "share", "time"}
    starts : tuple of date, length n_periods
        First day of each period, without gaps.
    values : ndarray of float64, shape (n_periods,)
        Counts; of shares, how many were so; of times, the period's median, > 0 (any number where there was no case).
    totals : ndarray of float64, shape (n_periods,)
        Of shares, among how many; of times, from how many; of counts, ones.
    period : {"day", "week"}
    """

    name: str
    measure: Measure
    starts: tuple[date, ...]
    values: Doubles
    totals: Doubles
    period: Period = "day"


@dataclass(frozen=True, slots=True)
class Point:
    """A period on a chart.

    Attributes
    ----------
    start : date
    value : float or None
        Count, share (0–1) or time; None where there was no case.
    n : int
        Cases it stands on.
    expected, low, high : float or None
        What the past foretold and the limits of a single period; None while the past is too short or a holiday is not yet known;
        no limits where there was no case.
    deviation, mean_deviation : float or None
        Standard deviations from what was expected, and their exponentially weighted mean.
    alarm : {"", "single", "lasting"}
    """

    start: date
    value: float | None
    n: int
    expected: float | None = None
    low: float | None = None
    high: float | None = None
    deviation: float | None = None
    mean_deviation: float | None = None
    alarm: Alarm = ""

    @property
    def is_up(self) -> bool:
        """Whether the figure is above what was expected, in the sense of its alarm."""
        return ((self.mean_deviation if self.alarm == "lasting" else self.deviation) or 0.0) > 0


@dataclass(frozen=True)
class Chart:
    """A series with its limits.

    Attributes
    ----------
    name : str
    points : tuple of Point, length n_periods
    limits : Limits
        In standard deviations.
    false_alarms_a_quarter : float
        The promise for this series alone.
    has_enough : bool
        Whether the last period could be judged.
    """

    name: str
    points: tuple[Point, ...]
    limits: Limits
    false_alarms_a_quarter: float
    has_enough: bool

    @property
    def alarms(self) -> tuple[Point, ...]:
        """The points that alarm."""
        return tuple(point for point in self.points if point.alarm)


def draw_charts(
    series: Sequence[Series],
    *,
    holidays: Collection[date] = (),
    made_up: Collection[date] = (),
    false_alarms: float = FALSE_ALARMS,
    judged: int | None = None,
) -> list[Chart]:
    """Return the charts of several series, which together raise at most `false_alarms` a quarter while nothing changes.

    Parameters
    ----------
    series : sequence of Series
    holidays : collection of date
        Days on which the house is not open as usual.
    made_up : collection of date
        Weekend days on which people work to make up for a holiday.
    false_alarms : float
        A quarter, shared equally: expected numbers add up whether or not the series move together.
    judged : int or None
        How many of the last periods are judged; all that have enough past when left out.

    Raises
    ------
    InputError
        When a series is malformed or the promise cannot be kept.

    References
    ----------
    The sharing is Bonferroni's, for expected numbers.
    """
    own = false_alarms / max(len(series), 1)
    return [draw_chart(one, holidays=holidays, made_up=made_up, false_alarms=own, judged=judged) for one in series]


def draw_chart(
    series: Series,
    *,
    holidays: Collection[date] = (),
    made_up: Collection[date] = (),
    left_out: Collection[date] = (),
    false_alarms: float = FALSE_ALARMS,
    judged: int | None = None,
) -> Chart:
    """Return the chart of one series; see `draw_charts`. Nothing is learnt from periods that begin on days `left_out`, nor carried on."""
    _check(series)
    run_length = PERIODS_A_QUARTER[series.period] / false_alarms
    smoothing = _SMOOTHING[series.period]
    limits = find_limits(run_length, smoothing=smoothing)
    design, is_new = _design(series, holidays, made_up)
    n = len(series.starts)
    first = 0 if judged is None else max(0, n - judged)
    points = [_bare(series, place) for place in range(n)]
    is_known = np.array([one not in set(left_out) for one in series.starts], dtype=bool)
    mean, trusted, seen = 0.0, np.ones(n, dtype=bool), np.flatnonzero((series.totals > 0) & ~is_new)
    for start in range(first - first % _REFIT[series.period], n, _REFIT[series.period]):
        places = np.arange(max(start, first), min(start + _REFIT[series.period], n))
        baseline = _learn(series, design, start, (is_known, trusted))
        if baseline is None or not len(places):
            continue
        now = _take(series, design, places)
        steps = baseline.find_steps(now, limits.single)
        limits = find_limits(run_length, used=_round_up(steps.used), smoothing=smoothing)
        width = _widen(baseline, _take(series, design, seen[seen <= places[-1]][-_REMEMBERED:]), (limits, smoothing))
        found = (baseline.expect(now.design), *baseline.bound(now, limits.single), baseline.deviate(now), steps.mean, steps.sd)
        for at, place in enumerate(places):
            if is_new[place]:
                continue
            expected, low, high, deviation, usual, scatter = (float(one[at]) for one in found)
            if points[place].value is None:
                points[place] = replace(points[place], expected=expected)
                continue
            if is_known[place]:
                mean = (1 - smoothing) * mean + smoothing * (deviation - usual) / scatter
            alarm: Alarm = ""
            if abs(deviation) > limits.single:
                alarm, trusted[place] = "single", False
            elif abs(mean) > limits.lasting * width:
                alarm = "lasting"
            points[place] = replace(
                points[place], expected=expected, low=low, high=high, deviation=deviation, mean_deviation=mean, alarm=alarm
            )
            if alarm:
                mean = 0.0  # told; what stays changed is told again
    has_enough = bool(points) and points[-1].expected is not None
    return Chart(series.name, tuple(points), limits, false_alarms, has_enough)


def _check(series: Series) -> None:
    n = len(series.starts)
    values, totals = series.values, series.totals
    if values.shape != (n,) or totals.shape != (n,):
        raise InputError(f"Series “{series.name}” has {n} periods but {values.shape} values and {totals.shape} totals; give one of each.")
    step = 7 if series.period == "week" else 1
    if any((later - earlier).days != step for earlier, later in zip(series.starts, series.starts[1:], strict=False)):
        raise InputError(f"The periods of series “{series.name}” are not {step} days apart; fill those without cases with 0.")
    there = totals > 0
    wrong = (values < 0) | ~np.isfinite(values) | ((values > totals) if series.measure == "share" else np.zeros(n, dtype=bool))
    if (wrong & there).any() or (series.measure == "time" and (values[there] <= 0).any()):
        place = int(np.flatnonzero(there & (wrong | (values <= 0)))[0])
        raise InputError(f"Series “{series.name}” has the value {values[place]:g} on {series.starts[place]}, which is impossible.")


def _design(series: Series, holidays: Collection[date], made_up: Collection[date]) -> tuple[Doubles, NDArray[np.bool_]]:
    """Return the effects of weekdays and holidays, and which periods have a holiday of which the past knows too little.

    A weekend day worked to make up for a holiday is expected to be as Monday to Friday are on average.
    """
    n, free_days, worked_days = len(series.starts), set(holidays), set(made_up)
    columns = [np.ones(n)]
    if series.period == "day":
        weekdays = np.array([one.weekday() for one in series.starts])
        is_worked = np.array([one in worked_days for one in series.starts], dtype=bool)
        columns += [np.where(is_worked, 0.2 * (day < 5), (weekdays == day) * 1.0 - (weekdays == 6) * 1.0) for day in range(6)]
        free = np.array([float(one in free_days) for one in series.starts])
    else:
        weeks = [[one + timedelta(days=more) for more in range(7)] for one in series.starts]
        free = np.array([float(len(free_days.intersection(week[:5])) - len(worked_days.intersection(week[5:]))) for week in weeks])
    known_before = np.concatenate([[0.0], np.cumsum(free != 0)[:-1]]) if n else np.zeros(0)
    return np.column_stack([*columns, free]), (free != 0) & (known_before < _LEAST_HOLIDAYS)


def _bare(series: Series, place: int) -> Point:
    total, value = float(series.totals[place]), float(series.values[place])
    if series.measure == "count":
        return Point(series.starts[place], value, int(value))
    if total <= 0:
        return Point(series.starts[place], None, 0)
    return Point(series.starts[place], value / total if series.measure == "share" else value, int(total))


def _learn(series: Series, design: Doubles, start: int, learnt_from: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> Baseline | None:
    """Return the baseline of the periods before `start`, the last week left out; None when they are too few.

    Periods that are not known to be usual are left out, and those that alarmed by themselves (the second of `learnt_from` is false), unless
    these are so many that the figure has changed for good.
    """
    is_known, trusted = learnt_from
    end = start - _GAP[series.period]
    places = np.arange(max(0, end - _WINDOW[series.period]), max(end, 0))
    places = places[(series.totals[places] > 0) & is_known[places]]
    if len(places) < LEAST_HISTORY[series.period]:
        return None
    if (~trusted[places]).mean() <= _MOST_LEFT_OUT:
        places = places[trusted[places]]
    recency = 0.5 ** ((start - places) / _HALF_LIFE[series.period])
    return learn_baseline(series.measure, _take(series, design, places), recency / recency.max())


def _take(series: Series, design: Doubles, places: NDArray[np.int64]) -> Past:
    values = series.values[places].astype(np.float64)
    totals = series.totals[places].astype(np.float64)
    if series.measure == "time":
        values = np.log(np.where(totals > 0, values, 1.0))
    return Past(design[places], values, totals)


def _widen(baseline: Baseline, past: Past, judged: tuple[Limits, float]) -> float:
    """Return by how much the mean of the deviations of these periods scatters more than that of independent ones known for sure.

    The scatter itself is only estimated, and the mean of all deviations shares what is wrong with it: a tail of Student's t.
    """
    limits, smoothing = judged
    shares = np.asarray(smoothing * (1 - smoothing) ** np.arange(len(past.values))[::-1], dtype=np.float64)
    wider = float(np.sqrt(baseline.spread_of_mean(past, shares) / (shares**2).sum()))
    far = limits.lasting * float(np.sqrt((2 - smoothing) / smoothing))
    return wider * as_seldom(far, baseline.freedom) / far


def _round_up(used: Doubles) -> float:
    """Return the mean in eighths, so that limits are found once for many series; rounded up, which is the careful side."""
    return min(float(np.ceil(8 * used.mean() - 1e-9)) / 8, 2.0)
