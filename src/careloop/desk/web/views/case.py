"""The case page and what can be done on it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.correction_queries import correctable
from careloop.desk.analysis.queries import readings_of
from careloop.desk.analysis.taxonomy_queries import names_by_code
from careloop.desk.cases import actions, queries
from careloop.desk.cases.flow_queries import flow_page
from careloop.desk.cases.queries import CasePage
from careloop.desk.cases.teams import give_to_team, team_names
from careloop.desk.customers.queries import list_addresses
from careloop.desk.customers.rules import mask_address
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotFound
from careloop.desk.kernel.wording import spoken
from careloop.desk.merging.queries import find_merge
from careloop.desk.routing.lateness import find_chances
from careloop.desk.routing.queries import find_decision
from careloop.desk.teamwork.attachments import show_with
from careloop.desk.web.access import for_viewer
from careloop.desk.web.clock_words import clock_lines
from careloop.desk.web.conflicts import Side
from careloop.desk.web.correction_panel import Correctables, correction_panel
from careloop.desk.web.flow_panel import flow_panel
from careloop.desk.web.reading_panel import ReadingPanel, reading_panel
from careloop.desk.web.routing_words import panel_words
from careloop.desk.web.timeline import describe, timeline, word
from careloop.desk.web.views.files import choose_given
from careloop.desk.web.views.inbox import filter_from, part_wanted, suffix
from careloop.desk.writing.actions import write_note
from careloop.desk.writing.holding import hold_reply
from careloop.desk.writing.queries import writing_of

LABELS = {
    "assignee": gettext_lazy("Assignee"),
    "team": gettext_lazy("Team"),
    "priority": gettext_lazy("Priority"),
    "status": gettext_lazy("Status"),
}


@require_GET
@for_viewer("case.view")
def page(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """The case: a whole page, or beside the list that is already there."""
    is_fragment = part_wanted(request) == "work"
    context = {**case_context(request, viewer, case_id), "is_fragment": is_fragment}
    if not is_fragment:
        context["newest_event_id"] = queries.newest_event_id()
    return render(request, "case/work.html" if is_fragment else "case/page.html", context)


@require_GET
@for_viewer("case.view")
def parts(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Everything of an open case that may have changed; never what somebody is typing."""
    return render(request, "case/parts.html", case_context(request, viewer, case_id))


