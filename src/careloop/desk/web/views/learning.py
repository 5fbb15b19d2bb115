"""A model's page: how good it is on the house's own messages, why it is live or not, and the way back to an earlier one."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis import queueing
from careloop.desk.analysis.intervals import rate_of
from careloop.desk.analysis.model_queries import list_answers, model_page
from careloop.desk.web import model_charts
from careloop.desk.web.access import for_viewer
from careloop.desk.web.task_words import task_name, value_names
from careloop.desk.web.views.feedback import percent

FEW = 10  # messages of a label; with fewer its figures are shown as too few to tell


@require_GET
@for_viewer("model.view")
def page(request: HttpRequest, viewer: Viewer, model_id: int) -> HttpResponse:
    """Figures, charts, labels, the most confused pairs, history."""
    found = model_page(model_id, viewer)
    names = value_names(found.model.task, viewer)
    figures = found.model.figures
    address = reverse("model-answers", args=[model_id])

    def link(**chosen: str) -> str:
        return f"{address}?{urlencode(chosen)}"

    context: dict[str, Any] = {"model": found.model, "state": found.state, "figures": figures, "taxonomy": found.model.taxonomy}
    context["name"] = found.model.taxonomy.name if found.model.taxonomy else task_name(found.model.task)
    context["task"] = found.model.task.lower()
    if figures.get("n"):
        context |= {
            "tiles": _tiles(figures, found.model.rival_figures, is_of_categories=found.model.taxonomy is not None),
            "charts": {
                "reliability": model_charts.reliability(figures["reliability"], link),
                "coverage": model_charts.coverage(figures["coverage"]),
                "confusion": model_charts.confusion(figures["pairs"], names, link),
            },
            "bins": [
                {**one, "url": link(low=model_charts.bin_of(one["said"])[0], high=model_charts.bin_of(one["said"])[1])}
                for one in figures["reliability"]
            ],
            "thresholds": [
                {**one, "share": percent(one["answered"]), "right": percent(one["accuracy"]), "interval": between(one["low"], one["high"])}
                for one in figures["coverage"]
            ],
            "labels": _labels(figures["labels"], names, link),
            "pairs": _pairs(figures["pairs"], names, link),
            "all_url": address,
        }
    return render(request, "categories/model.html", context)


@require_GET
@for_viewer("model.view")
def answers(request: HttpRequest, viewer: Viewer, model_id: int) -> HttpResponse:
    """The held-back messages that a figure counts; those of other teams are counted, not shown."""
    chosen = {name: request.GET.get(name, "")[:60] for name in ("given", "said")}
    low, high = (_ratio(request.GET.get(name, ""), default) for name, default in (("low", 0.0), ("high", 1.0)))
    found = model_page(model_id, viewer)
    names, listed = value_names(found.model.task, viewer), list_answers(model_id, viewer, **chosen, low=low, high=high)
    context = {
        "model": found.model,
        "found": listed,
        "rows": [(one, names.get(one.given, one.given), names.get(one.said, one.said) or "–") for one in listed.answers],
        "chosen": chosen,
        "low": low,
        "high": high,
    }
    return render(request, "categories/answers.html", context)


@require_POST
@for_viewer("taxonomy.edit")
def make_live(request: HttpRequest, viewer: Viewer, model_id: int) -> HttpResponse:
    """Switch back to an earlier model."""
    queueing.switch_back(model_id=model_id, viewer=viewer, now=datetime.now(UTC))
    messages.success(request, _("The model is live again; the newest messages are read with it now."))
    return redirect("model", model_id)


def _ratio(text: str, default: float) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return default


def _tiles(figures: dict[str, Any], rival: dict[str, Any], *, is_of_categories: bool) -> list[dict[str, str]]:
    low, high = figures["accuracy_interval"]
    before = _(" · before %(share)s") % {"share": percent(rival["accuracy"])} if rival.get("n") else ""
    interval = f"{between(low, high)} · n = {figures['n']}"
    macro = _(" · before %(share)s") % {"share": f"{rival['macro_f1']:.2f}"} if rival.get("n") else ""
    alike = _("every category counts alike") if is_of_categories else _("every value counts alike")
    return [
        {"label": _("Right"), "value": percent(figures["accuracy"]), "ci": interval + before},
        {"label": _("Macro-F1"), "value": f"{figures['macro_f1']:.2f}", "ci": alike + macro},
        {
            "label": _("Calibration error"),
            "value": f"{figures['calibration_error']:.3f}",
            "ci": _("how far what it says is from what is true"),
        },
    ]


def between(low: float | None, high: float | None) -> str:
    """An interval of shares."""
    return f"{percent(low)}–{percent(high)}"


def _labels(labels: dict[str, Any], names: dict[str, str], link: Any) -> list[dict[str, Any]]:
    rows = []
    for code, one in sorted(labels.items(), key=lambda row: -row[1]["n"]):
        recall, precision = rate_of(one["right"], one["n"]), rate_of(one["right"], one["said"])
        rows.append(
            {
                "name": names.get(code, code),
                "n": one["n"],
                "url": link(given=code),
                "said": one["said"],
                "said_url": link(said=code),
                "is_few": one["n"] < FEW,
                "recall": percent(recall.share),
                "recall_interval": between(recall.low, recall.high),
                "precision": percent(precision.share),
                "precision_interval": between(precision.low, precision.high),
                "f1": f"{one['f1']:.2f}",
            }
        )
    return rows


def _pairs(pairs: list[list[Any]], names: dict[str, str], link: Any) -> list[dict[str, Any]]:
    wrong = [row for row in pairs if row[0] != row[1]][: model_charts.PAIRS_SHOWN]
    return [
        {"given": names.get(given, given), "said": names.get(said, said) or "–", "n": n, "url": link(given=given, said=said)}
        for given, said, n in wrong
    ]
