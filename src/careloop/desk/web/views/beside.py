"""What stands beside a case and comes after its page: similar cases, the conversation in short, texts by the language model.

Each is a fragment that htmx fetches, and a page of its own without scripts.
"""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.conversation_queries import summary_of
from careloop.desk.analysis.similar_queries import SHOWN, SimilarCase, list_similar
from careloop.desk.drafting.actions import ask_for_text
from careloop.desk.drafting.queries import Shown, find_service, get_service, newest_text
from careloop.desk.web.access import for_viewer

ALONE_SHOWN = 20


@require_GET
@for_viewer("case.view")
def similar(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Cases like this one, how they ended, and which say almost the same."""
    found = list_similar(case_id, viewer, SHOWN if _is_fragment(request) else ALONE_SHOWN)
    rows = [{"one": one, "gap": gap_in_words(one)} for one in found.found]
    return _answer(request, "case/similar.html", _("Similar cases"), {"case": found.case, "found": found, "rows": rows})


@require_http_methods(["GET", "POST"])
@for_viewer("case.view")
def summary(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Who asked what, what was promised, what is open; POST asks the language model to say it in words."""
    if request.method == "POST":
        ask_for_text(case_id=case_id, purpose="SUMMARY", viewer=viewer, now=datetime.now(UTC))
        if not _is_fragment(request):
            return redirect("case-summary", case_id)
    conversation = summary_of(case_id, viewer)
    if not conversation.is_long and _is_fragment(request):
        return HttpResponse("")
    context = {"case": conversation.case, "conversation": conversation, **_text_context(case_id, "SUMMARY", viewer)}
    return _answer(request, "case/conversation.html", _("The conversation in short"), context)


@require_http_methods(["GET", "POST"])
@for_viewer("case.work")
def draft(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """The language model's draft of a reply; POST asks for one."""
    get_service()
    if request.method == "POST":
        ask_for_text(case_id=case_id, purpose="REPLY", viewer=viewer, now=datetime.now(UTC))
        if not _is_fragment(request):
            return redirect("case-draft", case_id)
    return _answer(request, "case/draft.html", _("Draft of a reply"), _text_context(case_id, "REPLY", viewer))


def gap_in_words(one: SimilarCase) -> str:
    """How long before or after the case's own message the other one was written."""
    seconds = one.gap.total_seconds()
    if abs(seconds) < 60:
        return _("at the same time")
    base = datetime(2000, 1, 1, tzinfo=UTC)
    gap = timesince(base, base + abs(one.gap), depth=1)
    return (_("%(gap)s earlier") if seconds < 0 else _("%(gap)s later")) % {"gap": gap}


def _text_context(case_id: int, purpose: str, viewer: Viewer) -> dict[str, Any]:
    if find_service() is None:
        return {"has_model": False}
    shown: Shown = newest_text(case_id, purpose, viewer)
    return {"has_model": True, "case": shown.case, "text": shown.text}


def _is_fragment(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


def _answer(request: HttpRequest, part: str, title: str, context: dict[str, Any]) -> HttpResponse:
    if _is_fragment(request):
        return render(request, part, context)
    return render(request, "case/alone.html", {**context, "part": part, "title": title, "is_alone": True})
