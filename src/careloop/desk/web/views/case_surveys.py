"""Beside a case: what its customer was asked and answered, and asking by hand."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import DeskError
from careloop.desk.surveys import inviting, queries
from careloop.desk.surveys.actions import say_consent
from careloop.desk.surveys.words import reason_words
from careloop.desk.web.access import for_viewer
from careloop.desk.web.survey_words import answers_in_words
from careloop.desk.web.views.together import number_or_none


@require_GET
@for_viewer("case.view")
def panel(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """The panel: a fragment beside the case, or a page of its own."""
    return _answer(request, viewer, case_id)


@require_POST
@for_viewer("case.work")
def send(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Ask the customer; the same form sent twice asks once, a refusal says why."""
    access_case(case_id, viewer)
    survey_id = number_or_none(request.POST.get("survey", ""), "survey") or 0
    try:
        inviting.send_by_hand(
            survey_id=survey_id, case_id=case_id, key=request.POST.get("once", "")[:32], viewer=viewer, now=datetime.now(UTC)
        )
    except DeskError as refused:
        return _answer(request, viewer, case_id, error=refused)
    return _done(request, viewer, case_id)


@require_POST
@for_viewer("case.work")
def revoke(request: HttpRequest, viewer: Viewer, case_id: int, invitation_id: int) -> HttpResponse:
    """Close the links of an invitation."""
    queries.access_invitation(invitation_id, case_id, viewer)
    inviting.revoke(invitation_id=invitation_id, viewer=viewer, now=datetime.now(UTC))
    return _done(request, viewer, case_id)


@require_POST
@for_viewer("case.work")
def consent(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Note what the customer told somebody of the house about being asked."""
    case = access_case(case_id, viewer)
    may_ask = request.POST.get("may_ask") == "yes"
    say_consent(customer_id=case.customer_id, may_ask=may_ask, actor=actor_of(viewer), now=datetime.now(UTC))
    return _done(request, viewer, case_id)


def _done(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    return _answer(request, viewer, case_id) if request.headers.get("HX-Request") else redirect("case-surveys", case_id)


def _answer(request: HttpRequest, viewer: Viewer, case_id: int, error: DeskError | None = None) -> HttpResponse:
    case = access_case(case_id, viewer)
    language = "zh" if (get_language() or "").startswith("zh") else "en"
    rows = [
        {
            "invitation": one,
            "reason": reason_words(one.reason) if one.reason else "",
            "answer": answer,
            "given": answers_in_words(one.version, answer.answers, language) if answer is not None else [],
        }
        for one in queries.list_of_case(case_id)
        for answer in [getattr(one, "answer", None)]
    ]
    context = {
        "case": case,
        "rows": rows,
        "surveys": queries.list_sendable(viewer),
        "agreed": queries.find_consent(case.customer_id),
        "error": error.message if error is not None else "",
        "once": f"{datetime.now(UTC):%Y%m%d%H%M%S%f}",
    }
    template = "surveys/panel.html" if request.headers.get("HX-Request") else "surveys/alone.html"
    is_shown = request.headers.get("HX-Request") and error is not None
    return render(request, template, context, status=200 if is_shown or error is None else error.status)
