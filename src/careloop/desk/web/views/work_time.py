"""How long people worked on a case: what was measured, and putting it right."""

from datetime import UTC, date, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from careloop.desk.accounts.queries import list_assignable
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.web.access import for_viewer
from careloop.desk.web.downloads import csv_answer
from careloop.desk.web.measure_words import span
from careloop.desk.writing.work_time import COLUMNS, correct_work, list_work, work_lines


@require_http_methods(["GET", "POST"])
@for_viewer("case.work")
def panel(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """The panel beside the case (or a page of its own), and a correction."""
    case = access_case(case_id, viewer)
    if request.method == "POST":
        correct_work(
            case_id=case_id,
            user_id=_number(request.POST.get("user", ""), "user"),
            day=_day(request.POST.get("day", "")),
            minutes=_number(request.POST.get("minutes", ""), "minutes"),
            reason=request.POST.get("reason", ""),
            viewer=viewer,
            now=datetime.now(UTC),
        )
        if not request.headers.get("HX-Request"):
            return redirect("case", case_id)
    worked = list_work([case_id])
    people = [person for person in list_assignable(case.team_id) if viewer.may("case.approve") or person.pk == viewer.person_id]
    context = {
        "case": case,
        "rows": [{"worked": one, "time": span(one.seconds), "measured": span(one.measured_seconds)} for one in worked],
        "whole": span(sum(one.seconds for one in worked)) if worked else "",
        "people": people,
        "me": viewer.person_id,
        "today": timezone.localdate(),
    }
    fragment = bool(request.headers.get("HX-Request"))
    return render(request, "case/work_time.html" if fragment else "case/work_time_page.html", context)


@require_GET
@for_viewer("case.work")
def export(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """The same as CSV, in seconds."""
    return csv_answer(f"work-time-{case_id}", COLUMNS, work_lines(case_id, viewer))


def _number(given: str, field: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise InvalidInput(_("“%(given)s” is not a whole number; write one such as 15.") % {"given": given}, field=field)
    return int(given)


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise InvalidInput(_("“%(given)s” is not a day; write it as 2026-05-04.") % {"given": given}, field="day") from None
