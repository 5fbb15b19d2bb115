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
from careloop.desk.experiments import actions
from careloop.desk.experiments.queries import access_comparison, list_comparisons
from careloop.desk.experiments.rules import BEFORE_AFTER, RANDOMISED
from careloop.desk.kernel.errors import DeskError
from careloop.desk.kernel.wording import in_words, spoken
from careloop.desk.measures.trial_lines import COLUMNS, lines_of
from careloop.desk.measures.trial_planning import plan_comparison
from careloop.desk.measures.trials import judge_comparison
from careloop.desk.web.access import for_viewer
from careloop.desk.web.comparison_form import choices_of, facts_in, given_in, held_out_in, list_groups, list_things, wanted_in
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
                wanted, held_out = wanted_in(given), held_out_in(given)
                today = timezone.localdate()
                needed = plan_comparison(outcome=given["outcome"], wanted=wanted, held_out_ratio=held_out, viewer=viewer, today=today)
                given["planned"] = str(needed.daily)
            else:
                made = actions.make_comparison(facts=facts_in(given, design, viewer), viewer=viewer, now=now())
                messages.success(request, _("The comparison has begun."))
                return redirect("comparison", made.pk)
        except DeskError as refused:
            errors, status = {FIELD_OF.get(refused.field, refused.field) or "form": spoken(refused.message)}, refused.status
    context = {"design": design, "given": given, "errors": errors, "needed": needed, **choices_of()}
    context |= {"groups": list_groups(viewer)} if design == BEFORE_AFTER else {"things": list_things(viewer)}
    return render(request, "comparisons/new.html", context, status=status)


@require_GET
@for_viewer("comparison.view")
def comparison(request: HttpRequest, viewer: Viewer, comparison_id: int) -> HttpResponse:
    """What came of one."""
    found = access_comparison(comparison_id, viewer)
    trial = judge_comparison(found, viewer, now=now())
    lines = lines_of(trial)
    context: dict[str, Any] = {
        "comparison": found,
        "trial": trial,
        "outcome": OUTCOMES[found.outcome],
        "as_of": trial.as_of,
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
    trial = judge_comparison(access_comparison(comparison_id, viewer), viewer, now=now())
    return csv_answer(f"comparison-{comparison_id}", COLUMNS, lines_of(trial))


@require_POST
@for_viewer("comparison.edit")
def end(request: HttpRequest, viewer: Viewer, comparison_id: int) -> HttpResponse:
    """End it; everybody is treated alike again."""
    actions.end_comparison(comparison_id=comparison_id, viewer=viewer, now=now())
    messages.success(request, _("The comparison has ended; everybody is treated alike again."))
    return redirect("comparison", comparison_id)


FIELD_OF = {"subject": "first", "ratio": "held_out", "value": "group"}


def _whom(found: Any, viewer: Viewer) -> dict[str, Any]:
    window = found.window
    names = {str(code): name for code, name in group_names(window["by"], viewer).items()}
    others = [names.get(one, one) for one in window["others"]]
    return {"by": GROUP_NAMES[window["by"]], "whom": names.get(window["value"], window["value"]), "others": ", ".join(map(str, others))}
