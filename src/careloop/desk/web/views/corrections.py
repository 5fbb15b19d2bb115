"""A person's word on a message, from the case page."""

import json
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis import queueing
from careloop.desk.kernel.errors import Conflict
from careloop.desk.web.access import for_viewer
from careloop.desk.web.conflicts import Side
from careloop.desk.web.views.case import case_context, conflict

LABELS = {"CATEGORY": gettext_lazy("Category"), "KIND": gettext_lazy("Kind of contact"), "SENTIMENT": gettext_lazy("Sentiment")}


@require_POST
@for_viewer("case.work")
def correct(request: HttpRequest, viewer: Viewer, case_id: int, message_id: int) -> HttpResponse:
    """Category, kind or sentiment; the answer is the case as it is now, with the reading of the same message."""
    seen = request.POST.get("seen", "")
    try:
        queueing.correct(
            case_id=case_id,
            message_id=message_id,
            task=request.POST.get("task", ""),
            value=request.POST.get("value", ""),
            seen_correction_id=int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 19 else 0,
            viewer=viewer,
            now=datetime.now(UTC),
        )
    except Conflict:
        return _both(request, viewer, case_id, message_id)
    if not request.headers.get("HX-Request"):
        return redirect(f"{reverse('case', args=[case_id])}?{request.GET.urlencode()}#reading-title")
    response = render(request, "case/parts.html", case_context(request, viewer, case_id))
    response["HX-Trigger-After-Swap"] = json.dumps({"careloop:done": {"case": case_id, "sent": ""}})
    return response


def _both(request: HttpRequest, viewer: Viewer, case_id: int, message_id: int) -> HttpResponse:
    """What a colleague said in the meantime beside what this person wanted to say."""
    task, value = request.POST.get("task", ""), request.POST.get("value", "")
    row = case_context(request, viewer, case_id)["offered"].get(task)
    if row is None or row.message_id != message_id:
        raise Conflict(_("A colleague corrected this message in between; load the page again and look at it."))
    names = {one.value: one.label for one in (*row.options, *row.others)}
    theirs = next((one.label for one in row.options if one.is_current), row.current)
    again = [("task", task), ("seen", str(row.seen)), ("value", value)]
    return conflict(request, viewer, case_id, {"sides": [Side(LABELS[task], theirs, names.get(value, value))], "again": again})