@require_GET
@for_viewer("case.view")
def earlier(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """The messages before the first that is shown."""
    case, messages, remaining = queries.list_earlier(case_id, _number(request.GET.get("before", ""), "before"), viewer)
    show_with(messages)
    context = {
        "case": case,
        "entries": timeline(messages, readings_of(messages, viewer), [], {}),
        "earlier": remaining,
        "first_message_id": messages[0].pk if messages else 0,
    }
    return render(request, "case/entries.html", context)


@require_GET
@for_viewer("case.view")
def message(request: HttpRequest, viewer: Viewer, case_id: int, message_id: int) -> HttpResponse:
    """The whole text of a very long message, as plain text: a browser wraps a million letters only slowly inside a page."""
    one = queries.get_message(queries.access_case(case_id, viewer), message_id)
    return HttpResponse(one.body, content_type="text/plain; charset=utf-8")


@require_POST
@for_viewer("case.work")
def reply(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Write to the customer, unless somebody wrote in between."""
    seen = _number(request.POST.get("seen", ""), "seen") if request.POST.get("seen") else None
    choose_given(request, viewer, case_id, "REPLY")
    try:
        hold_reply(
            case_id=case_id,
            body=request.POST.get("body", ""),
            viewer=viewer,
            now=datetime.now(UTC),
            status=request.POST.get("status", "WAITING"),
            seen_message_id=seen,
        )
    except Conflict:
        return conflict(request, viewer, case_id, {"newer": queries.list_newer_messages(case_id, seen or 0, viewer)})
    return _done(request, viewer, case_id, sent="reply")


@require_POST
@for_viewer("case.work")
def note(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Write something that only colleagues see."""
    choose_given(request, viewer, case_id, "NOTE")
    write_note(case_id=case_id, body=request.POST.get("body", ""), viewer=viewer, now=datetime.now(UTC))
    return _done(request, viewer, case_id, sent="note")


@require_POST
@for_viewer("case.work")
def assign(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Give the case to somebody, or to nobody."""
    given = request.POST.get("assignee", "")
    assignee_id = _number(given, "assignee") if given else None
    return _change(request, viewer, case_id, "assignee", lambda facts: actions.assign(assignee_id=assignee_id, **facts))


@require_POST
@for_viewer("case.work")
def team(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Give the case to another team; whoever loses sight of it by that is told so in the inbox."""
    queries.access_case(case_id, viewer)
    wanted = _number(request.POST.get("team", ""), "team")
    return _change(request, viewer, case_id, "team", lambda facts: give_to_team(team_id=wanted, **facts))


@require_POST
@for_viewer("case.work")
def priority(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Say what comes first."""
    wanted = _number(request.POST.get("priority", ""), "priority")
    return _change(request, viewer, case_id, "priority", lambda facts: actions.set_priority(priority=wanted, **facts))


@require_POST
@for_viewer("case.work")
def status(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Open, waiting or resolved."""
    wanted = request.POST.get("status", "")
    return _change(request, viewer, case_id, "status", lambda facts: actions.set_status(status=wanted, **facts))


def case_context(request: HttpRequest, viewer: Viewer, case_id: int) -> dict[str, Any]:
    """All that the templates of the case page show."""
    shown, moment = queries.page(case_id, viewer), datetime.now(UTC)
    readings = readings_of(shown.messages, viewer)
    show_with(shown.messages)
    choice, names = suffix(filter_from(request)), names_by_code(viewer)
    conversation = [one.pk for one in shown.messages if one.direction != "NOTE"]
    return {
        "case": shown.case,
        "entries": timeline(shown.messages, readings, shown.events, _people(shown), names),
        "category": names.get(shown.case.category, shown.case.category),
        "earlier": shown.earlier,
        "first_message_id": shown.messages[0].pk if shown.messages else 0,
        "seen": max(conversation, default=0),
        "assignable": shown.assignable,
        "teams": _other_teams(shown.case.team_id, viewer),
        "other_cases": shown.other_cases,
        **_chosen_reading(request, shown, readings),
        "addresses": [
            {"label": address.get_kind_display(), "masked": mask_address(address.kind, address.value)}
            for address in list_addresses(shown.case.customer)
        ],
        "writing": writing_of(case_id, viewer),
        "clocks": clock_lines(shown.clocks, find_chances(shown.clocks, moment), moment),
        "flow": flow_panel(flow_page(shown.case, viewer), viewer),
        "routing": panel_words(decision, names) if (decision := find_decision(shown.case)) else None,
        "choices": queries.choices(),
        "merged": find_merge(shown.case, viewer),
        "suffix": choice,
        "inbox_url": reverse("inbox") + choice,
        "customer_url": reverse("customer", args=[shown.case.customer_id]) if viewer.may("customer.view") else "",
    }


def _people(shown: CasePage) -> dict[int, str]:
    names = {event.actor_id: event.actor_name for event in shown.events if event.actor_kind == "user" and event.actor_id}
    return names | {person.pk: person.display_name for person in shown.assignable}


def _other_teams(team_id: int, viewer: Viewer) -> list[tuple[int, str, bool]]:
    """The teams that the case can be given to, and whether the viewer goes on seeing it there; those first."""
    found = [(number, name, viewer.sees_team(number)) for number, name in team_names().items() if number != team_id]
    return sorted(found, key=lambda one: not one[2])


def _chosen_reading(request: HttpRequest, shown: CasePage, readings: dict[int, Any]) -> dict[str, Any]:
    """The reading of the message that ?reading= names, else of the customer's newest; a number that is not shown counts as none."""
    inbound = [one for one in shown.messages if one.direction == "INBOUND"]
    wanted = request.GET.get("reading", "")
    chosen = next((one for one in inbound if str(one.pk) == wanted), None)
    message = chosen or (inbound[-1] if inbound else None)
    panel: ReadingPanel | None = None
    offered: dict[str, Correctables] = {}
    if message is not None and message.pk in readings:
        panel = reading_panel(readings[message.pk], message.sent_at)
        if not panel.error:
            offered = correction_panel(correctable(message, inbound, is_chosen=chosen is not None), readings[message.pk])
    shown_id = message.pk if message is not None and len(inbound) > 1 else 0
    return {
        "panel": panel,
        "offered": offered,
        "read_message_id": shown_id,
        "chosen_reading": chosen.pk if chosen else "",
    }


def _change(request: HttpRequest, viewer: Viewer, case_id: int, name: str, change: Callable[[dict[str, Any]], Any]) -> HttpResponse:
    version = _number(request.POST.get("version", ""), "version")
    try:
        change({"case_id": case_id, "expected_version": version, "viewer": viewer, "now": datetime.now(UTC)})
    except Conflict:
        value, shown = request.POST.get(name, ""), queries.page(case_id, viewer)
        side = Side(LABELS[name], _wish(name, _stored(name, shown), shown), _wish(name, value, shown))
        if side.theirs != side.mine:
            return conflict(request, viewer, case_id, {"sides": [side], "again": [(name, value)]})
    return _done(request, viewer, case_id)


def _done(request: HttpRequest, viewer: Viewer, case_id: int, sent: str = "") -> HttpResponse:
    if (gone := leave_case(request, viewer, case_id)) is not None:
        return gone
    if not request.headers.get("HX-Request"):
        return redirect("case", case_id)
    response = render(request, "case/parts.html", {**case_context(request, viewer, case_id), "sent": sent})
    response["HX-Trigger-After-Swap"] = json.dumps({"careloop:done": {"case": case_id, "sent": sent}})
    return response


def leave_case(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse | None:
    """Back to the inbox, which says where the case went, for whoever gave it out of their own sight; None for all others."""
    try:
        queries.access_case(case_id, viewer)
    except NotFound as gone:
        messages.success(request, spoken(gone.message))
        if not request.headers.get("HX-Request"):
            return redirect("inbox")
        response = HttpResponse(status=204)
        response["HX-Redirect"] = reverse("inbox")
        return response
    return None


def conflict(request: HttpRequest, viewer: Viewer, case_id: int, facts: dict[str, Any]) -> HttpResponse:
    """Both versions: what the others did, and what this person wanted (`sides`), with the fields that send it `again`."""
    if not request.headers.get("HX-Request"):
        raise Conflict(_("Somebody else changed this case in between; look at it, then repeat your change if it is still right."))
    shown = queries.page(case_id, viewer)
    told = [sentence for event in shown.events if (sentence := describe(event, _people(shown)))]
    context = {**case_context(request, viewer, case_id), **facts, "oob": True}
    if "sides" in facts:
        context |= {"theirs": told[-1] if told else "", "action": request.get_full_path()}
    response = render(request, "case/conflict.html", context, status=Conflict.status)
    response["HX-Retarget"], response["HX-Reswap"] = "#case-refusals", "innerHTML"
    return response


def _stored(name: str, shown: CasePage) -> str:
    column = {"assignee": "assignee_id", "team": "team_id"}.get(name, name)
    return str(getattr(shown.case, column) or "")


def _wish(name: str, value: str, shown: CasePage) -> str:
    if name == "assignee":
        return next((person.display_name for person in shown.assignable if str(person.pk) == value), _("Nobody"))
    if name == "team":
        return team_names().get(int(value), value)
    return word(name, int(value) if name == "priority" else value)


def _number(given: str, field: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise InvalidInput(_("“%(given)s” is not a number; load the page again.") % {"given": given[:40]}, field=field)
    return int(given)
