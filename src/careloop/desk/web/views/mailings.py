"""Reports by mail: what is sent to whom when, what became of it, pause and resume."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.reports import mailings
from careloop.desk.reports.dashboards import list_dashboards
from careloop.desk.reports.mailings import MailingFacts
from careloop.desk.reports.tasks import mail_report
from careloop.desk.web.access import for_viewer
from careloop.desk.web.measure_words import REPORT_NAMES
from careloop.desk.web.views.together import number_or_none

MAILS_SHOWN = 8


@require_GET
@for_viewer("report.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """All in the viewer's sight, and the form for another."""
    return _page(request, viewer, None)


@require_POST
@for_viewer("report.view")
def make(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Mail another report."""
    given = request.POST
    kind, _colon, name = given.get("what", "").partition(":")
    try:
        hour = number_or_none(given.get("hour", ""), "hour")
        people = [int(one) for one in given.getlist("recipients") if one.isdecimal() and len(one) < 12]
        facts = MailingFacts(
            name if kind == "report" else "",
            number_or_none(name, "what") if kind == "dashboard" else None,
            given.get("query", ""),
            given.get("rhythm", ""),
            -1 if hour is None else hour,
            people,
        )
        mailings.make_mailing(facts=facts, viewer=viewer, now=datetime.now(UTC))
    except InvalidInput as error:
        return _page(request, viewer, error)
    messages.success(request, _("The report will be mailed."))
    return redirect("mailings")


@require_POST
@for_viewer("report.view")
def switch(request: HttpRequest, viewer: Viewer, mailing_id: int) -> HttpResponse:
    """Pause or resume."""
    version = number_or_none(request.POST.get("version", ""), "version") or 0
    is_active = request.POST.get("to") == "on"
    mailings.switch_mailing(mailing_id=mailing_id, is_active=is_active, expected_version=version, viewer=viewer, now=datetime.now(UTC))
    return redirect("mailings")


@require_POST
@for_viewer("report.view")
def remove(request: HttpRequest, viewer: Viewer, mailing_id: int) -> HttpResponse:
    """Mail it no longer."""
    mailings.remove_mailing(mailing_id=mailing_id, viewer=viewer, now=datetime.now(UTC))
    return redirect("mailings")


@require_POST
@for_viewer("report.view")
def again(request: HttpRequest, viewer: Viewer, mail_id: int) -> HttpResponse:
    """Send one mail again."""
    mail = mailings.prepare_again(mail_id=mail_id, viewer=viewer, now=datetime.now(UTC))
    mail_report.enqueue(mail.pk)
    return redirect("mailings")


def _page(request: HttpRequest, viewer: Viewer, error: InvalidInput | None) -> HttpResponse:
    given = request.POST or request.GET
    now = datetime.now(UTC)
    context = {
        "rows": [_row(one, now) for one in mailings.list_mailings(viewer)],
        "reports": [(f"report:{slug}", name) for slug, name in REPORT_NAMES.items()],
        "dashboards": [(f"dashboard:{one.pk}", one.name) for one in list_dashboards(viewer)],
        "people": mailings.list_possible_recipients(viewer),
        "chosen_people": given.getlist("recipients") or [str(viewer.user_id)],
        "rhythms": mailings.rhythm_choices(),
        "hours": [str(hour) for hour in range(24)],
        "given": {"what": given.get("what", ""), "rhythm": given.get("rhythm", "week"), "hour": given.get("hour", "8")},
        "query": given.get("query", ""),
        "errors": {error.field or "form": error.message} if error else {},
    }
    return render(request, "dashboards/mailings.html", context, status=error.status if error else 200)


def _row(one: Any, now: datetime) -> dict[str, Any]:
    mails = list(one.mails.select_related("recipient").order_by("-first_day", "recipient__display_name")[:MAILS_SHOWN])
    return {
        "mailing": one,
        "name": one.dashboard.name if one.dashboard else REPORT_NAMES.get(one.report, one.report),
        "hour": f"{one.hour:02}:00",
        "mails": [
            {"mail": mail, "is_unknown": (cut := mailings.is_cut_off(mail, now)), "may_again": cut or mail.state in {"FAILED", "REFUSED"}}
            for mail in mails
        ],
    }
