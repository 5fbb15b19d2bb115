"""Merging, splitting and linking cases: pages of their own that work without scripts, and the part beside a case that leads to them."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput
from careloop.desk.merging import queries
from careloop.desk.merging.actions import merge_cases
from careloop.desk.merging.actions import undo as undo_regrouping
from careloop.desk.merging.duplicates import list_duplicates
from careloop.desk.merging.linking import link_cases, say_not_the_same, unlink_cases
from careloop.desk.merging.splitting import split_case
from careloop.desk.web.access import for_viewer
from careloop.desk.web.merging_words import reasons_of


@require_GET
@for_viewer("case.view")
def grouping(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """What a case has to do with others: linked cases, merges and splits that can be undone, probable duplicates."""
    case, found = queries.page(case_id, viewer)
    duplicates = [{"one": one, "reasons": reasons_of(one.likeness)} for one in list_duplicates(case_id, viewer)]
    context = {"case": case, "grouping": found, "duplicates": duplicates}
    return _answer(request, "case/grouping.html", _("Other cases of the same matter"), context)


@require_http_methods(["GET", "POST"])
@for_viewer("case.work")
def merge(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Choose a case, see what will happen, merge. `other` is the case chosen; `into` which of the two stays."""
    case, _found = queries.page(case_id, viewer)
    try:
        other_id = _number(request, "other")
        preview = None if other_id is None else _preview(request, viewer, case_id, other_id)
    except DeskError as refused:
        return _choose(request, viewer, case, refused)
    if other_id is None or preview is None:
        return _choose(request, viewer, case)
    context: dict[str, Any] = {"case": preview.case, "preview": preview, "other_id": other_id}
    if request.method == "GET":
        return _answer(request, "case/merge.html", _("Merge with another case"), context)
    expected = {number: _number(request, f"version-{number}") or 0 for number in (case_id, other_id)}
    facts: dict[str, Any] = {"expected_versions": expected, "viewer": viewer, "now": datetime.now(UTC)}
    try:
        made = merge_cases(source_ids=[preview.source.pk], into_id=preview.into.pk, **facts)
    except (Conflict, InvalidInput) as refused:
        fresh = {"preview": _preview(request, viewer, case_id, other_id), "error": refused.message}
        return _answer(request, "case/merge.html", _("Merge with another case"), {**context, **fresh}, refused.status)
    words = _("#%(source)s was merged into #%(into)s.") % {"source": preview.source.pk, "into": preview.into.pk}
    return _done(request, made.into_id, words, made.pk)


def _preview(request: HttpRequest, viewer: Viewer, case_id: int, other_id: int) -> queries.Preview:
    into_id = _number(request, "into") or min(case_id, other_id)
    return queries.preview_merge(case_id=case_id, other_id=other_id, into_id=into_id, viewer=viewer)


def _choose(request: HttpRequest, viewer: Viewer, case: Any, refused: DeskError | None = None) -> HttpResponse:
    """The number of the other case, or one of those that may be the same; with what was wrong with the one given."""
    suggested = [{"one": one, "reasons": reasons_of(one.likeness)} for one in list_duplicates(case.pk, viewer, 8, 0.1)]
    context = {
        "case": case,
        "suggested": suggested,
        "error": refused.message if refused else "",
        "given": request.GET.get("other", "")[:20],
    }
    return _answer(request, "case/merge.html", _("Merge with another case"), context, refused.status if refused else 200)


