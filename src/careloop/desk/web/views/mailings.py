"""Reports by mail: what is sent to whom when and what became of it; change, pause, leave, send now."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput
from careloop.desk.reports import mail_sending, mailings
from careloop.desk.reports.tasks import mail_report
from careloop.desk.reports.words import ALL_NAMES
from careloop.desk.web.access import for_viewer
from careloop.desk.web.conflicts import Side
from careloop.desk.web.mailing_form import choice_words, form_context, sent_given, sides, stored_given
from careloop.desk.web.views.together import number_or_none


@require_GET
@for_viewer("report.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """All in the viewer's sight, and the form for another."""
    return _page(request, viewer, None)


@require_POST
@for_viewer("report.view")
def make(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Mail another report."""
    try:
        mailings.save_mailing(facts=sent_given(request.POST, viewer).facts(), viewer=viewer, now=datetime.now(UTC))
    except InvalidInput as error:
        return _page(request, viewer, error)
    messages.success(request, _("The report will be mailed."))
    return redirect("mailings")


@require_http_methods(["GET", "POST"])
@for_viewer("report.view")
def edit(request: HttpRequest, viewer: Viewer, mailing_id: int) -> HttpResponse:
    """Change one; a second editor sees both versions."""
    stored = mailings.get_mailing(mailing_id, viewer)
    given = sent_given(request.POST, viewer) if request.method == "POST" else stored_given(stored)
    version = request.POST.get("version", str(stored.version))
    error: DeskError | None = None
    both: list[Side] = []
    if request.method == "POST":
        try:
            seen = number_or_none(version, "version")
            facts, now = given.facts(), datetime.now(UTC)
            mailings.save_mailing(facts=facts, viewer=viewer, now=now, mailing_id=mailing_id, expected_version=seen)
            messages.success(request, _("The report will be mailed so."))
            return redirect("mailings")
        except (Conflict, InvalidInput) as refused:
            error = refused
    context = form_context(given, viewer, stored)
    if isinstance(error, Conflict):
        stored = mailings.get_mailing(mailing_id, viewer)
        both, version = sides(stored_given(stored), given, context, viewer), str(stored.version)
    context |= {"mailing": stored, "version": version, "sides": both, "may_change": mailings.may_change(stored, viewer)}
    context |= {"name": _name(stored), "errors": {error.field or "form": error.message} if error else {}}
    return render(request, "dashboards/mailing.html", context, status=error.status if error else 200)


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
def leave(request: HttpRequest, viewer: Viewer, mailing_id: int) -> HttpResponse:
    """Get it no longer oneself."""
    mailings.leave_mailing(mailing_id=mailing_id, viewer=viewer, now=datetime.now(UTC))
    messages.success(request, _("This report is no longer mailed to you."))
    return redirect("mailings")


@require_POST
@for_viewer("report.view")
def remove(request: HttpRequest, viewer: Viewer, mailing_id: int) -> HttpResponse:
    """Mail it to nobody any more."""
    mailings.remove_mailing(mailing_id=mailing_id, viewer=viewer, now=datetime.now(UTC))
    messages.success(request, _("This report is no longer mailed."))
    return redirect("mailings")


@require_POST
@for_viewer("report.view")
def send_now(request: HttpRequest, viewer: Viewer, mailing_id: int) -> HttpResponse:
    """Mail the newest period that is over to oneself."""
    return _queue(request, mail_sending.prepare_now(mailing_id=mailing_id, viewer=viewer, now=datetime.now(UTC)))


@require_POST
@for_viewer("report.view")
def again(request: HttpRequest, viewer: Viewer, mail_id: int) -> HttpResponse:
    """Send one mail again."""
    return _queue(request, mail_sending.prepare_again(mail_id=mail_id, viewer=viewer, now=datetime.now(UTC)))


def _queue(request: HttpRequest, mail: Any) -> HttpResponse:
    mail_report.enqueue(mail.pk)
    messages.success(request, _("The mail goes out in a moment; load the page again to see what became of it."))
    return redirect("mailings")


def _page(request: HttpRequest, viewer: Viewer, error: InvalidInput | None) -> HttpResponse:
    now = datetime.now(UTC)
    context = {
        "rows": [_row(one, viewer, now) for one in mailings.list_with_mails(viewer)],
        "errors": {error.field or "form": error.message} if error else {},
        **form_context(sent_given(request.POST or request.GET, viewer), viewer),
    }
    return render(request, "dashboards/mailings.html", context, status=error.status if error else 200)


def _row(one: Any, viewer: Viewer, now: datetime) -> dict[str, Any]:
    people = one.recipients.all()
    return {
        "mailing": one,
        "name": _name(one),
        "hour": f"{one.hour:02}:00",
        "people": people,
        "choice": choice_words(stored_given(one), viewer),
        "may_change": mailings.may_change(one, viewer),
        "may_leave": any(person.pk == viewer.person_id for person in people),
        "mails": [
            {"mail": mail, "is_unknown": mail_sending.is_cut_off(mail, now), "may_again": mail_sending.may_again(mail, now)}
            for mail in one.newest
        ],
    }


def _name(one: Any) -> Any:
    return one.dashboard.name if one.dashboard else ALL_NAMES.get(one.report, one.report)
