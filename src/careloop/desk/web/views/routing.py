"""Routing: how a team routes, who can take what, who would get what, and one's own availability."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.taxonomy_queries import names_by_code
from careloop.desk.cases.queries import choices
from careloop.desk.kernel.errors import DeskError, InvalidInput
from careloop.desk.kernel.wording import spoken
from careloop.desk.routing import actions, queries, staffing
from careloop.desk.routing.rules.queue import MINUTES, USUAL_MINUTES
from careloop.desk.routing.rules.table import ProfileFacts, SettingFacts, read_skills, show_skills
from careloop.desk.sla.queries import list_calendars
from careloop.desk.web.access import for_viewer
from careloop.desk.web.routing_words import because_words, delay_words, language_words, refusal_words

LEVELS = ("", "0", "1", "2", "3")
ABSENCES = {"1h": 1, "4h": 4, "day": 24, "week": 7 * 24}
MOST_ROWS = 500


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("routing.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """One team: its setting, its people with their load, its queue with who would get what and why."""
    given = request.GET.get("team", "")
    return _page(request, viewer, int(given) if given.isascii() and given.isdigit() and len(given) < 13 else None)


@require_POST
@for_viewer("routing.edit")
def setting(request: HttpRequest, viewer: Viewer, routed_team_id: int) -> HttpResponse:
    """Say how a team routes."""
    try:
        staffing.save_setting(team_id=routed_team_id, facts=_setting_facts(request), viewer=viewer, now=now())
    except InvalidInput as refused:
        return _page(request, viewer, routed_team_id, refused)
    messages.success(request, _("Saved; the next round follows it."))
    return _back(routed_team_id)


@require_POST
@for_viewer("routing.edit")
def people(request: HttpRequest, viewer: Viewer, routed_team_id: int) -> HttpResponse:
    """Write the table of a team's people."""
    try:
        rows = [_profile_facts(request, number) for number in _numbers(request) if _is_filled(request, number)]
        changed = staffing.save_profiles(team_id=routed_team_id, people=rows, viewer=viewer, now=now())
    except InvalidInput as refused:
        return _page(request, viewer, routed_team_id, refused)
    sentence = ngettext("Saved; %(n)s row has changed.", "Saved; %(n)s rows have changed.", changed)
    messages.success(request, sentence % {"n": changed} if changed else _("Nothing has changed."))
    return _back(routed_team_id)


@require_POST
@for_viewer("routing.edit")
def run(request: HttpRequest, viewer: Viewer, routed_team_id: int) -> HttpResponse:
    """One round of a team, now."""
    queries.access_team(routed_team_id, viewer)
    done = actions.route_team(team_id=routed_team_id, now=now())
    given = ngettext("%(n)s case was given out.", "%(n)s cases were given out.", done.assigned) % {"n": done.assigned}
    suggested = ngettext("%(n)s suggestion is new.", "%(n)s suggestions are new.", done.suggested) % {"n": done.suggested}
    messages.success(request, f"{given} {suggested}")
    return _back(routed_team_id)


