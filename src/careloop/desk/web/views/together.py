"""What stands beside a case for working on it together, and what can be done there."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.queries import list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.teamwork import attachments, case_tasks, customer_links, following, looking, saved_views, snoozes, tags
from careloop.desk.teamwork.case_tasks import NewTask
from careloop.desk.web.access import for_viewer


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("case.view")
def panel(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """The panel: a fragment beside the case, or a page of its own."""
    context = panel_context(viewer, case_id)
    looking.note_look(case_id, viewer, place="case-together", now=now())
    return _answer(request, context)


@require_GET
@for_viewer("case.work")
def mentions(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """The names of those who may see the case, for an @ in a note; never one's own."""
    people = following.people_who_see(access_case(case_id, viewer).team_id)
    names = sorted(name for number, name in people.items() if number != viewer.user_id)
    return JsonResponse({"people": names})


@require_POST
@for_viewer("case.work")
def revoke_links(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Take back every link to the customer's page that was given out."""
    return _do(request, viewer, case_id, lambda facts: customer_links.revoke_links(**facts))


@require_POST
@for_viewer("case.work")
def add_task(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Ask somebody to do something."""
    return _do(request, viewer, case_id, lambda facts: case_tasks.add_task(new=new_task(request), **facts))


@require_POST
@for_viewer("case.work")
def apply_template(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Add the tasks of a template."""
    given = request.POST.get("template", "")
    return _do(
        request, viewer, case_id, lambda facts: case_tasks.apply_template(template_id=number_or_none(given, "template") or 0, **facts)
    )


@require_POST
@for_viewer("case.view")
def follow(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Follow the case, or no longer."""
    is_on = request.POST.get("follow", "yes") == "yes"
    return _do(request, viewer, case_id, lambda facts: following.follow(is_on=is_on, **facts))


@require_POST
@for_viewer("case.work")
def tag(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Put a tag on, or take one off."""
    name, is_on = request.POST.get("tag", "") or request.POST.get("remove", ""), "remove" not in request.POST
    return _do(request, viewer, case_id, lambda facts: tags.set_tag(name=name, is_on=is_on, **facts))


@require_POST
@for_viewer("case.work")
def field(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Enter something in a field of the house."""
    code, given = request.POST.get("code", ""), request.POST.get("value", "")
    return _do(request, viewer, case_id, lambda facts: tags.set_field(code=code, given=given, **facts))


@require_POST
@for_viewer("case.work")
def snooze(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Let the case wait until a moment."""
    given, reason = request.POST.get("until", ""), request.POST.get("reason", "")
    return _do(
        request, viewer, case_id, lambda facts: snoozes.snooze(until=moment_or_none(given, "until") or now(), reason=reason, **facts)
    )


def panel_context(viewer: Viewer, case_id: int) -> dict[str, Any]:
    """All that the panel shows."""
    case = access_case(case_id, viewer)
    values = tags.values_of([case_id])[case_id]
    followers = following.list_followers(case)
    return {
        "case": case,
        "tasks": case_tasks.list_case_tasks(case),
        "people": case_tasks.list_people(),
        "teams": list_teams(viewer),
        "templates": saved_views.list_templates(),
        "followers": followers,
        "is_following": viewer.user_id in {person.pk for person in followers},
        "case_tags": tags.tags_of([case_id])[case_id],
        "known_tags": tags.list_tags(viewer),
        "fields": [_field(one, values.get(one.code)) for one in tags.list_definitions()],
        "snoozed": snoozes.find_snooze(case),
        "files": attachments.list_files(case),
        "customer_link": customer_links.link_for(case, now=now()) if viewer.may("case.work") else "",
        "now": now(),
    }


def _field(one: Any, value: Any) -> dict[str, Any]:
    """A field of the house with its value, and the address that lists the cases with the same one."""
    typed = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
    return {"field": one, "name": tags.named(one), "value": value, "address": "" if value is None else f"{one.code}:{typed}"}


def number_or_none(given: str, field: str) -> int | None:
    """A number from a form; None when it is blank."""
    if given and not (given.isascii() and given.isdigit() and len(given) < 19):
        raise InvalidInput(_("“%(given)s” is not a number; load the page again.") % {"given": given[:40]}, field=field)
    return int(given) if given else None


def moment_or_none(given: str, field: str) -> datetime | None:
    """A moment of the house's zone from a form; None when it is blank."""
    if not given:
        return None
    try:
        moment = parse_datetime(given)
    except ValueError:
        moment = None
    if moment is None:
        raise InvalidInput(_("“%(given)s” is no time; write 2026-05-04 14:00.") % {"given": given[:40]}, field=field)
    return timezone.make_aware(moment) if moment.tzinfo is None else moment


def new_task(request: HttpRequest) -> NewTask:
    """What a form says of a task."""
    return NewTask(
        request.POST.get("title", ""),
        request.POST.get("department", ""),
        number_or_none(request.POST.get("team", ""), "team"),
        number_or_none(request.POST.get("assignee", ""), "assignee"),
        moment_or_none(request.POST.get("due", ""), "due"),
    )


def _do(request: HttpRequest, viewer: Viewer, case_id: int, act: Callable[[dict[str, Any]], Any]) -> HttpResponse:
    access_case(case_id, viewer)
    act({"case_id": case_id, "viewer": viewer, "now": now()})
    return redirect("case-together", case_id) if not request.headers.get("HX-Request") else _answer(request, panel_context(viewer, case_id))


def _answer(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return render(request, "together/panel.html", context)
    return render(request, "case/alone.html", {**context, "title": _("Working together"), "part": "together/alone.html"})
