"""Figures over time as the watch sees them: series of complete days or weeks, judged by control charts."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import OWNER, Viewer
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.queries import ask
from careloop.desk.measures.reading import Question
from careloop.desk.measures.rules.definitions import COUNT, MEASURES, MEDIAN, SHARE
from careloop.desk.measures.rules.values import Figure, fold_day
from careloop.desk.sla.models import Calendar
from careloop.desk.sla.rules.holiday_years import find_holidays
from careloop.insight.service.control_charts import Series, draw_chart
from careloop.insight.stats.intervals import rate_interval

DAYS_READ = {"day": 280, "week": 728}  # what the past is learnt from, and what a chart shows
SHOWN = {"day": 91, "week": 52}
STEP = {"day": 1, "week": 7}
EVERYTHING = Viewer(0, "", OWNER, None, frozenset({"report.view"}), kind="rule")
SATURDAY = 5
FORMS = {COUNT: "count", SHARE: "share", MEDIAN: "time"}


@dataclass(frozen=True)
class OddDays:
    """Days that are not as their weekday usually is: holidays, and weekend days on which people work to make up for one (调休)."""

    closed: frozenset[date]
    made_up: frozenset[date]


@dataclass(frozen=True)
class Drawn:
    """A judged series: points as plain values (those of a chart's point, and `is_up`), oldest first."""

    points: list[dict[str, Any]]
    has_enough: bool
    false_alarms_a_quarter: float

    def to_json(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


def watchable() -> list[str]:
    """Keys of the measures that can be watched: those dated, and counted, shared or timed."""
    return [key for key, one in MEASURES.items() if one.form in FORMS and one.dated_by]


def check_watchable(measure: str, period: str) -> None:
    """Refuse what cannot be watched."""
    if measure not in watchable():
        raise InvalidInput(_("“%(given)s” cannot be watched; choose a figure from the list.") % {"given": measure}, field="measure")
    if period not in STEP:
        raise InvalidInput(_("The figure is watched by day or by week; choose one of them."), field="period")


def read_series(measure: str, period: str, chosen: dict[str, Any], today: date, viewer: Viewer = EVERYTHING) -> Series:
    """The series up to the last complete period before today; periods without cases are there with nothing."""
    check_watchable(measure, period)
    end = fold_day(today.toordinal(), period)
    first = fold_day(end - DAYS_READ[period], period)
    question = Question((measure,), per=period, since=date.fromordinal(first), until=date.fromordinal(end - 1), chosen=chosen)
    found = {row.day.toordinal(): row.figures[measure] for row in ask(question, viewer).rows if row.day is not None}
    first = min(found, default=end)
    days = range(first, end, STEP[period])
    figures = [found.get(day) for day in days]
    form = FORMS[MEASURES[measure].form]
    values, totals = zip(*(_told(form, figure) for figure in figures), strict=True) if figures else ((), ())
    starts = tuple(date.fromordinal(day) for day in days)
    return Series(measure, form, starts, np.array(values, dtype=np.float64), np.array(totals, dtype=np.float64), period)  # type: ignore[arg-type]


def judge_series(series: Series, *, false_alarms: float, days: OddDays, left_out: Iterable[date] = ()) -> Drawn:
    """The chart of the last quarter (by week: year) with limits that alarm at most so often a quarter while nothing changes.

    Nothing is learnt from periods that begin on days `left_out`.
    """
    judged = SHOWN[series.period]
    odd = {"holidays": days.closed, "made_up": days.made_up, "left_out": set(left_out)}
    chart = draw_chart(series, **odd, false_alarms=false_alarms, judged=judged)
    points = [asdict(point) | {"start": point.start.isoformat(), "is_up": point.is_up} for point in chart.points[-judged:]]
    return Drawn(points, chart.has_enough, chart.false_alarms_a_quarter)


def list_odd_days(today: date) -> OddDays:
    """Holidays and the weekend days worked for them, by the house's first calendar; nearly three years up to today."""
    calendar = Calendar.objects.order_by("pk").first()
    if calendar is None:
        return OddDays(frozenset(), frozenset())
    own = {row.day: bool(row.intervals) for row in calendar.days.all()}
    closed, made_up = {day for day, is_open in own.items() if not is_open}, {day for day, is_open in own.items() if is_open}
    for year in range(today.year - 2, today.year + 1):
        found = find_holidays(calendar.country, calendar.subdivision, year)
        closed |= found.closed.keys() - made_up
        made_up |= found.make_up - closed
    known = {day for day in closed | made_up if today - timedelta(days=1_000) <= day}
    weekend = {day for day in made_up if day.weekday() >= SATURDAY}
    return OddDays(frozenset(closed & known), frozenset(weekend & known))


def rate_of_alarms(n_nothing: int, quarters: float) -> Figure:
    """Alarms a quarter that were nothing, with interval; nothing to tell before a week has been watched."""
    if quarters < 1 / 13:
        return Figure(None, None, None, n_nothing)
    low, high = rate_interval(n_nothing, quarters)
    return Figure(n_nothing / quarters, low, high, n_nothing)


def _told(form: str, figure: Figure | None) -> Sequence[float]:
    """Value and total as control charts take them."""
    if form == "count":
        return (float(figure.n) if figure else 0.0, 1.0)
    if figure is None or figure.value is None:
        return (0.0, 0.0)
    if form == "share":
        return (float(figure.sums.total), float(figure.n))
    return (max(figure.value, 1.0), float(figure.n))
