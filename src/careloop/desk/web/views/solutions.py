"""The library of solutions: list, editor, versions, gaps, automatic replies."""

from datetime import UTC, date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.queries import list_teams
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.taxonomy_queries import choices_for, names_by_code
from careloop.desk.kernel.errors import DeskError, InvalidInput
from careloop.desk.solutions import automatic as replies
from careloop.desk.solutions import queries, queueing
from careloop.desk.solutions.actions import Facts, Wording
from careloop.desk.solutions.gaps import list_gaps, list_topic_gaps
from careloop.desk.solutions.rules.letters import LANGUAGES, VARIABLES
from careloop.desk.solutions.rules.threshold import AT_LEAST, AVERAGE
from careloop.desk.web.access import for_viewer

LANGUAGE_NAMES = {"zh": gettext_lazy("Chinese"), "en": gettext_lazy("English")}
PROMISES = ("0.8", "0.85", "0.9", "0.95", "0.97", "0.99")
MANNER_NAMES = {AVERAGE: gettext_lazy("on average"), AT_LEAST: gettext_lazy("at least")}
NO_WORDING = {"title": "", "body": "", "reply": ""}


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("solution.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The library, narrowed by what is asked."""
    given = request.GET
    number = given.get("page", "1")
    wanted = queries.Wanted(
        query=given.get("q", "")[:200],
        status=given.get("status", "") if given.get("status") in {"DRAFT", "PUBLISHED", "ARCHIVED"} else "",
        category=given.get("category", "")[:80],
        is_due="due" in given,
        page=int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1,
    )
    found = queries.library(wanted, viewer, timezone.localdate())
    names = names_by_code(viewer)
    rows = [{"row": row, "categories": [names.get(code, code) for code in row.solution.categories]} for row in found.rows]
    context = {"rows": rows, "found": found, "wanted": wanted, "categories": choices_for(viewer)}
    return render(request, "solutions/page.html", context)


@require_http_methods(["GET", "POST"])
@for_viewer("solution.edit")
def edit(request: HttpRequest, viewer: Viewer, solution_id: int | None = None) -> HttpResponse:
    """Both languages side by side; a version that was asked for is shown, and saved only when somebody saves it."""
    stored = queries.access_solution(solution_id, viewer) if solution_id is not None else None
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        given = _given(request)
        try:
            version = request.POST.get("version", "")
            expected = int(version) if version.isdigit() and len(version) < 10 else None
            saved = queueing.save_solution(
                facts=_facts(given), viewer=viewer, now=now(), solution_id=solution_id, expected_version=expected if stored else None
            )
            messages.success(request, _("Saved as version %(number)s.") % {"number": saved.version})
            _warn_of_alike(request, saved)
            return redirect("solution", saved.pk)
        except DeskError as refused:
            errors, status = {refused.field or "form": refused.message}, refused.status
    else:
        given = _shown(stored, request.GET.get("category", "")[:80])
    context = {
        "solution": stored,
        "given": given,
        "errors": errors,
        "languages": [
            {
                "code": code,
                "name": LANGUAGE_NAMES[code],
                **{part: given["texts"][code][part] for part in NO_WORDING},
                "errors": _of(errors, code),
            }
            for code in LANGUAGES
        ],
        "teams": list_teams(viewer),
        "categories": choices_for(viewer),
        "statuses": queries.LibraryPage([], 0, 1, 0).statuses,
        "variables": [f"{{{{{name}}}}}" for name in VARIABLES],
        "versions": queries.list_versions(stored) if stored else [],
        "counts": queries.rows_of([stored], timezone.localdate())[0] if stored else None,
        "worth": queries.worth_now(stored) if stored else 1.0,
    }
    return render(request, "solutions/edit.html", context, status=status)


@require_POST
@for_viewer("solution.edit")
def restore(request: HttpRequest, viewer: Viewer, solution_id: int) -> HttpResponse:
    """An earlier version becomes the newest."""
    queries.access_solution(solution_id, viewer)
    number = request.POST.get("number", "")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise InvalidInput(_("“%(given)s” is not a number; load the page again.") % {"given": number[:40]}, field="number")
    saved = queueing.restore_version(solution_id=solution_id, number=int(number), viewer=viewer, now=now())
    messages.success(request, _("Version %(old)s is back, as version %(new)s.") % {"old": number, "new": saved.version})
    return redirect("solution", solution_id)


@require_GET
@for_viewer("solution.view")
def gaps(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What customers often need and the library does not answer."""
    names = names_by_code(viewer)
    rows = [{"gap": gap, "name": names.get(gap.category, gap.category)} for gap in list_gaps(viewer, now())]
    return render(request, "solutions/gaps.html", {"rows": rows, "topics": list_topic_gaps(viewer, now())})


@require_http_methods(["GET", "POST"])
@for_viewer("solution.view")
def automatic(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What held-back cases promise of automatic replies; on, off, and the promise."""
    errors: dict[str, str] = {}
    status = 200
    if request.method == "POST":
        try:
            messages.success(request, _act(request, viewer))
            return redirect("automatic-replies")
        except DeskError as refused:
            errors, status = {refused.field or "form": refused.message}, refused.status
    policy = replies.get_policy()
    derived, work = replies.derived_of(policy), replies.measure_at_work()
    context = {
        "policy": policy,
        "derived": derived,
        "work": work,
        "work_ratio": work.n_helped / work.n_judged if work.n_judged else None,
        "checked": replies.checked_of(policy),
        "manners": MANNER_NAMES.items(),
        "promises": [(float(one), one) for one in PROMISES],
        "may_promise": viewer.may("solution.edit") and viewer.team_ids is None,
        "errors": errors,
    }
    return render(request, "solutions/automatic.html", context, status=status)


def _act(request: HttpRequest, viewer: Viewer) -> str:
    wanted = request.POST.get("do", "")
    if wanted == "off":
        replies.switch_off(viewer=viewer, now=now())
        return _("Automatic replies are off.")
    if wanted == "on":
        replies.switch_on(viewer=viewer, now=now())
        return _("Automatic replies are on.")
    if wanted == "promise":
        given = request.POST.get("promise", "")
        if given not in PROMISES:
            raise InvalidInput(
                _("“%(given)s” is not one of the promises; choose one from the list.") % {"given": given[:40]}, field="promise"
            )
        queueing.set_promise(promise=float(given), manner=request.POST.get("manner", "")[:20] or AVERAGE, viewer=viewer, now=now())
        return _("The worker derives the threshold anew; look again in a minute.")
    raise InvalidInput(_("Nothing was chosen; press one of the buttons."), field="form")


def _warn_of_alike(request: HttpRequest, saved: Any) -> None:
    for text, share in queries.list_alike(saved):
        sentence = _("“%(title)s” says nearly the same (%(share)s): the ranking cannot tell them apart. Say what differs, or archive one.")
        messages.warning(request, sentence % {"title": text.title, "share": f"{share:.0%}"})


def _of(errors: dict[str, str], code: str) -> dict[str, str]:
    return {part: errors.get(f"{part}_{code}", "") for part in NO_WORDING}


def _given(request: HttpRequest) -> dict[str, Any]:
    post = request.POST
    return {
        "texts": {code: {part: post.get(f"{part}_{code}", "") for part in NO_WORDING} for code in LANGUAGES},
        "status": post.get("status", "DRAFT"),
        "team": post.get("team", ""),
        "categories": [code[:80] for code in post.getlist("category")],
        "review_on": post.get("review_on", ""),
        "is_public": "is_public" in post,
    }


def _shown(stored: Any, category: str) -> dict[str, Any]:
    texts = {code: dict(NO_WORDING) for code in LANGUAGES}
    if stored is None:
        chosen = [category] if category else []
        return {"texts": texts, "status": "DRAFT", "team": "", "categories": chosen, "review_on": "", "is_public": True}
    for one in stored.texts.all():
        texts[one.language] = {"title": one.title, "body": one.body, "reply": one.reply}
    return {
        "texts": texts,
        "status": stored.status,
        "team": str(stored.team_id or ""),
        "categories": stored.categories,
        "review_on": stored.review_on.isoformat() if stored.review_on else "",
        "is_public": stored.is_public,
    }


def _facts(given: dict[str, Any]) -> Facts:
    try:
        review_on = date.fromisoformat(given["review_on"]) if given["review_on"] else None
    except ValueError:
        raise InvalidInput(_("The date is not one; expected something like 2026-12-31."), field="review_on") from None
    texts = {code: Wording(**{part: text.strip() for part, text in wording.items()}) for code, wording in given["texts"].items()}
    team_id = int(given["team"]) if given["team"].isdigit() else None
    return Facts(texts, given["status"], team_id, tuple(given["categories"]), review_on, given["is_public"])
