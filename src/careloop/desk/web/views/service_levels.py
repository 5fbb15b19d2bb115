"""Service levels and the calendars that they count on."""

from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.queries import list_channels, list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases import service_levels
from careloop.desk.cases.queries import choices
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput
from careloop.desk.kernel.wording import spoken
from careloop.desk.sla import actions, queries
from careloop.desk.sla.rules.clocks import TARGETS
from careloop.desk.sla.rules.days_text import read_days, show_days
from careloop.desk.sla.rules.durations import read_minutes, show_minutes
from careloop.desk.sla.rules.facts import CalendarFacts, LevelFacts
from careloop.desk.sla.rules.holiday_years import find_holidays, list_countries
from careloop.desk.sla.rules.hours import read_intervals, show_intervals
from careloop.desk.web.access import for_viewer
from careloop.desk.web.conflicts import Side, different

TARGET_NAMES: dict[str, Promise] = {
    "FIRST_RESPONSE": gettext_lazy("First response"),
    "NEXT_RESPONSE": gettext_lazy("Next response"),
    "RESOLUTION": gettext_lazy("Resolution"),
}
WEEKDAYS = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)
STEP_LINES = 6
USUAL_WEEK = ("09:00-18:00",) * 5 + ("", "")


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("sla.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The promises in the order in which they are tried, and the calendars."""
    words = _condition_words(viewer)
    levels = [
        {
            "level": level,
            "fits": [words.get(fact, {}).get(str(value), str(value)) for fact, values in level.conditions.items() for value in values],
            "targets": [show_minutes(minutes) for minutes in _minutes_of(level)],
        }
        for level in queries.list_every_level()
    ]
    calendars = [{"calendar": one, "week": _show_week(one.weekly)} for one in queries.list_calendars()]
    context = {"levels": levels, "calendars": calendars, "unpublished": queries.list_unpublished(now()), "target_names": TARGET_NAMES}
    return render(request, "service_levels/page.html", context)


@require_http_methods(["GET", "POST"])
@for_viewer("sla.edit")
def calendar(request: HttpRequest, viewer: Viewer, calendar_id: int | None = None) -> HttpResponse:
    """One calendar: hours, holidays, days by hand; what history would have been, before anything is saved."""
    stored = queries.access_calendar(calendar_id) if calendar_id is not None else None
    given = _given_calendar(request) if request.method == "POST" else _shown_calendar(queries.facts_of(stored) if stored else None)
    errors: dict[str, str] = {}
    sides: list[Side] = []
    status, history = 200, None
    if request.method == "POST":
        try:
            facts = _calendar_facts(given)
            if stored is not None and "preview" in request.POST:
                history = service_levels.imagine_history(facts=facts, calendar_id=stored.pk, viewer=viewer, now=now())
            else:
                version = _seen(request, int) if stored is not None else None
                _made, changed = service_levels.change_calendar(
                    facts=facts, viewer=viewer, now=now(), calendar_id=calendar_id, expected_version=version
                )
                messages.success(request, _saved_calendar(changed))
                return redirect("service-levels")
        except DeskError as refused:
            errors, status = {refused.field or "form": spoken(refused.message)}, refused.status
            if isinstance(refused, Conflict) and calendar_id is not None:
                stored = queries.access_calendar(calendar_id)
                sides = _calendar_sides(_shown_calendar(queries.facts_of(stored)), given)
    context = {"calendar": stored, "given": given, "errors": errors, "history": history, **_calendar_choices(given)}
    context |= {"sides": sides, "version": _version(request, sides, stored.version if stored else "")}
    return render(request, "service_levels/calendar.html", context, status=status)


@require_POST
@for_viewer("sla.edit")
def delete_calendar(request: HttpRequest, viewer: Viewer, calendar_id: int) -> HttpResponse:
    """Remove a calendar that nothing counts on."""
    actions.delete_calendar(calendar_id=calendar_id, viewer=viewer, now=now())
    messages.success(request, _("The calendar was removed."))
    return redirect("service-levels")


@require_http_methods(["GET", "POST"])
@for_viewer("sla.edit")
def level(request: HttpRequest, viewer: Viewer, level_id: int | None = None) -> HttpResponse:
    """One promise: for which cases, how fast, on which calendar, and what happens before and after a breach."""
    stored = queries.access_level(level_id) if level_id is not None else None
    given = _given_level(request) if request.method == "POST" else _shown_level(stored)
    errors: dict[str, str] = {}
    sides: list[Side] = []
    status = 200
    if request.method == "POST":
        try:
            seen = _seen(request, datetime.fromisoformat) if stored is not None else None
            _made, n = service_levels.change_level(
                facts=_level_facts(given), viewer=viewer, now=now(), level_id=level_id, expected_changed_at=seen
            )
            sentence = ngettext("Saved; %(n)s open case was looked at anew.", "Saved; %(n)s open cases were looked at anew.", n)
            messages.success(request, sentence % {"n": n})
            return redirect("service-levels")
        except DeskError as refused:
            errors, status = {refused.field or "form": spoken(refused.message)}, refused.status
            if isinstance(refused, Conflict) and level_id is not None:
                stored = queries.access_level(level_id)
                sides = _level_sides(_shown_level(stored), given)
    context = {
        "level": stored,
        "sides": sides,
        "version": _version(request, sides, stored.changed_at.isoformat() if stored else ""),
        "given": given,
        "errors": errors,
        "calendars": queries.list_calendars(),
        "target_names": TARGET_NAMES,
        "step_actions": queries.step_actions(),
        "fit_groups": _fit_groups(viewer),
    }
    return render(request, "service_levels/level.html", context, status=status)


@require_POST
@for_viewer("sla.edit")
def delete_level(request: HttpRequest, viewer: Viewer, level_id: int) -> HttpResponse:
    """Remove a promise."""
    service_levels.remove_level(level_id=level_id, viewer=viewer, now=now())
    messages.success(request, _("The service level was removed; open cases follow the next one that fits."))
    return redirect("service-levels")


def _seen(request: HttpRequest, read: Callable[[str], Any]) -> Any:
    """The version that the form was made from."""
    try:
        return read(request.POST.get("version", ""))
    except ValueError:
        raise InvalidInput(_("The form is damaged; load the page again.")) from None


def _version(request: HttpRequest, sides: list[Side], stored: Any) -> Any:
    """The version that the form carries: the one that it was made from, until somebody else's is shown beside it."""
    return stored if sides else request.POST.get("version", stored)


def _calendar_sides(theirs: dict[str, Any], mine: dict[str, Any]) -> list[Side]:
    labels: dict[str, Any] = {"name": pgettext("thing", "Name"), "zone": _("Time zone"), "country": _("Holidays of")}
    labels |= {"subdivision": _("Part of the country"), "days": _("Days by hand")}
    week = zip(WEEKDAYS, theirs["week"], mine["week"], strict=True)
    years = (_("Confirmed years"), _listed(theirs["confirmed"]), _listed(mine["confirmed"]))
    return different([*((label, theirs[name], mine[name]) for name, label in labels.items()), *week, years])


def _level_sides(theirs: dict[str, Any], mine: dict[str, Any]) -> list[Side]:
    labels: dict[str, Any] = {"name": pgettext("thing", "Name"), "position": _("Order"), **TARGET_NAMES, "segment": _("Segments")}
    switches = {"pauses": _("The clock pauses while we wait for the customer"), "is_active": _("In force")}
    names = {str(one.pk): one.name for one in queries.list_calendars()}
    words = {True: _("yes"), False: _("no")}
    lists = ((_("Holds for"), "fits"), (_("Before and after a breach"), "steps"))
    return different(
        [
            *((label, theirs[name], mine[name]) for name, label in labels.items()),
            (_("Calendar"), *(names.get(one["calendar"], "") for one in (theirs, mine))),
            *((label, words[theirs[name]], words[mine[name]]) for name, label in switches.items()),
            *((label, *(_lines(one[name]) for one in (theirs, mine))) for label, name in lists),
        ]
    )


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(map(str, values))


def _lines(given: Any) -> str:
    """What a level holds for, or its steps, a line each; blank ones are left out."""
    if isinstance(given, dict):
        return "\n".join(f"{fact}: {_listed(values)}" for fact, values in sorted(given.items()) if values and fact != "segment")
    return "\n".join(_listed(step) for step in sorted(map(tuple, given)) if step[1].strip())


def _saved_calendar(changed: int) -> str:
    sentence = ngettext("Saved; %(n)s running deadline has moved.", "Saved; %(n)s running deadlines have moved.", changed)
    return sentence % {"n": changed} if changed else _("Saved; no running deadline has moved.")


def _given_calendar(request: HttpRequest) -> dict[str, Any]:
    given: dict[str, Any] = {name: request.POST.get(name, "") for name in ("name", "zone", "country", "subdivision", "days")}
    given["week"] = [request.POST.get(f"day{number}", "") for number in range(7)]
    given["confirmed"] = [int(year) for year in request.POST.getlist("confirmed") if year.isdigit()]
    return given


def _shown_calendar(facts: CalendarFacts | None) -> dict[str, Any]:
    if facts is None:
        return {
            "name": "",
            "zone": "Asia/Shanghai",
            "country": "CN",
            "subdivision": "",
            "days": "",
            "week": list(USUAL_WEEK),
            "confirmed": [],
        }
    week = [show_intervals(day).replace("–", "-") for day in facts.weekly]
    given = {"name": facts.name, "zone": facts.zone, "country": facts.country, "subdivision": facts.subdivision, "week": week}
    return {**given, "days": show_days(facts.days), "confirmed": list(facts.confirmed_years)}


def _calendar_facts(given: dict[str, Any]) -> CalendarFacts:
    weekly = [read_intervals(text, str(name)) for text, name in zip(given["week"], WEEKDAYS, strict=True)]
    days = read_days(given["days"])
    return CalendarFacts(given["name"], given["zone"], weekly, given["country"], given["subdivision"], given["confirmed"], days)


def _calendar_choices(given: dict[str, Any]) -> dict[str, Any]:
    years = []
    for year in (now().year, now().year + 1):
        try:
            years.append(_show_year(given, year))
        except DeskError:
            continue  # the form says what is wrong with country or days
    return {
        "weekdays": list(zip(range(7), WEEKDAYS, given["week"], strict=True)),
        "zones": sorted(available_timezones()),
        "countries": list_countries(),
        "years": years,
    }


def _show_year(given: dict[str, Any], year: int) -> dict[str, Any]:
    """A year as twelve rows of days, each with what it is and why."""
    found = find_holidays(given["country"], given["subdivision"], year)
    by_hand = read_days(given["days"])
    week = [bool(read_intervals(text, "")) for text in given["week"]]
    months = []
    for month in range(1, 13):
        cells = []
        for number in range(1, monthrange(year, month)[1] + 1):
            day = date(year, month, number)
            kind, why = ("work", "") if week[day.weekday()] else ("free", "")
            if day in found.closed:
                kind, why = "holiday", found.closed[day]
            if day in found.make_up:
                kind, why = "made-up", _("make-up working day")
            if day in by_hand:
                kind, why = ("by-hand-work" if by_hand[day][0] else "by-hand-free"), by_hand[day][1]
            cells.append({"day": day, "kind": kind, "why": why})
        months.append({"first": date(year, month, 1), "cells": cells})
    is_confirmed = year in given["confirmed"]
    return {"year": year, "months": months, "is_published": found.is_published, "is_confirmed": is_confirmed, "disputed": found.disputed}


def _given_level(request: HttpRequest) -> dict[str, Any]:
    given: dict[str, Any] = {name: request.POST.get(name, "") for name in ("name", "calendar", "position", "segment")}
    given |= {target: request.POST.get(target.lower(), "") for target in TARGETS}
    given["pauses"], given["is_active"] = "pauses" in request.POST, "is_active" in request.POST
    given["fits"] = {fact: request.POST.getlist(fact) for fact in ("kind", "priority", "channel", "team")}
    names = ("step_target", "step_minutes", "step_action")
    given["steps"] = _fill(list(zip(*(request.POST.getlist(name) for name in names), strict=False)))
    return given


def _shown_level(stored: Any) -> dict[str, Any]:
    if stored is None:
        blank = {"name": "", "calendar": "", "position": "10", "segment": "", "pauses": True, "is_active": True, "fits": {}}
        return {**blank, "FIRST_RESPONSE": "1h", "NEXT_RESPONSE": "4h", "RESOLUTION": "16h", "steps": _fill([])}
    targets = {target: show_minutes(minutes) for target, minutes in zip(TARGETS, _minutes_of(stored), strict=True)}
    fits = {fact: [str(value) for value in values] for fact, values in stored.conditions.items()}
    steps = [(step.target, show_minutes(step.minutes), step.action) for step in stored.steps.order_by("target", "minutes")]
    facts = {"name": stored.name, "calendar": str(stored.calendar_id), "position": str(stored.position), "is_active": stored.is_active}
    return {
        **facts,
        **targets,
        "segment": ", ".join(fits.get("segment", [])),
        "pauses": stored.pauses_while_waiting,
        "fits": fits,
        "steps": _fill(steps),
    }


def _level_facts(given: dict[str, Any]) -> LevelFacts:
    numbers = ("priority", "channel", "team")
    conditions: dict[str, list[Any]] = {
        fact: [int(value) for value in values if value.isdigit()] if fact in numbers else values for fact, values in given["fits"].items()
    }
    conditions["segment"] = [part.strip() for part in given["segment"].replace("，", ",").split(",") if part.strip()]
    steps = [(target, read_minutes(minutes, "steps"), action) for target, minutes, action in given["steps"] if minutes.strip()]
    return LevelFacts(
        name=given["name"],
        calendar_id=int(given["calendar"]) if given["calendar"].isdigit() else 0,
        targets={target: read_minutes(given[target], target.lower()) for target in TARGETS},
        conditions=conditions,
        steps=[(target, minutes or 0, action) for target, minutes, action in steps],
        pauses_while_waiting=given["pauses"],
        is_active=given["is_active"],
        position=min(int(given["position"]), 32_000) if given["position"].isdigit() else 0,
    )


def _fill(steps: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return steps + [("FIRST_RESPONSE", "", "NOTIFY_ASSIGNEE")] * max(STEP_LINES - len(steps), 0)


def _minutes_of(stored: Any) -> list[int | None]:
    return [stored.first_response_minutes, stored.next_response_minutes, stored.resolution_minutes]


def _show_week(weekly: list[list[list[int]]]) -> list[tuple[str, str]]:
    """Neighbouring weekdays with the same hours as one: (Monday–Friday, 09:00–18:00)."""
    groups: list[list[int]] = []
    for number, intervals in enumerate(weekly):
        if groups and weekly[groups[-1][0]] == intervals:
            groups[-1].append(number)
        else:
            groups.append([number])
    shown = []
    for group in groups:
        name = str(WEEKDAYS[group[0]]) if len(group) == 1 else f"{WEEKDAYS[group[0]]} – {WEEKDAYS[group[-1]]}"
        hours = show_intervals([(start, end) for start, end in weekly[group[0]]])
        shown.append((name, hours or _("closed")))
    return shown


def _fit_groups(viewer: Viewer) -> list[tuple[str, Any, list[tuple[str, Any]]]]:
    words = _condition_words(viewer)
    names = {"kind": _("Kind of contact"), "priority": _("Priority"), "channel": _("Channel"), "team": _("Team")}
    return [(fact, name, list(words[fact].items())) for fact, name in names.items() if words[fact]]


def _condition_words(viewer: Viewer) -> dict[str, dict[str, Any]]:
    offered = choices()
    return {
        "kind": {str(code): word for code, word in offered["kind"]},
        "priority": {str(code): word for code, word in offered["priority"]},
        "channel": {str(one.pk): one.name for one in list_channels(viewer)},
        "team": {str(one.pk): one.name for one in list_teams(viewer)},
    }
