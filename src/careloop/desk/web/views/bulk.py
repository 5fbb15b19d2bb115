"""Many cases at once, from the inbox: what is offered, a preview, the change, taking it back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.bulk import actions, queries
from careloop.desk.bulk.rules import MOST_CASES, UNDO_WITHIN, Wish, read_versions, read_wish, write_versions
from careloop.desk.cases.queries import choices, list_chosen
from careloop.desk.customers.actions import record_search
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.web.access import for_viewer
from careloop.desk.web.bulk_words import REASONS, wish_words
from careloop.desk.web.views.inbox import filter_from, suffix, whole_filter

MOST_SHOWN = 100


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("case.work")
def bar(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What can be set on chosen cases of the inbox."""
    wanted = whole_filter(request, viewer)
    n = len(list_chosen(wanted, viewer, MOST_CASES + 1))
    context = {
        "offer": queries.offer_for(viewer),
        "choices": choices(),
        "n": min(n, MOST_CASES),
        "is_more": n > MOST_CASES,
        "suffix": suffix(wanted),
    }
    return render(request, "bulk/bar.html", context)


@require_POST
@for_viewer("case.work")
def preview(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What a change would do; nothing is written."""
    wish = _wish(request)
    if "all" in request.POST:
        wanted = whole_filter(request, viewer)
        numbers = list_chosen(wanted, viewer, MOST_CASES)
        record_search(query=wanted.query.strip(), viewer=viewer, now=now())
    else:
        numbers = list(dict.fromkeys(int(one) for one in request.POST.getlist("case") if one.isascii() and one.isdigit() and len(one) < 16))
    if not 0 < len(numbers) <= MOST_CASES:
        facts = {"n": f"{len(numbers):,}", "most": f"{MOST_CASES:,}"}
        raise InvalidInput(_("%(n)s cases were chosen; tick 1 to %(most)s, then choose what to set.") % facts, field="case")
    found = queries.preview(numbers, wish, viewer)
    context = {
        "what": wish_words(wish, viewer),
        "change": request.POST["change"],
        "versions": write_versions(found.changes),
        "n": len(found.changes),
        "shown": [found.cases[number] for number in list(found.changes)[:MOST_SHOWN]],
        "more": max(0, len(found.changes) - MOST_SHOWN),
        "already": found.already,
        "impossible": [(REASONS[reason], named) for reason, named in found.impossible.items()],
        **_way_back(request),
    }
    return render(request, "bulk/preview.html", context)


@require_POST
@for_viewer("case.work")
def apply(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Do it, but for cases that somebody changed after the preview."""
    versions = read_versions(request.POST.get("cases", ""))
    if versions is None:
        raise InvalidInput(_("The list of cases is damaged; choose them in the inbox again."), field="cases")
    made = actions.change_cases(versions=versions, wish=_wish(request), viewer=viewer, now=now())
    return redirect(reverse("bulk-change", args=[made.pk]) + suffix(filter_from(request)))


@require_GET
@for_viewer("case.work")
def page(request: HttpRequest, viewer: Viewer, change_id: int) -> HttpResponse:
    """What was done, what was left out, and taking it back."""
    made = queries.access_change(change_id, viewer)
    cases, n = queries.list_changed(made, viewer), made.cases.count()
    context = {
        "made": made,
        "what": wish_words(Wish(made.field, made.value), viewer),
        "n": n,
        "gone": n - len(cases),
        "shown": cases[:MOST_SHOWN],
        "more": max(0, len(cases) - MOST_SHOWN),
        "can_undo": n > 0 and queries.can_undo(made, now()),
        "undo_until": made.made_at + UNDO_WITHIN,
        **_way_back(request),
    }
    return render(request, "bulk/page.html", context)


@require_POST
@for_viewer("case.work")
def undo(request: HttpRequest, viewer: Viewer, change_id: int) -> HttpResponse:
    """Take it back, but for cases that somebody changed since."""
    made = actions.undo_change(change_id=change_id, viewer=viewer, now=now())
    n = made.cases.count() - len(made.kept)
    messages.success(request, ngettext("%(n)s case is as it was before.", "%(n)s cases are as they were before.", n) % {"n": n})
    return redirect(reverse("bulk-change", args=[made.pk]) + suffix(filter_from(request)))


def _wish(request: HttpRequest) -> Wish:
    given = request.POST.get("change", "")
    wish = read_wish(given)
    if wish is None:
        raise InvalidInput(_("“%(given)s” is nothing that can be set; choose from the list.") % {"given": given[:40]}, field="change")
    return wish


def _way_back(request: HttpRequest) -> Mapping[str, Any]:
    kept = suffix(filter_from(request))
    return {"suffix": kept, "inbox_url": reverse("inbox") + kept}