@require_http_methods(["GET", "POST"])
@for_viewer("routing.view")
def availability(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """One's own switch, in the user's menu."""
    if request.method == "POST":
        status, length = request.POST.get("status", ""), request.POST.get("length", "")
        until = now() + timedelta(hours=ABSENCES[length]) if status == "AWAY" and length in ABSENCES else None
        returned = staffing.set_availability(status=status, away_until=until, viewer=viewer, now=now())
        if returned:
            sentence = ngettext("%(n)s open case went back to the queue.", "%(n)s open cases went back to the queue.", returned)
            messages.info(request, sentence % {"n": returned})
        if not request.headers.get("HX-Request"):
            return redirect("inbox")
    profile = queries.find_profile(viewer.user_id)
    status = queries.status_now(profile, now()) if profile else "AVAILABLE"
    lengths = {"1h": _("for an hour"), "4h": _("for four hours"), "day": _("for a day"), "week": _("for a week"), "": _("until I am back")}
    until = profile.away_until if profile and status == "AWAY" else None
    context = {"statuses": queries.availabilities(), "status": status, "until": until, "lengths": lengths}
    return render(request, "routing/availability.html", context)


@require_POST
@for_viewer("case.work")
def take_next(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Take the waiting case that matters most."""
    try:
        case = actions.take_next(viewer=viewer, now=now())
    except DeskError as refused:
        messages.warning(request, refused.message)
        return redirect("inbox")
    return redirect("case", case.pk)


def _page(request: HttpRequest, viewer: Viewer, team_id: int | None, error: DeskError | None = None) -> HttpResponse:
    found = queries.page(team_id, viewer, now())
    names, typed = names_by_code(viewer), request.POST if error else {}
    kinds = [(str(code), word) for code, word in choices()["kind"]]
    context = {
        "found": found,
        "rows": [_row(member, kinds, typed) for member in found.members],
        "planned": [_planned(one, names) for one in found.planned],
        "kinds": kinds,
        "languages": language_words(),
        "levels": LEVELS,
        "calendars": list_calendars(),
        "modes": queries.modes(),
        "setting": _shown_setting(found.setting, kinds, typed),
        "error": spoken(error.message) if error else "",
    }
    return render(request, "routing/page.html", context, status=error.status if error else 200)


def _row(member: queries.Member, kinds: list[tuple[str, Any]], typed: Any) -> dict[str, Any]:
    """A person as the table shows them: what was typed, else what is stored."""
    profile, number = member.profile, member.user.pk
    stored = {f"skill-{number}-{kind}": profile.skills.get(kind, "") for kind, _word in kinds}
    stored |= {f"language-{number}-{code}": profile.languages.get(code, "") for code in language_words()}
    stored |= {
        f"capacity-{number}": profile.capacity if profile.version else "",
        f"categories-{number}": show_skills(profile.skills),
        f"calendar-{number}": profile.calendar_id or "",
    }
    value = {name: str(typed.get(name, kept)) for name, kept in stored.items()}
    return {
        "user": member.user,
        "version": profile.version,
        "status": queries.status_now(profile, now()),
        "until": profile.away_until,
        "is_in_hours": member.person is None or member.person.is_in_hours,
        "open": member.open_cases,
        "capacity": value[f"capacity-{number}"],
        "full": profile.version > 0 and member.open_cases >= profile.capacity,
        "most": max(profile.capacity, member.open_cases, 1) if profile.version else 0,
        "skills": [(kind, word, value[f"skill-{number}-{kind}"]) for kind, word in kinds],
        "languages": [(code, word, value[f"language-{number}-{code}"]) for code, word in language_words().items()],
        "categories": value[f"categories-{number}"],
        "calendar": value[f"calendar-{number}"],
    }


def _planned(one: queries.Planned, names: dict[str, str]) -> dict[str, Any]:
    nobody = " · ".join(f"{name} {refusal_words(code)}" for name, code in one.refused.items())
    return {
        "case": one.case,
        "cost": f"{one.delay.score:.0f}",
        "why_now": delay_words(one.delay),
        "name": one.choice.person.name if one.choice else "",
        "because": because_words(one.choice.parts, names) if one.choice else nobody or _("nobody has a row in the table"),
    }


def _shown_setting(stored: Any, kinds: list[tuple[str, Any]], typed: Any) -> dict[str, Any]:
    minutes = [
        (kind, word, typed.get(f"minutes-{kind}", stored.minutes.get(kind, "")), MINUTES.get(kind, USUAL_MINUTES)) for kind, word in kinds
    ]
    mode = typed.get("mode", stored.mode)
    is_sticky = "is_sticky" in typed if "mode" in typed else stored.is_sticky
    most = typed.get("most_per_round", stored.most_per_round)
    return {"mode": mode, "is_sticky": is_sticky, "most_per_round": most, "minutes": minutes, "version": stored.version}


def _setting_facts(request: HttpRequest) -> SettingFacts:
    given = request.POST
    kinds = [str(code) for code, _word in choices()["kind"]]
    return SettingFacts(
        mode=given.get("mode", ""),
        is_sticky="is_sticky" in given,
        most_per_round=_whole(given.get("most_per_round", ""), "most_per_round"),
        minutes={kind: _whole(text, "minutes") for kind in kinds if (text := given.get(f"minutes-{kind}", "").strip())},
        version=_whole(given.get("version", ""), "version"),
    )


def _numbers(request: HttpRequest) -> list[int]:
    return [_whole(given, "person") for given in request.POST.getlist("person")[:MOST_ROWS]]


def _is_filled(request: HttpRequest, number: int) -> bool:
    """Whether a row has or had a capacity: whoever never had one stays without."""
    return bool(request.POST.get(f"capacity-{number}", "").strip()) or request.POST.get(f"version-{number}", "0") != "0"


def _profile_facts(request: HttpRequest, number: int) -> ProfileFacts:
    given = request.POST
    skills = {
        str(kind): _whole(text, "skills") for kind, _word in choices()["kind"] if (text := given.get(f"skill-{number}-{kind}", "").strip())
    }
    calendar = given.get(f"calendar-{number}", "")
    return ProfileFacts(
        user_id=number,
        capacity=_whole(given.get(f"capacity-{number}", ""), "capacity"),
        skills={**skills, **read_skills(given.get(f"categories-{number}", "")[:2_000])},
        languages={
            code: _whole(text, "languages") for code in language_words() if (text := given.get(f"language-{number}-{code}", "").strip())
        },
        calendar_id=_whole(calendar, "calendar") if calendar else None,
        version=_whole(given.get(f"version-{number}", ""), "version"),
    )


def _whole(given: str, field: str) -> int:
    text = given.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise InvalidInput(_("“%(given)s” is not a whole number; write one.") % {"given": text[:40]}, field=field)
    return int(text)


def _back(team_id: int) -> HttpResponse:
    return redirect(f"{reverse('routing')}?team={team_id}")
