"""Calendars and levels as the arithmetic takes them."""

from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from django.utils.translation import gettext as _

from careloop.desk.kernel.errors import NotFound
from careloop.desk.kernel.rows import find_rows
from careloop.desk.sla.models import Calendar, ServiceLevel, StepAction
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
        self[calendar_id] = _calendar_of(row.pk, row.version, row.changed_at, repr((row.zone, row.weekly)))
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


def list_calendars() -> list[Calendar]:
    """Every calendar with its days and levels, by name."""
    return list(Calendar.objects.prefetch_related("days", "levels").order_by("name"))


def list_every_level() -> list[ServiceLevel]:
    """Every level with its calendar and steps, in the order in which they are tried."""
    return list(ServiceLevel.objects.select_related("calendar").prefetch_related("steps").order_by("position", "pk"))


def access_calendar(calendar_id: int) -> Calendar:
    """The calendar of this number."""
    found = Calendar.objects.filter(pk=calendar_id).first()
    if found is None:
        raise NotFound(_("There is no calendar %(number)s.") % {"number": calendar_id})
    return found


def access_level(level_id: int) -> ServiceLevel:
    """The service level of this number."""
    found = ServiceLevel.objects.select_related("calendar").filter(pk=level_id).first()
    if found is None:
        raise NotFound(_("There is no service level %(number)s.") % {"number": level_id})
    return found


def list_unpublished(now: datetime) -> list[tuple[Calendar, int]]:
    """Calendars with this or the next year when its make-up days are not announced and nobody entered them: said loudly."""
    found = []
    for calendar in Calendar.objects.exclude(country="").order_by("name"):
        for year in (now.year, now.year + 1):
            if year not in calendar.confirmed_years and not find_holidays(calendar.country, calendar.subdivision, year).is_published:
                found.append((calendar, year))
    return found


def step_actions() -> list[tuple[Any, Any]]:
    """Codes and words of what an escalation may do."""
    return list(StepAction.choices)


@lru_cache(maxsize=200)
def _calendar_of(calendar_id: int, _version: int, _changed_at: datetime, _hours: str) -> WorkingCalendar:
    return working_calendar(facts_of(Calendar.objects.get(pk=calendar_id)))
