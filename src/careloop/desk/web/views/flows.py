"""Flows: how cases of a kind go from arrival to their end; a drawing, an editor, versions, and the move of running cases."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases import flow_versions
from careloop.desk.cases.flow_queries import count_cases, count_unresolved
from careloop.desk.cases.queries import choices
from careloop.desk.flows import actions, queries
from careloop.desk.flows.actions import FlowFacts
from careloop.desk.flows.queries import named
from careloop.desk.flows.rules.flow import ROLES, STATUSES, Flow, Transition
from careloop.desk.flows.rules.reading import InvalidFlow, flow_to_json, read_flow
from careloop.desk.flows.wording import field_names, role_names
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput
from careloop.desk.kernel.wording import spoken
from careloop.desk.web.access import for_viewer
from careloop.desk.web.flow_diagram import draw_flow
from careloop.desk.web.flow_form import definition_from, rows_of
from careloop.desk.web.flow_panel import limit_words
from careloop.desk.web.flow_rows import rows_typed
from careloop.desk.web.flow_sides import flow_sides
from careloop.desk.web.flow_words import consequence_names, type_names
from careloop.desk.web.timeline import word

BLANK: dict[str, Any] = {"states": [], "transitions": [], "fields": []}


@require_GET
@for_viewer("flow.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Every flow with its kind and how many cases run on it."""
    open_cases = count_unresolved(viewer)
    rows = [
        {
            "version": version,
            "name": named(version.flow.name),
            "kind": word("kind", version.flow.kind),
            "states": " → ".join(named(state["name"]) for state in version.definition["states"][:6]),
            "cases": open_cases.get(version.flow_id, 0),
        }
        for version in queries.live_versions()
    ]
    return render(request, "flows/page.html", {"rows": rows})


@require_GET
@for_viewer("flow.view")
def flow(request: HttpRequest, viewer: Viewer, flow_id: int) -> HttpResponse:
    """One flow: the drawing, its steps in words, its versions and where cases stand; ?version= shows an older one."""
    asked = request.GET.get("version", "")
    version = queries.access_version(flow_id, int(asked[:9]) if asked.isdecimal() else None)
    shown = queries.flow_of(version)
    counts = count_cases(flow_id, viewer)
    here = {one.state: one.unresolved for one in counts if one.number == version.number}
    by_version = Counter({one.number: 0 for one in counts})
    for one in counts:
        by_version[one.number] += one.unresolved
    versions = queries.list_versions(flow_id)
    context = {
        "version": version,
        "name": named(version.flow.name),
        "kind": word("kind", version.flow.kind),
        "drawing": draw_flow(shown, here),
        "steps": [_step_in_words(shown, number, step) for number, step in enumerate(shown.transitions, start=1)],
        "fields": [{"name": named(one.name), "code": one.code, "type": type_names()[one.type]} for one in shown.fields],
        "versions": [{"version": one, "cases": by_version[one.number], "is_shown": one.pk == version.pk} for one in versions],
        "behind": sum(count for number, count in by_version.items() if number != versions[0].number),
    }
    return render(request, "flows/flow.html", context)


@require_http_methods(["GET", "POST"])
@for_viewer("flow.edit")
def edit(request: HttpRequest, viewer: Viewer, flow_id: int | None = None) -> HttpResponse:
    """Make a flow or change one, by form or as JSON; what makes no sense is said sentence by sentence. Adding a row saves nothing."""
    version = queries.access_version(flow_id) if flow_id is not None else None
    facts: dict[str, Any] = {"given": _stored(version), "faults": [], "status": 200}
    if request.method == "POST":
        facts["given"] = _given(request)
        if not {"add", "remove"} & set(request.POST):
            saved = _save(request, viewer, flow_id, facts)
            if saved is not None:
                return redirect("flow", saved.flow_id)
    return _editor(request, version, facts)


def _save(request: HttpRequest, viewer: Viewer, flow_id: int | None, facts: dict[str, Any]) -> Any:
    """The version in force afterwards; None when nothing was saved, and then `facts` say why."""
    given = facts["given"]
    try:
        given["definition"] = _definition(request)
        saved, is_new = actions.save_flow(
            facts=_facts(given), viewer=viewer, now=datetime.now(UTC), flow_id=flow_id, expected_number=given["number"]
        )
    except InvalidFlow as refused:
        facts |= {"faults": [spoken(one) for one in refused.faults], "status": refused.status}
    except Conflict as refused:
        newest = _stored(queries.access_version(flow_id)) if flow_id is not None else given
        facts |= {"conflict": spoken(refused.message), "sides": flow_sides(newest, _normal(given)), "status": refused.status}
        given["number"] = newest["number"]
    except DeskError as refused:
        facts |= {"faults": [spoken(refused.message)], "status": refused.status}
    else:
        said = _("Saved as version %(number)s; running cases stay on theirs.") if is_new else _("Saved; version %(number)s stays in force.")
        messages.success(request, said % {"number": saved.number})
        return saved
    return None