@require_http_methods(["GET", "POST"])
@for_viewer("case.work")
def split(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Tick messages and give them a case of their own; what was ticked stays when it is refused."""
    error, status, ticked = "", 200, request.POST.getlist("message")
    if request.method == "POST":
        try:
            made = _split(request, viewer, case_id, ticked)
        except (Conflict, InvalidInput) as refused:
            error, status = refused.message, refused.status
        else:
            n = len(ticked)
            words = ngettext("%(n)s message of #%(case)s is case #%(new)s now.", "%(n)s messages of #%(case)s are case #%(new)s now.", n)
            return _done(request, made.into_id, words % {"n": n, "case": case_id, "new": made.into_id}, made.pk)
    shown = queries.list_splittable(case_id, viewer, is_all="all" in request.GET)
    context = {"case": shown.case, "shown": shown, "error": error, "ticked": ticked, "subject": request.POST.get("subject", "")}
    return _answer(request, "case/split.html", _("Split messages off"), context, status)


def _split(request: HttpRequest, viewer: Viewer, case_id: int, ticked: list[str]) -> Any:
    if not all(one.isascii() and one.isdigit() and len(one) < 19 for one in ticked):
        raise InvalidInput(_("A message was named that is no number; load the page again."), field="message")
    return split_case(
        case_id=case_id,
        message_ids=[int(one) for one in ticked],
        expected_version=_number(request, "version") or 0,
        subject=request.POST.get("subject", ""),
        viewer=viewer,
        now=datetime.now(UTC),
    )


@require_POST
@for_viewer("case.work")
def undo(request: HttpRequest, viewer: Viewer, regrouping_id: int) -> HttpResponse:
    """Take a merge or split back."""
    home = queries.home_of(regrouping_id, viewer)
    undo_regrouping(regrouping_id=regrouping_id, viewer=viewer, now=datetime.now(UTC))
    return _done(request, home, _("Undone: everything is where it was."))


@require_POST
@for_viewer("case.work")
def link(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Link the case with another; CAUSED says that the other caused this one."""
    other_id, kind = _other(request, viewer, case_id), request.POST.get("kind", "RELATED")
    first, second, kind = (other_id, case_id, "CAUSE") if kind == "CAUSED" else (case_id, other_id, kind)
    link_cases(case_id=first, other_id=second, kind=kind, viewer=viewer, now=datetime.now(UTC))
    return _done(request, case_id, _("#%(case)s and #%(other)s are linked.") % {"case": case_id, "other": other_id})


@require_POST
@for_viewer("case.work")
def unlink(request: HttpRequest, viewer: Viewer, case_id: int, link_id: int) -> HttpResponse:
    """Take a link away."""
    unlink_cases(link_id=link_id, viewer=viewer, now=datetime.now(UTC))
    return _done(request, case_id, _("The link was removed."))


@require_POST
@for_viewer("case.work")
def not_the_same(request: HttpRequest, viewer: Viewer, case_id: int) -> HttpResponse:
    """Remember that two cases are different matters."""
    other_id = _other(request, viewer, case_id)
    say_not_the_same(case_id=case_id, other_id=other_id, viewer=viewer, now=datetime.now(UTC))
    return _done(request, case_id, _("#%(other)s will not be suggested here again.") % {"other": other_id})


def _other(request: HttpRequest, viewer: Viewer, case_id: int) -> int:
    """The case that the form names beside the one of the address, which must be in sight."""
    access_case(case_id, viewer)
    other_id = _number(request, "other")
    if other_id is None:
        raise InvalidInput(_("No case was named; give the number of the other case."), field="other")
    return other_id


def _number(request: HttpRequest, name: str) -> int | None:
    given = (request.POST.get(name) or request.GET.get(name) or "").strip().removeprefix("#")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise InvalidInput(_("“%(given)s” is not the number of a case; give digits such as 123.") % {"given": given[:40]}, field=name)
    return int(given)


def _done(request: HttpRequest, case_id: int, words: str, regrouping_id: int = 0) -> HttpResponse:
    """Back to the case, with a sentence and, where it makes sense, a button to undo."""
    context = {"words": words, "regrouping_id": regrouping_id}
    messages.success(request, render_to_string("case/undo_toast.html", context, request))
    return redirect("case", case_id)


def _answer(request: HttpRequest, part: str, title: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return render(request, part, context, status=status)
    return render(request, "case/alone.html", {**context, "part": part, "title": title, "is_alone": True}, status=status)
