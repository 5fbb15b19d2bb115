"""What waits for an approval: the list, and how many of it wait for the one who looks."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.approval_queries import COUNTED, Waiting, count_mine, list_waiting
from careloop.desk.flows.queries import named
from careloop.desk.flows.wording import role_names
from careloop.desk.web.access import for_viewer
from careloop.desk.web.flow_panel import amount_words


@require_GET
@for_viewer("case.work")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What the viewer decides, then what somebody else decides, the viewer's own requests among it."""
    found, is_more = list_waiting(viewer)
    rows = [_row(one, viewer) for one in found]
    mine, others = [row for row in rows if row["is_mine"]], [row for row in rows if not row["is_mine"]]
    return render(request, "flows/approvals.html", {"mine": mine, "others": others, "is_more": is_more})


@require_GET
@for_viewer("case.work")
def count(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The number beside the link; in the inbox a line of its own."""
    place = "inbox" if request.GET.get("place") == "inbox" else "tab"
    return render(request, "flows/approval_count.html", {"n": count_mine(viewer), "most": COUNTED, "place": place})


def _row(one: Waiting, viewer: Viewer) -> dict[str, Any]:
    asked = one.approval
    step = one.flow.find_transition(asked.transition) if one.flow is not None else None
    return {
        "asked": asked,
        "step": named(step.name) if step is not None else asked.transition,
        "amount": amount_words(one.flow, step, asked.amount),
        "decisions": one.decisions,
        "is_mine": one.is_mine,
        "why": "" if one.is_mine else _why_not(one, viewer),
    }


def _why_not(one: Waiting, viewer: Viewer) -> str:
    if one.approval.asked_by_id == viewer.user_id:
        return _("You asked; somebody else decides (four eyes).")
    if any(said.who_id == viewer.user_id for said in one.decisions):
        return _("You agreed already; somebody else has to, too.")
    return _("Decided by: %(roles)s.") % {"roles": role_names(one.approval.roles)}
