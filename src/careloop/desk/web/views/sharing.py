"""Shared pages."""

from typing import Any

from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import access_case
from careloop.desk.cases.queries import page as case_page
from careloop.desk.kernel.actor import Actor
from careloop.desk.teamwork import looking, sharing
from careloop.desk.web.access import for_viewer
from careloop.desk.web.views.customer_page import POLICY
from careloop.desk.web.views.together import now, number_or_none


@require_http_methods(["GET", "POST"])
@for_viewer("case.work")
def share(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Choose messages, and see which pages of the case are shared."""
    case = access_case(case_id, viewer)
    if request.method == "POST":
        chosen = [number for one in request.POST.getlist("message") if (number := number_or_none(one, "messages"))]
        days = number_or_none(request.POST.get("days", ""), "days") or 0
        sharing.share(case_id=case_id, message_ids=chosen, days=days, purpose=request.POST.get("purpose", ""), viewer=viewer, now=now())
        return redirect("case-share", case_id)
    looking.note_look(case_id, viewer, place="case-share", now=now())
    pages = [{"page": one, "address": sharing.address_of(one)} for one in sharing.list_shared(case)]
    context = {"case": case, "messages_said": case_page(case_id, viewer).messages, "pages": pages, "now": now()}
    return render(request, "together/share.html", context)


@require_POST
@for_viewer("case.work")
def take_back(request: HttpRequest, viewer: Viewer, page_id: int) -> HttpResponse:
    """Close a shared page."""
    return redirect("case-share", sharing.take_back(page_id=page_id, viewer=viewer, now=now()).case_id)


def _shared(request: HttpRequest, *_args: Any, **given: Any) -> HttpResponseBase:
    """The chosen messages, to whoever has the address."""
    found = sharing.open_shared(given["token"], now=now())
    if found:
        guest = Actor("link", found.page.pk, (found.page.purpose or found.page.made_by_name)[:200])
        looking.note_visit(found.page.case_id, guest, action="shared.view", now=now(), page=found.page.pk)
    template = "customer_page/shared.html" if found else "customer_page/gone.html"
    response = render(request, template, {"shared": found}, status=200 if found else 404)
    response["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


shared = require_GET(never_cache(csp_replace(POLICY)(_shared)))
