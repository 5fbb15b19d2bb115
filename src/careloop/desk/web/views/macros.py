"""Macros: the list, the form, and the picker beside what is being written."""

import json
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.queries import list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation import actions, queries
from careloop.desk.automation.actions import MacroFacts
from careloop.desk.automation.registry import ACTIONS
from careloop.desk.automation.rules.texts import OF_REPLIES
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput
from careloop.desk.web.access import for_viewer
from careloop.desk.web.conflicts import Side, different
from careloop.desk.web.rule_form import action_lines, offered_actions
from careloop.desk.web.rule_words import Vocabulary, read_actions, vocabulary
from careloop.desk.web.views.case import case_context, leave_case

ACTION_LINES = 3
OF_MACROS = [code for code, kind in ACTIONS.items() if kind.is_for_macros]


@require_GET
@for_viewer("case.work")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The macros that the viewer may use."""
    words = vocabulary(viewer)
    found = list(queries.list_macros(viewer))
    uses = queries.count_uses([macro.pk for macro in found], datetime.now(UTC))
    rows = [
        {
            "macro": macro,
            "actions": [words.action(action) for action in macro.actions],
            "uses": uses.get(macro.pk, 0),
            "may_change": queries.may_change(macro, viewer),
        }
        for macro in found
    ]
    return render(request, "macros/page.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@for_viewer("case.work")
def macro(request: HttpRequest, viewer: Viewer, macro_id: int | None = None) -> HttpResponse:
    """One macro: who may use it, its text, its actions."""
    stored = queries.access_macro(macro_id, viewer) if macro_id is not None else None
    words = vocabulary(viewer)
    given = _given(request) if request.method == "POST" else _shown(stored, words)
    errors: dict[str, str] = {}
    sides: list[Side] = []
    version = request.POST.get("version", stored.version if stored else "")
    status = 200
    if request.method == "POST" and "more" not in request.POST:
        try:
            facts, seen = _facts(given, words), _seen(version) if stored is not None else None
            actions.save_macro(facts=facts, viewer=viewer, now=datetime.now(UTC), macro_id=macro_id, expected_version=seen)
            messages.success(request, _("The macro was saved."))
            return redirect("macros")
        except DeskError as refused:
            errors, status = {refused.field or "form": refused.message}, refused.status
            if isinstance(refused, Conflict) and macro_id is not None:
                stored = queries.access_macro(macro_id, viewer)
                sides, version = _sides(_shown(stored, words), given, viewer), stored.version
    context = {
        "macro": stored,
        "given": given,
        "errors": errors,
        "sides": sides,
        "version": version,
        "scopes": queries.scope_choices(viewer),
        "teams": list_teams(viewer),
        "variables": OF_REPLIES,
        **offered_actions(words, OF_MACROS),
    }
    return render(request, "macros/macro.html", context, status=status)


@require_POST
@for_viewer("case.work")
def delete(request: HttpRequest, viewer: Viewer, macro_id: int) -> HttpResponse:
    """Remove a macro."""
    actions.delete_macro(macro_id=macro_id, viewer=viewer, now=datetime.now(UTC))
    messages.success(request, _("The macro was removed."))
    return redirect("macros")


@require_GET
@for_viewer("case.work")
def picker(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """The macros that fit a case and what was typed."""
    case, words = access_case(case_id, viewer), vocabulary(viewer)
    found = queries.find_macros(viewer, case, request.GET.get("q", ""))
    rows = [{"macro": one, "actions": [words.action(action) for action in one.actions]} for one in found]
    return render(request, "macros/picked.html", {"case": case, "rows": rows})


@require_POST
@for_viewer("case.work")
def take(request: HttpRequest, viewer: Viewer, case_id: int, macro_id: int) -> HttpResponse:
    """Take a macro's actions, and give its text to what is being written."""
    taken = actions.take_macro(macro_id=macro_id, case_id=case_id, viewer=viewer, now=datetime.now(UTC))
    if (gone := leave_case(request, viewer, case_id)) is not None:
        if taken.text:
            messages.info(request, _("The text of the macro was not used: the case is out of your sight. Reply first, then give it away."))
        return gone
    response = render(request, "macros/taken.html", {**case_context(request, viewer, case_id), "taken": taken, "oob": True})
    response["HX-Trigger-After-Swap"] = json.dumps({"careloop:done": {"case": case_id, "sent": ""}, "careloop:macro": {}})
    return response


def _given(request: HttpRequest) -> dict[str, Any]:
    given: dict[str, Any] = {name: request.POST.get(name, "") for name in ("name", "scope", "team", "body")}
    rows = [row for row in zip(request.POST.getlist("do"), request.POST.getlist("do_value"), strict=False) if row[0]]
    room = max(ACTION_LINES - len(rows), 1) + ("more" in request.POST)
    return {**given, "is_active": "is_active" in request.POST, "actions": rows + [("", "")] * room}


def _shown(stored: Any, words: Vocabulary) -> dict[str, Any]:
    if stored is None:
        return {"name": "", "scope": "PERSON", "team": "", "body": "", "is_active": True, "actions": [("", "")] * ACTION_LINES}
    rows = [(action["do"], words.action_value(action)) for action in stored.actions]
    facts = {"name": stored.name, "scope": stored.scope, "team": str(stored.team_id or ""), "body": stored.body}
    return {**facts, "is_active": stored.is_active, "actions": rows + [("", "")] * max(ACTION_LINES - len(rows), 1)}


def _facts(given: dict[str, Any], words: Vocabulary) -> MacroFacts:
    return MacroFacts(
        name=given["name"],
        scope=given["scope"],
        body=given["body"],
        actions=read_actions(given["actions"], words),
        team_id=int(given["team"]) if given["team"].isdigit() else None,
        is_active=given["is_active"],
    )


def _seen(given: Any) -> int:
    """The version that the form was made from."""
    if not str(given).isdecimal() or len(str(given)) > 9:
        raise InvalidInput(_("The form is damaged; load the page again."))
    return int(given)


def _sides(theirs: dict[str, Any], mine: dict[str, Any], viewer: Viewer) -> list[Side]:
    scopes, teams, yes_no = (
        dict(queries.scope_choices(viewer)),
        {str(one.pk): one.name for one in list_teams(viewer)},
        {True: _("yes"), False: _("no")},
    )
    both = (theirs, mine)
    return different(
        [
            (pgettext("thing", "Name"), theirs["name"], mine["name"]),
            (_("For"), *(scopes.get(one["scope"], one["scope"]) for one in both)),
            (_("Team"), *(teams.get(one["team"], "") for one in both)),
            (_("Text"), theirs["body"], mine["body"]),
            (_("Then"), *("\n".join(action_lines(one["actions"])) for one in both)),
            (_("In force"), *(yes_no[one["is_active"]] for one in both)),
        ]
    )
