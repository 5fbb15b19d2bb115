"""Times: how long cases take to the first response or the resolution, by group, and what goes with a sooner end."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.times import REST, GroupTimes, Times, measure_times
from careloop.desk.reports.address import ReportAddress, address_from, spell
from careloop.desk.reports.times_lines import COLUMNS, lines_of
from careloop.desk.reports.times_rows import target_of, times_rows
from careloop.desk.reports.times_words import OPEN_NAMES, TARGET_NAMES
from careloop.desk.web.access import for_viewer
from careloop.desk.web.downloads import csv_answer
from careloop.desk.web.measure_words import DEFINITIONS
from careloop.desk.web.report_choice import choice_of, mail_url
from careloop.desk.web.report_panels import cases_url
from careloop.desk.web.times_charts import Course, falling_curves


@require_GET
@for_viewer("report.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Curves, points, comparison and model."""
    address = address_from(request.GET, "times")
    target = target_of(address)
    found, cases = measure_times(address.question(timezone.localdate()), target, viewer)
    context = {
        "title": TARGET_NAMES[target],
        "as_of": found.as_of,
        "targets": [{"name": name, "url": address.link(target=one), "is_current": one == target} for one, name in TARGET_NAMES.items()],
        "definition": DEFINITIONS[target],
        "on_time_definition": DEFINITIONS[f"{target}_on_time"],
        "open_name": OPEN_NAMES[target],
        "export_url": reverse("times-csv") + address.link(),
        "pdf_url": reverse("report-pdf", args=["times"]) + address.link(),
        "mail_url": mail_url("report:times", address),
        **choice_of(address, viewer, slug="times", by=found.question.by),
    }
    shown = times_rows(found, cases, viewer)
    if found.whole is not None and shown:
        for one, row in zip([*found.groups, found.whole], shown["rows"], strict=True):
            row.update(_links(one, found, address))
        context |= {**shown, "curve": _curve(shown["curve"], found.horizon)}
    return render(request, "reports/times.html", context)


@require_GET
@for_viewer("report.view")
def export(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The same figures as CSV, unrounded, with the curves and the model."""
    address = address_from(request.GET, "times")
    target = target_of(address)
    found, cases = measure_times(address.question(timezone.localdate()), target, viewer)
    return csv_answer(f"times-{target}", COLUMNS, lines_of(found, cases, viewer))


def _curve(shown: dict[str, Any], horizon: int) -> dict[str, Any]:
    courses = [Course(name, moments, f"c{place + 1}") for place, (name, moments) in enumerate(shown["courses"])]
    alt = _("%(name)s; one falling line a group, its numbers in the table.") % {"name": shown["name"]}
    svg = falling_curves(courses, horizon, alt=alt, ticks=shown["ticks"])
    return {**shown, "svg": svg, "legend": [{"name": one.name, "css": one.css} for one in courses]}


def _links(one: GroupTimes, found: Times, address: ReportAddress) -> dict[str, str]:
    """The page of a group alone, and the cases behind its numbers; of the rest there is neither."""
    if one.group == REST:
        return {}
    changes = {} if one is found.whole else {found.question.by: spell(one.group)}
    behind = cases_url(found.target, address, changes)
    return {
        "url": address.link(**changes) if changes else "",
        "cases_url": behind,
        "open_url": f"{behind}&hit=no" if one.n_open else "",
        "on_time_url": cases_url(f"{found.target}_on_time", address, changes) if one.on_time.n else "",
    }
