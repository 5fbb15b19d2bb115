"""Changing calendars and service levels; each change is checked and audited. Open cases are counted anew by `cases.service_levels`."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.sla.models import Calendar, CalendarDay, EscalationStep, ServiceLevel, StepAction
from careloop.desk.sla.queries import access_calendar, access_level
from careloop.desk.sla.rules.clocks import TARGETS
from careloop.desk.sla.rules.facts import CalendarFacts, LevelFacts
from careloop.desk.sla.rules.holiday_years import find_holidays
from careloop.desk.sla.rules.hours import Interval, check_hours
from careloop.desk.sla.rules.levels import FACTS

MOST_MINUTES = 366 * 24 * 60
MOST_STEP_MINUTES = 30 * 24 * 60


def save_calendar(
    *, facts: CalendarFacts, viewer: Viewer, now: datetime, calendar_id: int | None = None, expected_version: int | None = None
) -> Calendar:
    """Make a calendar, or change one with its days; its version goes up, so that every process counts on the new hours.

    Conflict when somebody saved it since `expected_version`.
    """
    check_may(viewer, "sla.edit")
    name = " ".join(facts.name.split())
    if not name or len(name) > 80:
        raise InvalidInput(_("The calendar needs a name of at most 80 characters."), field="name")
    hours = check_hours(facts.zone, facts.weekly, {day: intervals for day, (intervals, _name) in facts.days.items()})
    find_holidays(facts.country, facts.subdivision, now.year)
    columns = {
        "name": name,
        "zone": facts.zone,
        "weekly": [[list(interval) for interval in day] for day in hours.weekly],
        "country": facts.country,
        "subdivision": facts.subdivision,
        "confirmed_years": sorted(set(facts.confirmed_years)),
        "changed_at": now,
    }
    try:
        with transaction.atomic():
            calendar = Calendar(version=0) if calendar_id is None else _lock_calendar(calendar_id)
            if expected_version is not None and calendar.version != expected_version:
                raise Conflict(_("Somebody else saved this calendar in between; nothing of yours was saved yet."))
            before = {} if calendar_id is None else {key: getattr(calendar, key) for key in columns if key != "changed_at"}
            for key, value in columns.items():
                setattr(calendar, key, value)
            calendar.version += 1
            calendar.save()
            _write_days(calendar, facts, hours.days)
            details = {"before": before, "after": {**columns, "changed_at": now.isoformat()}, "days": len(facts.days)}
            _audit("calendar.save", "calendar", calendar.pk, viewer, now, details)
    except IntegrityError as error:
        raise InvalidInput(_("There is a calendar “%(name)s” already; choose another name.") % {"name": name}, field="name") from error
    return calendar


def delete_calendar(*, calendar_id: int, viewer: Viewer, now: datetime) -> None:
    """Remove a calendar on which nothing was ever counted."""
    check_may(viewer, "sla.edit")
    with transaction.atomic():
        calendar = _lock_calendar(calendar_id)
        if calendar.levels.exists():
            raise InvalidInput(_("A service level counts on “%(name)s”; give it another calendar first.") % {"name": calendar.name})
        calendar.delete()
        details = {"name": calendar.name}
        audit.record(
            actor=actor_of(viewer), action="calendar.delete", object_type="calendar", object_id=calendar_id, now=now, details=details
        )


def save_level(
    *, facts: LevelFacts, viewer: Viewer, now: datetime, level_id: int | None = None, expected_changed_at: datetime | None = None
) -> ServiceLevel:
    """Make a service level or change one, with its escalation steps; Conflict when it was not last saved at `expected_changed_at`."""
    check_may(viewer, "sla.edit")
    columns = _check_level(facts)
    try:
        with transaction.atomic():
            calendar = access_calendar(facts.calendar_id)
            level = ServiceLevel() if level_id is None else _lock_level(level_id)
            if expected_changed_at is not None and level.changed_at != expected_changed_at:
                raise Conflict(_("Somebody else saved this service level in between; nothing of yours was saved yet."))
            for key, value in {**columns, "calendar": calendar, "changed_at": now}.items():
                setattr(level, key, value)
            level.save()
            level.steps.all().delete()
            steps = [EscalationStep(level=level, target=target, minutes=minutes, action=action) for target, minutes, action in facts.steps]
            EscalationStep.objects.bulk_create(steps)
            details = {**columns, "calendar": calendar.pk, "steps": [list(step) for step in facts.steps]}
            _audit("level.save", "level", level.pk, viewer, now, details)
    except IntegrityError as error:
        raise InvalidInput(
            _("There is a service level “%(name)s” already; choose another name.") % {"name": columns["name"]}, field="name"
        ) from error
    return level


def delete_level(*, level_id: int, viewer: Viewer, now: datetime) -> None:
    """Remove a promise; clocks that run for it are judged by the next level that fits."""
    check_may(viewer, "sla.edit")
    with transaction.atomic():
        level = _lock_level(level_id)
        level.delete()
        _audit("level.delete", "level", level_id, viewer, now, {"name": level.name})


def _lock_calendar(calendar_id: int) -> Calendar:
    access_calendar(calendar_id)
    return Calendar.objects.select_for_update().get(pk=calendar_id)


def _lock_level(level_id: int) -> ServiceLevel:
    access_level(level_id)
    return ServiceLevel.objects.select_for_update().get(pk=level_id)


def _write_days(calendar: Calendar, facts: CalendarFacts, days: Mapping[date, tuple[Interval, ...]]) -> None:
    calendar.days.all().delete()
    CalendarDay.objects.bulk_create(
        CalendarDay(calendar=calendar, day=day, intervals=[list(one) for one in intervals], name=facts.days[day][1][:80])
        for day, intervals in days.items()
    )


def _check_level(facts: LevelFacts) -> dict[str, Any]:
    name = " ".join(facts.name.split())
    if not name or len(name) > 80:
        raise InvalidInput(_("The service level needs a name of at most 80 characters."), field="name")
    given = {target: facts.targets.get(target) for target in TARGETS}
    for target, minutes in given.items():
        if minutes is not None and not 0 < minutes <= MOST_MINUTES:
            sentence = _("A target of %(n)s minutes was given; expected 1 to %(most)s, or nothing where nothing is promised.")
            raise InvalidInput(sentence % {"n": minutes, "most": MOST_MINUTES}, field=target.lower())
    if not any(given.values()):
        raise InvalidInput(_("The level promises nothing; give at least one target."), field="first_response")
    for target, minutes, action in facts.steps:
        if target not in TARGETS or action not in StepAction.values or abs(minutes) > MOST_STEP_MINUTES:
            sentence = _("The step “%(step)s” makes no sense; choose a target, an action and at most 30 days.")
            raise InvalidInput(sentence % {"step": f"{target} {minutes} {action}"}, field="steps")
    return {
        "name": name,
        "position": facts.position,
        "is_active": facts.is_active,
        "conditions": {fact: list(values) for fact, values in facts.conditions.items() if fact in FACTS and values},
        "first_response_minutes": given["FIRST_RESPONSE"],
        "next_response_minutes": given["NEXT_RESPONSE"],
        "resolution_minutes": given["RESOLUTION"],
        "pauses_while_waiting": facts.pauses_while_waiting,
    }


def _audit(action: str, what: str, number: int, viewer: Viewer, now: datetime, details: dict[str, Any]) -> None:
    audit.record(actor=actor_of(viewer), action=action, object_type=what, object_id=number, now=now, details=details)
