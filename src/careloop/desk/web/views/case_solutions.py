"""Solutions beside a case: the likeliest with their probability, a search, and taking one into the reply."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from careloop.desk.accounts.rules import Viewer
from careloop.desk.solutions import queries
from careloop.desk.solutions.using import offer, take
from careloop.desk.web.access import for_viewer


@require_GET
@for_viewer("case.view")
def offers(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """What would help in this case, or what a search of the library finds; a fragment for htmx, a page without."""
    query = request.GET.get("q", "")[:200]
    found = offer(case_id=case_id, viewer=viewer, now=datetime.now(UTC), query=query)
    context = {"case": found.case, "found": found, "query": query}
    if request.headers.get("HX-Request"):
        return render(request, "solutions/panel.html", context)
    alone = {"part": "solutions/panel.html", "title": _("Suggested solutions"), "is_alone": True}
    return render(request, "case/alone.html", {**context, **alone})


@require_http_methods(["GET", "POST"])
@for_viewer("case.work")
def letter(request: HttpRequest, viewer: Viewer, case_id: int, solution_id: int) -> HttpResponse:
    """A whole letter from the solution, the customer and the case; POST notes that it is taken into the reply."""
    if request.method == "POST":
        take(case_id=case_id, solution_id=solution_id, viewer=viewer, now=datetime.now(UTC))
        return HttpResponse(status=204) if request.headers.get("HX-Request") else redirect("case-solution", case_id, solution_id)
    case, solution, text = queries.draft_of(case_id, solution_id, viewer)
    context = {"case": case, "solution": solution, "text": text, "title_of": queries.text_of(solution).title}
    if request.headers.get("HX-Request"):
        return render(request, "solutions/letter.html", context)
    alone = {"part": "solutions/letter.html", "title": _("Reply from a solution"), "is_alone": True}
    return render(request, "case/alone.html", {**context, **alone})
