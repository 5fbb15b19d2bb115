"""Steps of a case on its flow, from the case page: taking one, asking for approval, deciding."""

import json
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases import moves
from careloop.desk.cases.flow_queries import flow_page
from careloop.desk.cases.queries import access_case
from careloop.desk.flows.queries import named
from careloop.desk.kernel.errors import Conflict, InvalidInput
from careloop.desk.web.access import for_viewer
from careloop.desk.web.conflicts import Side
from careloop.desk.web.flow_panel import shown
from careloop.desk.web.views.case import case_context, conflict

PREFIX = "field-"


@require_POST
@for_viewer("case.work")
def take(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Take a step with what was entered for it, ask for its approval, or only keep what was entered."""
    entered = {name.removeprefix(PREFIX): str(text) for name, text in request.POST.items() if name.startswith(PREFIX)}
    version = request.POST.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise InvalidInput(_("“%(given)s” is not a number; load the page again.") % {"given": version[:40]}, field="version")
    facts: dict[str, Any] = {"case_id": case_id, "expected_version": int(version), "viewer": viewer, "now": datetime.now(UTC)}
    step, what = request.POST.get("step", ""), request.POST.get("do", "")
    try:
        if what == "keep":
            moves.fill_fields(entered=entered, **facts)
        elif what == "ask":
            moves.ask_approval(transition=step, entered=entered, comment=request.POST.get("comment", ""), **facts)
        else:
            moves.move(transition=step, entered=entered, **facts)
    except Conflict:
        return _both(request, viewer, case_id, entered)
    return _shown(request, viewer, case_id)


@require_POST
@for_viewer("case.approve")
def decide(request: HttpRequest, viewer: Viewer, case_id: int, approval_id: int) -> HttpResponse:
    """Agree to a step, or refuse it."""
    access_case(case_id, viewer)
    said = request.POST.get("decision", "")
    if said not in ("yes", "no"):
        raise InvalidInput(_("Agree or refuse; “%(given)s” was given.") % {"given": said[:40]}, field="decision")
    comment = request.POST.get("comment", "")
    asked = moves.decide(approval_id=approval_id, is_yes=said == "yes", viewer=viewer, now=datetime.now(UTC), comment=comment)
    back = request.POST.get("next", "")
    if back != reverse("approvals"):
        return _shown(request, viewer, asked.case_id)
    sentence = _("You agreed; case #%(number)s.") if said == "yes" else _("You refused; case #%(number)s.")
    messages.success(request, sentence % {"number": asked.case_id})
    return redirect(back)


def _shown(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return redirect("case", case_id)
    response = render(request, "case/parts.html", case_context(request, viewer, case_id))
    response["HX-Trigger-After-Swap"] = json.dumps({"careloop:done": {"case": case_id, "sent": ""}})
    return response


def _both(request: HttpRequest, viewer: Viewer, case_id: int, entered: dict[str, str]) -> HttpResponse:
    """Where the case stands by now and what it has, beside the step and the values that this person sent."""
    page = flow_page(access_case(case_id, viewer), viewer)
    if page is None:
        raise Conflict(_("Somebody else changed this case in between, and it has no steps any more; load the page again."))
    sides = []
    for code, text in entered.items():
        field, value = page.flow.find_field(code), page.row.values.get(code)
        if field is not None:
            sides.append(Side(named(field.name), "" if value is None else shown(field, value), text))
    step = request.POST.get("step", "")
    wanted = next((one for one in page.flow.transitions if one.code == step), None)
    here = page.flow.find_state(page.row.state)
    sides.insert(0, Side(_("Step"), named(here.name) if here else page.row.state, named(wanted.name) if wanted else step))
    again = [(name, str(text)) for name, text in request.POST.items() if name in {"step", "do", "comment"} or name.startswith(PREFIX)]
    return conflict(request, viewer, case_id, {"sides": sides, "again": again})
