"""Times: how long cases take to the first response or the resolution, by group, and what goes with a sooner end."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.times import DAY, MINUTE, REST, GroupTimes, Times, measure_times
from careloop.desk.measures.times_model import Effect, TimesModel, explain_times
from careloop.desk.reports.address import ReportAddress, address_from, spell
from careloop.desk.reports.times_lines import COLUMNS, group_name, lines_of
from careloop.desk.reports.words import facet_name, split_names
from careloop.desk.web.access import for_viewer
from careloop.desk.web.downloads import csv_answer
from careloop.desk.web.measure_words import DEFINITIONS, say, say_interval, span
from careloop.desk.web.report_choice import choice_of
from careloop.desk.web.report_panels import cases_url
from careloop.desk.web.times_charts import Course, falling_curves
from careloop.desk.web.times_words import (
    CURVE_NAMES,
    OPEN_NAMES,
    TARGET_NAMES,
    TONES,
    VERDICTS,
    comparison_words,
    effect_words,
    share_interval,
    share_words,
    span_interval,
    spans,
)

TARGET = "resolution"
TICKS = {5 * MINUTE: 5, 15 * MINUTE: 3, 3 * DAY: 3, 7 * DAY: 7, 14 * DAY: 7, 30 * DAY: 6, 90 * DAY: 6, 180 * DAY: 6, 365 * DAY: 5}
TABLE_ROWS = 12  # of the curves, below the drawing


@require_GET
@for_viewer("report.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Curves, points, comparison and model."""
    address, target = _address(request)
    found, cases = measure_times(address.question(timezone.localdate()), target, viewer)
    names = split_names(found.question.by, viewer)
    key = f"{target}_on_time"
    context = {
        "title": TARGET_NAMES[target],
        "as_of": found.as_of,
        "targets": [{"name": name, "url": address.link(target=one), "is_current": one == target} for one, name in TARGET_NAMES.items()],
        "definition": DEFINITIONS[target],
        "on_time_definition": DEFINITIONS[key],
        "open_name": OPEN_NAMES[target],
        "export_url": reverse("times-csv") + address.link(),
        **choice_of(address, viewer, slug="times", by=found.question.by),
    }
    if found.whole is not None and cases is not None:
        context |= {
            "horizon": span(found.horizon),
            "curve": _curve(found, names),
            "comparison": comparison_words(found),
            "rows": [_row(one, found, address, names) for one in [*found.groups, found.whole]],
            "model": _model(explain_times(cases), target, viewer),
        }
    return render(request, "reports/times.html", context)


@require_GET
@for_viewer("report.view")
def export(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The same figures as CSV, unrounded, with the curves and the model."""
    address, target = _address(request)
    found, cases = measure_times(address.question(timezone.localdate()), target, viewer)
    return csv_answer(f"times-{target}", COLUMNS, lines_of(found, cases, viewer))


def _address(request: HttpRequest) -> tuple[ReportAddress, str]:
    address, target = address_from(request.GET), request.GET.get("target", "") or TARGET
    return (ReportAddress((*address.given, ("target", target))) if target != TARGET else address), target


def _curve(found: Times, names: dict[Any, str]) -> dict[str, Any]:
    groups = found.groups if len(found.groups) > 1 or found.whole is None else (found.whole,)
    courses = [Course(group_name(one, names), one.course, f"c{place + 1}") for place, one in enumerate(groups)]
    parts = TICKS.get(found.horizon, 4)
    ticks = [(found.horizon * place / parts, span(found.horizon * place / parts)) for place in range(parts + 1)]
    alt = _("%(name)s; one falling line a group, its numbers in the table.") % {"name": CURVE_NAMES[found.target]}
    step = max(1, max(len(one.course) for one in groups) // TABLE_ROWS)
    table = [
        {"time": span(moment.seconds), "cells": [_share(one, place) for one in groups]}
        for place, moment in list(enumerate(max(groups, key=lambda one: len(one.course)).course))[::step]
    ]
    return {
        "name": CURVE_NAMES[found.target],
        "svg": falling_curves(courses, found.horizon, alt=alt, ticks=ticks),
        "legend": [{"name": one.name, "css": one.css} for one in courses],
        "table": table,
    }


def _share(group: GroupTimes, place: int) -> dict[str, str]:
    """What stands at a time in a group's column; nothing beyond what was seen of it."""
    if place >= len(group.course):
        return {"value": "–", "interval": ""}
    one = group.course[place]
    return {"value": share_words(one.share), "interval": share_interval(one.low, one.high)}


def _row(one: GroupTimes, found: Times, address: ReportAddress, names: dict[Any, str]) -> dict[str, Any]:
    by, key = found.question.by, f"{found.target}_on_time"
    is_group = one is not found.whole and one.group != REST
    changes = {by: spell(one.group)} if is_group else {}
    return {
        "name": group_name(one, names),
        "url": address.link(**changes) if is_group else "",
        "cases_url": cases_url(found.target, address, changes) if one.group != REST else "",
        "n": one.n,
        "open": one.n_open,
        "points": [{"value": spans(point), "interval": span_interval(point)} for point in (*one.points, one.mean)],
        "on_time": say(key, one.on_time.value),
        "on_time_interval": say_interval(key, one.on_time),
        "verdict": VERDICTS.get(one.verdict, ""),
        "tone": TONES.get(one.verdict, ""),
        "is_whole": one is found.whole,
    }


def _model(model: TimesModel, target: str, viewer: Viewer) -> dict[str, Any]:
    names = {facet: split_names(facet, viewer) for facet in {effect.facet for effect in model.effects}}
    effects = [_effect(one, target, names[one.facet]) for one in model.effects]
    return {
        "needed": model.needed,
        "nothing_varies": model.nothing_varies,
        "shown": [one for one in effects if one["is_shown"]],
        "others": [one for one in effects if not one["is_shown"]],
        "unsteady": [one for one in effects if one["is_shown"] and not one["is_steady"]],
        "n": model.n,
        "n_ended": model.n_ended,
        "n_all": model.n_all,
        "agreement": share_words(model.agreement),
    }


def _effect(one: Effect, target: str, names: dict[Any, str]) -> dict[str, Any]:
    return {
        "facet": facet_name(one.facet),
        "words": effect_words(one, target, names, names),
        "interval": f"{one.low:.2f}–{one.high:.2f}",
        "n": one.n,
        "is_shown": one.is_shown,
        "is_steady": one.is_steady,
        "tone": "good" if one.ratio > 1 else "bad",
    }
