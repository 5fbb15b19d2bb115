"""While somebody writes: what was typed, who else is here, and second thoughts."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.web.access import for_viewer
from careloop.desk.web.views.case import case_context
from careloop.desk.writing import actions, queries, work_time


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_POST
@for_viewer("case.work")
def keep(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Keep what was typed so far."""
    kind = request.POST.get("kind", "REPLY")
    actions.keep_draft(case_id=case_id, kind=kind, body=request.POST.get("body", ""), viewer=viewer, now=now())
    return HttpResponse(status=204)


@require_POST
@for_viewer("case.view")
def here(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Say that one has the case open, and hear who else has."""
    actions.note_presence(case_id=case_id, viewer=viewer, now=now())
    if request.POST.get("active") == "1" and viewer.may("case.work"):
        work_time.note_work(case_id=case_id, viewer=viewer, now=now())
    return render(request, "case/others.html", {"others": queries.list_others(case_id, viewer, now()), "case_id": case_id})


@require_POST
@for_viewer("case.work")
def undo(request: HttpRequest, viewer: Viewer, case_id: int, held_id: int) -> HttpResponse:
    """Take a reply back; its text is in the composer again."""
    actions.undo_reply(held_id=held_id, viewer=viewer, now=now())
    if not request.headers.get("HX-Request"):
        return redirect("case", case_id)
    return render(request, "case/undone.html", case_context(request, viewer, case_id))
