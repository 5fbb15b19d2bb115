"""What stands beside a case for working on it together, and what can be done there."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import access_case
from careloop.desk.teamwork import attachments, customer_links
from careloop.desk.web.access import for_viewer
from careloop.desk.web.views.customer_page import file_response


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("case.view")
def panel(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """The panel: a fragment beside the case, or a page of its own."""
    return _answer(request, panel_context(viewer, case_id))


@require_POST
@for_viewer("case.work")
def revoke_links(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Take back every link to the customer's page that was given out."""
    customer_links.revoke_links(case_id=case_id, viewer=viewer, now=now())
    return _done(request, viewer, case_id)


@require_GET
@for_viewer("case.view")
def file(request: HttpRequest, viewer: Viewer, case_id: int, file_id: int) -> HttpResponse:
    """A file that the customer sent."""
    return file_response(attachments.access_file(case_id, file_id, viewer))


def panel_context(viewer: Viewer, case_id: int) -> dict[str, Any]:
    """All that the panel shows."""
    case = access_case(case_id, viewer)
    return {
        "case": case,
        "files": attachments.list_files(case),
        "customer_link": customer_links.link_for(case, now=now()) if viewer.may("case.work") else "",
    }


def _answer(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return render(request, "together/panel.html", context)
    return render(request, "case/alone.html", {**context, "title": _("Working together"), "part": "together/panel.html"})


def _done(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    if not request.headers.get("HX-Request"):
        return redirect("case-together", case_id)
    return _answer(request, panel_context(viewer, case_id))
