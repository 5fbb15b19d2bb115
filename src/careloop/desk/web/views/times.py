"""Times: how long cases take to the first response or the resolution, by group, and what goes with a sooner end."""

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.times import DAY, MINUTE, REST, SHARES, GroupTimes, Times, measure_times
from careloop.desk.measures.times_model import Effect, TimesModel, explain_times
from careloop.desk.reports.address import ReportAddress, address_from, spell
from careloop.desk.web.access import for_viewer
from careloop.desk.web.measure_words import DEFINITIONS, say, say_interval, span
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
    facet_name,
    share_interval,
    share_words,
    span_interval,
    spans,
    split_names,
)
from careloop.desk.web.views.reports import choices_of

TARGET = "resolution"
TICKS = {5 * MINUTE: 5, 15 * MINUTE: 3, 3 * DAY: 3, 7 * DAY: 7, 14 * DAY: 7, 30 * DAY: 6, 90 * DAY: 6, 180 * DAY: 6, 365 * DAY: 5}
CSV_HEAD = ("target", "figure", "group", "group_name", "seconds", "value", "low", "high", "n", "open")
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
        "is_earlier": "as_of" in address.values,
        "targets": [{"name": name, "url": address.link(target=one), "is_current": one == target} for one, name in TARGET_NAMES.items()],
        "definition": DEFINITIONS[target],
        "on_time_definition": DEFINITIONS[key],
        "open_name": OPEN_NAMES[target],
        "export_url": reverse("times-csv") + address.link(),
        **choices_of("times", found.question, address, viewer),
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
    names = split_names(found.question.by, viewer)
    text = StringIO()
    text.write("\ufeff")
    writer = csv.writer(text)
    writer.writerow(CSV_HEAD)
    for one in [*found.groups, *([found.whole] if found.whole is not None else [])]:
        writer.writerows([target, *line] for line in _lines(one, found.horizon, names))
    if found.p is not None:
        writer.writerow([target, "log_rank_p", "", "", "", found.p, "", "", "", ""])
    if cases is not None and found.whole is not None:
        for effect in explain_times(cases).effects:
            told = (effect.facet, f"{effect.value} / {effect.base}", "", effect.ratio, effect.low, effect.high, effect.n, "")
            writer.writerow([target, "times_as_fast", *told])
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="times-{target}-{timezone.localdate()}.csv"'
    return response


def _address(request: HttpRequest) -> tuple[ReportAddress, str]:
    address, target = address_from(request.GET), request.GET.get("target", "") or TARGET
    return (ReportAddress((*address.given, ("target", target))) if target != TARGET else address), target


def _curve(found: Times, names: dict[Any, str]) -> dict[str, Any]:
    groups = found.groups if len(found.groups) > 1 or found.whole is None else (found.whole,)
    courses = [Course(_name(one, names), one.course, f"c{place + 1}") for place, one in enumerate(groups)]
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
        "name": _name(one, names),
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


def _name(one: GroupTimes, names: dict[Any, str]) -> str:
    return _("All together") if one.group is None else str(names.get(one.group, one.group))


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


def _lines(one: GroupTimes, horizon: int, names: dict[Any, str]) -> Iterable[list[Any]]:
    group = ["" if one.group is None else one.group, _name(one, names)]
    for share, point in zip(SHARES, one.points, strict=True):
        yield [f"over_by_{share:.0%}", *group, "", point.value, point.low, point.high, one.n, one.n_open]
    yield ["mean", *group, horizon, one.mean.value, one.mean.low, one.mean.high, one.n, one.n_open]
    yield ["on_time", *group, "", one.on_time.value, one.on_time.low, one.on_time.high, one.on_time.n, ""]
    for moment in one.course:
        yield ["still_open", *group, moment.seconds, moment.share, moment.low, moment.high, one.n, one.n_open]
