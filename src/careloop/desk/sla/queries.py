"""Calendars and levels as the arithmetic takes them."""

from functools import lru_cache, partial

from careloop.desk.kernel.rows import find_rows
from careloop.desk.sla.models import Calendar, ServiceLevel
from careloop.desk.sla.rules.clocks import FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION
from careloop.desk.sla.rules.facts import CalendarFacts
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


def working_calendar(facts: CalendarFacts) -> WorkingCalendar:
    """A calendar as the arithmetic takes it; InvalidInput when it makes no sense."""
    hours = check_hours(facts.zone, facts.weekly, {day: intervals for day, (intervals, _name) in facts.days.items()})
    return WorkingCalendar(hours, partial(find_holidays, facts.country, facts.subdivision), frozenset(facts.confirmed_years))


def facts_of(calendar: Calendar) -> CalendarFacts:
    """What a stored calendar is made of."""
    return CalendarFacts(
        calendar.name,
        calendar.zone,
        [[(start, end) for start, end in day] for day in calendar.weekly],
        calendar.country,
        calendar.subdivision,
        calendar.confirmed_years,
        {one.day: ([(start, end) for start, end in one.intervals], one.name) for one in calendar.days.all()},
    )


@lru_cache(maxsize=200)
def _calendar_of(calendar_id: int, _version: int) -> WorkingCalendar:
    return working_calendar(facts_of(Calendar.objects.get(pk=calendar_id)))
