"""Calendars and levels as the arithmetic takes them."""

from functools import lru_cache, partial

from careloop.desk.kernel.rows import find_rows
from careloop.desk.sla.models import Calendar, CalendarDay, ServiceLevel
from careloop.desk.sla.rules.clocks import FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION
from careloop.desk.sla.rules.holiday_years import find_holidays
from careloop.desk.sla.rules.hours import check_hours
from careloop.desk.sla.rules.levels import Level
from careloop.desk.sla.rules.working_time import WorkingCalendar

MINUTE = 60


class Calendars(dict[int, WorkingCalendar]):
    """Working calendars by id, each made when it is first asked for and kept by this process until its version changes."""

    def __missing__(self, calendar_id: int) -> WorkingCalendar:
        row = find_rows(Calendar, "id = %s", [calendar_id])[0]
        self[calendar_id] = _calendar_of(row.pk, row.version)
        return self[calendar_id]


def list_levels() -> list[Level]:
    """The active levels in their order (one query)."""
    rows = find_rows(ServiceLevel, "is_active ORDER BY position, id", [])
    return [level_of(row) for row in rows]


def level_of(row: ServiceLevel) -> Level:
    """A level as the rules take it."""
    minutes = {
        FIRST_RESPONSE: row.first_response_minutes,
        NEXT_RESPONSE: row.next_response_minutes,
        RESOLUTION: row.resolution_minutes,
    }
    return Level(
        row.pk,
        row.name,
        row.calendar_id,
        {target: given * MINUTE for target, given in minutes.items() if given},
        {fact: tuple(values) for fact, values in row.conditions.items()},
        row.pauses_while_waiting,
    )


def working_calendar(row: Calendar, days: list[CalendarDay]) -> WorkingCalendar:
    """A calendar as the arithmetic takes it."""
    by_hand = {one.day: tuple((start, end) for start, end in one.intervals) for one in days}
    hours = check_hours(row.zone, row.weekly, by_hand)
    return WorkingCalendar(hours, partial(find_holidays, row.country, row.subdivision), frozenset(row.confirmed_years))


@lru_cache(maxsize=200)
def _calendar_of(calendar_id: int, _version: int) -> WorkingCalendar:
    row = Calendar.objects.get(pk=calendar_id)
    return working_calendar(row, list(row.days.all()))
