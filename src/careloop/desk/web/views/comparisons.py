"""Comparisons: the list, a new one, what came of one, the same as a file."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation.adopting import may_use, use_group
from careloop.desk.experiments import actions
from careloop.desk.experiments.queries import access_comparison, list_comparisons
from careloop.desk.experiments.rules import BEFORE_AFTER, RANDOMISED
from careloop.desk.kernel.errors import DeskError, InvalidInput
from careloop.desk.kernel.wording import in_words, spoken
from careloop.desk.measures.moments import moment_of
from careloop.desk.measures.trial_lines import COLUMNS, lines_of
from careloop.desk.measures.trial_planning import Needed, plan_comparison
from careloop.desk.measures.trials import judge_comparison
from careloop.desk.web.access import for_viewer
from careloop.desk.web.comparison_form import (
    choices_of,
    concerned_in,
    facts_in,
    given_in,
    list_groups,
    list_things,
    ratios_in,
    rows_in,
    wanted_in,
)
from careloop.desk.web.comparison_panels import history_chart, outcome_panels, window_panels
from careloop.desk.web.comparison_words import OUTCOMES
from careloop.desk.web.downloads import csv_answer
from careloop.desk.web.measure_words import GROUP_NAMES, group_names


def now() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@require_GET
@for_viewer("comparison.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """All comparisons."""
    rows = [
        {"one": row.comparison, "arms": row.arms, "exposed": row.exposed, "outcome": OUTCOMES[row.comparison.outcome]}
        for row in list_comparisons(viewer)
    ]
    return render(request, "comparisons/page.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@for_viewer("comparison.edit")
def new(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Make one; before it starts, how many cases it needs can be asked."""
    sent = request.POST if request.method == "POST" else request.GET
    design = BEFORE_AFTER if sent.get("design") == BEFORE_AFTER else RANDOMISED
    given, needed, status = given_in(sent), None, 200
    errors: dict[str, str] = {}
    if request.method == "POST":
        try:
            if sent.get("do") == "plan":
                needed = _plan(given, viewer)
                given["planned"] = str(needed.daily)
            else:
                made = actions.make_comparison(facts=facts_in(given, design, viewer), viewer=viewer, now=now())
                messages.success(request, _("The comparison has begun."))
                return redirect("comparison", made.pk)
        except DeskError as refused:
            errors, status = {FIELD_OF.get(refused.field, refused.field) or "form": spoken(refused.message)}, refused.status
    context: dict[str, Any] = {"design": design, "given": given, "errors": errors, "needed": needed, **choices_of(design)}
    if design == BEFORE_AFTER:
        context["groups"] = list_groups(viewer)
    else:
        context |= {"things": list_things(viewer), "rows": rows_in(given, errors)}
    return render(request, "comparisons/new.html", context, status=status)


@require_GET
@for_viewer("comparison.view")
def comparison(request: HttpRequest, viewer: Viewer, comparison_id: int) -> HttpResponse:
    """What came of one."""
    found = access_comparison(comparison_id, viewer)
    given, refusal = request.GET.get("as_of", ""), ""
    try:
        as_of = moment_of(given)
    except DeskError as refused:
        as_of, refusal = None, spoken(refused.message)
    trial = judge_comparison(found, viewer, now=now(), as_of=as_of)
    lines = lines_of(trial)
    context: dict[str, Any] = {
        "comparison": found,
        "trial": trial,
        "outcome": OUTCOMES[found.outcome],
        "as_of": trial.as_of,
        "is_earlier": as_of is not None,
        "refusal": refusal,
        "may_use": may_use(found, viewer),
        "used": next((arm.name for arm in found.arms.all() if arm.position == found.used), ""),
        "share": min(100, round(100 * trial.counted / found.planned)),
    }
    if trial.window is not None:
        reasons = {one.outcome: in_words(one.why_not.to_json()) for one in trial.window.outcomes if one.why_not is not None}
        context |= {"panels": window_panels(trial.window, lines, reasons), "window": trial.window, **_whom(found, viewer)}
    else:
        context |= {"panels": outcome_panels(lines, found.outcome), "chart": history_chart(trial)}
    return render(request, "comparisons/comparison.html", context)


@require_GET
@for_viewer("comparison.view")
def export(request: HttpRequest, viewer: Viewer, comparison_id: int) -> HttpResponse:
    """The same figures as CSV, unrounded."""
    as_of = moment_of(request.GET.get("as_of", ""))
    trial = judge_comparison(access_comparison(comparison_id, viewer), viewer, now=now(), as_of=as_of)
    return csv_answer(f"comparison-{comparison_id}", COLUMNS, lines_of(trial))


@require_POST
@for_viewer("comparison.edit")
def end(request: HttpRequest, viewer: Viewer, comparison_id: int) -> HttpResponse:
    """End it: everybody is treated alike again, or what one group got is used from now on."""
    used = request.POST.get("used", "")
    try:
        if used.isdigit():
            use_group(comparison_id=comparison_id, position=int(used), viewer=viewer, now=now())
            messages.success(request, _("The comparison has ended; what this group got is used from now on."))
        else:
            actions.end_comparison(comparison_id=comparison_id, viewer=viewer, now=now())
            messages.success(request, _("The comparison has ended; everybody is treated alike again."))
    except InvalidInput as refused:
        messages.error(request, spoken(refused.message))
    return redirect("comparison", comparison_id)


def _plan(given: dict[str, str], viewer: Viewer) -> Needed:
    """How many are needed of what was typed; a group alone is seen beside one that goes without."""
    ratios = ratios_in(given)
    if len(ratios) < 2:
        raise InvalidInput(_("A comparison needs two groups: hold some back, or choose a second thing to compare with."), field="ratio")
    concerned, outcome = concerned_in(given, now()), given["outcome"]
    today = timezone.localdate()
    return plan_comparison(outcome=outcome, wanted=wanted_in(given), ratios=ratios, viewer=viewer, today=today, concerned=concerned)


FIELD_OF = {"subject": "first", "ratio": "held_out", "value": "group"}


def _whom(found: Any, viewer: Viewer) -> dict[str, Any]:
    window = found.window
    names = {str(code): name for code, name in group_names(window["by"], viewer).items()}
    others = [names.get(one, one) for one in window["others"]]
    return {"by": GROUP_NAMES[window["by"]], "whom": names.get(window["value"], window["value"]), "others": ", ".join(map(str, others))}