def _editor(request: HttpRequest, version: Any, facts: dict[str, Any]) -> HttpResponse:
    """The form: with what is stored, or as it was typed."""
    given = facts["given"]
    is_form = request.method == "POST" and "as_json" not in request.POST
    context = {
        **facts,
        "flow": version.flow if version is not None else None,
        "title": named(version.flow.name) if version is not None else _("New flow"),
        "rows": rows_typed(request.POST.dict(), _lists(request)) if is_form else rows_of(_whole(given["definition"])),
        "json": request.POST["json"] if request.POST.get("json") else json.dumps(given["definition"], ensure_ascii=False, indent=1),
        "blank": {"number": "__N__", "is_blank": True, "is_new": True},
        "blank_task": {"number": "__T__", "days": "3"},
        "kinds": choices()["kind"],
        "statuses": [(code, word("status", code)) for code in STATUSES],
        "roles": [(role, role_names([role])) for role in ROLES],
        "types": type_names(),
        "consequences": consequence_names(),
    }
    return render(request, "flows/edit.html", context, status=facts["status"])


@require_http_methods(["GET", "POST"])
@for_viewer("flow.edit")
def move(request: HttpRequest, viewer: Viewer, flow_id: int) -> HttpResponse:
    """Bring running cases to the newest version: first what would happen, then the move."""
    newest, offered, places = flow_versions.preview_moving(flow_id, viewer)
    refusal, status = "", 200
    if request.method == "POST":
        targets = {(one.number, one.state.code): request.POST.get(f"to-{one.key}", "") for one in places}
        number = request.POST.get("number", "")
        try:
            expected = int(number[:9]) if number.isdecimal() else 0
            moved = flow_versions.move_cases(
                flow_id=flow_id, targets=targets, expected_number=expected, viewer=viewer, now=datetime.now(UTC)
            )
            messages.success(request, ngettext("%(n)s case was moved.", "%(n)s cases were moved.", moved) % {"n": moved})
            return redirect("flow", flow_id)
        except DeskError as refused:
            refusal, status = refused.message, refused.status
    rows = [{"one": one, "name": named(one.state.name), "chosen": request.POST.get(f"to-{one.key}", one.target)} for one in places]
    context = {
        "version": newest,
        "name": named(newest.flow.name),
        "rows": rows,
        "states": [(state.code, named(state.name)) for state in offered],
        "cases": sum(one.cases for one in places),
        "asked": sum(one.asked for one in places),
        "refusal": refusal,
    }
    return render(request, "flows/move.html", context, status=status)


def _step_in_words(shown: Flow, number: int, step: Transition) -> dict[str, Any]:
    source, target = shown.find_state(step.source), shown.find_state(step.target)
    return {
        "number": number,
        "name": named(step.name),
        "source": named(source.name) if source is not None else step.source,
        "target": named(target.name) if target is not None else step.target,
        "roles": role_names(step.roles),
        "required": field_names(shown, step.required),
        "limit": limit_words(shown, step.approval),
        "people": step.approval.people if step.approval is not None else 0,
        "tasks": [{"name": named(task.name), "department": named(task.department), "days": task.days} for task in step.tasks],
        "then": [consequence_names()[what] for what in step.then],
    }


def _stored(version: Any) -> dict[str, Any]:
    if version is None:
        return {"en": "", "zh": "", "kind": "", "position": "10", "is_active": True, "note": "", "number": None, "definition": BLANK}
    kept = version.flow
    names = {"en": kept.name.get("en", ""), "zh": kept.name.get("zh", "")}
    facts = {"kind": kept.kind, "position": str(kept.position), "is_active": kept.is_active, "note": ""}
    return {**names, **facts, "number": version.number, "definition": version.definition}


def _normal(given: dict[str, Any]) -> dict[str, Any]:
    """What was given, which makes sense, in the shape in which it would be stored."""
    return {**given, "definition": flow_to_json(read_flow(given["definition"]))}


def _given(request: HttpRequest) -> dict[str, Any]:
    given: dict[str, Any] = {name: request.POST.get(name, "").strip() for name in ("en", "zh", "kind", "position", "note")}
    number = request.POST.get("number", "")
    return {
        **given,
        "is_active": "is_active" in request.POST,
        "number": int(number[:9]) if number.isdecimal() else None,
        "definition": BLANK,
    }


def _definition(request: HttpRequest) -> Any:
    if "as_json" not in request.POST:
        return definition_from(request.POST.dict(), _lists(request))
    try:
        return json.loads(request.POST.get("json", ""))
    except json.JSONDecodeError as error:
        sentence = _("The text is no JSON: line %(line)s, column %(column)s. Put it right and save again.")
        raise InvalidInput(sentence % {"line": error.lineno, "column": error.colno}, field="definition") from error


def _lists(request: HttpRequest) -> dict[str, list[str]]:
    return {name: [str(one) for one in values] for name, values in request.POST.lists()}


def _facts(given: dict[str, Any]) -> FlowFacts:
    if given["kind"] not in dict(choices()["kind"]):
        raise InvalidInput(_("Choose the kind of contact whose cases take this flow."), field="kind")
    return FlowFacts(
        name={"en": given["en"], "zh": given["zh"]},
        kind=given["kind"],
        definition=given["definition"],
        position=int(given["position"]) if given["position"].isdecimal() and len(given["position"]) < 6 else -1,
        is_active=given["is_active"],
        note=given["note"],
    )


def _whole(definition: Any) -> dict[str, Any]:
    """What the form can show: the JSON when it has the shape of a flow, else nothing."""
    try:
        rows_of(definition)
    except (AttributeError, KeyError, TypeError):
        return BLANK
    return dict(definition)
