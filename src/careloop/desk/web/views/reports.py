"""Reports: one page for all of them, the same figures as a file, and the cases behind each number."""

import csv
from collections.abc import Iterable
from io import StringIO
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from careloop.desk.accounts.queries import list_channels, list_teams, list_users
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import choices
from careloop.desk.measures.queries import CASES_SHOWN, Question, ask, list_cases_behind
from careloop.desk.measures.rules.definitions import MEASURES, SHARE
from careloop.desk.reports.address import ReportAddress, address_from, spell
from careloop.desk.reports.queries import Report, make_report
from careloop.desk.reports.rules.layouts import LAYOUTS, Layout
from careloop.desk.web.access import for_viewer
from careloop.desk.web.measure_words import DEFINITIONS, GROUP_NAMES, NAMES, REPORT_NAMES, group_names, say, say_interval
from careloop.desk.web.report_panels import comparison_panel, table_rows, tiles, time_panels
from careloop.desk.web.report_tabs import report_tabs

OWN_CHOICES = ("target", "within")  # of single pages; not carried to others
CSV_HEAD = ("measure", "group", "group_name", "day", "value", "low", "high", "n")


@require_GET
@for_viewer("report.view")
def page(request: HttpRequest, viewer: Viewer, report: str = "overview") -> HttpResponse:
    """One report."""
    layout, address = _layout(report), address_from(request.GET)
    made = make_report(layout, address.question(timezone.localdate()), viewer)
    names = group_names(made.table.question.by, viewer)
    context = {
        "layout": layout,
        "title": REPORT_NAMES[layout.slug],
        "report": made,
        "as_of": made.table.as_of,
        "is_earlier": "as_of" in address.values,
        "tiles": tiles(made, address),
        "panels": time_panels(made, address),
        "columns": [{"key": key, "name": NAMES[key], "definition": DEFINITIONS[key]} for key in layout.columns],
        "rows": table_rows(made, layout, address, names),
        "comparison": comparison_panel(made.comparison, names),
        "export_url": reverse("report-csv", args=[layout.slug]) + address.link(),
        **choices_of(layout.slug, made.table.question, address, viewer),
    }
    return render(request, "reports/page.html", context)


@require_GET
@for_viewer("report.view")
def export(request: HttpRequest, viewer: Viewer, report: str) -> HttpResponse:
    """The same figures as CSV, unrounded, with what was asked in the first lines."""
    layout, address = _layout(report), address_from(request.GET)
    made = make_report(layout, address.question(timezone.localdate()), viewer)
    names = group_names(made.table.question.by, viewer)
    text = StringIO()
    text.write("\ufeff")
    writer = csv.writer(text)
    writer.writerow(CSV_HEAD)
    writer.writerows(_lines(made, names))
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{layout.slug}-{timezone.localdate()}.csv"'
    return response


@require_GET
@for_viewer("report.view")
def cases(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The cases behind one number."""
    key = request.GET.get("measure", "")
    if key not in MEASURES:
        raise Http404
    address = address_from(request.GET)
    hit = {"yes": True, "no": False}.get(request.GET.get("hit", "yes" if MEASURES[key].form == SHARE else ""))
    question = _without_split(address.question(timezone.localdate(), (key,)))
    figure = ask(question, viewer).whole[key]
    behind = reverse("report-cases") + address.link(measure=key)
    context = {
        "name": NAMES[key],
        "definition": DEFINITIONS[key],
        "value": say(key, figure.value),
        "interval": say_interval(key, figure),
        "cases": list_cases_behind(question, key, viewer, is_hit=hit),
        "shown": CASES_SHOWN,
        "is_share": MEASURES[key].form == SHARE,
        "hit": hit,
        "hit_url": f"{behind}&hit=yes",
        "miss_url": f"{behind}&hit=no",
        "chosen": chosen_words(address, viewer),
    }
    return render(request, "reports/cases.html", context)


def chosen_words(address: ReportAddress, viewer: Viewer) -> list[dict[str, str]]:
    """What is filtered by, each with the address without it."""
    found = []
    for name, value in address.question(timezone.localdate()).chosen.items():
        word = group_names(name, viewer).get(value, str(value))
        found.append({"label": f"{GROUP_NAMES[name]}: {word}", "url": address.link(**{name: ""})})
    return found


def _layout(slug: str) -> Layout:
    if slug not in LAYOUTS:
        raise Http404
    return LAYOUTS[slug]


def _without_split(question: Question) -> Question:
    return Question(question.measures, "", "", question.since, question.until, question.chosen, question.as_of)


def _lines(report: Report, names: dict[Any, str]) -> Iterable[list[Any]]:
    """Tiles, then what is drawn over time, then the table."""
    for key, figure in report.tiles.items():
        yield [key, "", "", "", figure.value, figure.low, figure.high, figure.n]
    for row in [*report.over_time.rows, *report.table.rows]:
        for key, figure in row.figures.items():
            name = names.get(row.group, row.group) if row.day is None else ""
            yield [key, row.group, name, row.day or "", figure.value, figure.low, figure.high, figure.n]


def choices_of(slug: str, question: Question, address: ReportAddress, viewer: Viewer) -> dict[str, Any]:
    """What the head of a page of figures offers: the other pages, periods, splits and filters."""
    periods = [("7", _("7 days")), ("30", _("30 days")), ("90", _("90 days")), ("365", _("A year")), ("all", _("All time"))]
    offered = choices()
    selects = [
        _select("team", [(team.pk, team.name) for team in list_teams(viewer)], address),
        _select("channel", [(channel.pk, channel.name) for channel in list_channels(viewer)], address),
        _select("agent", [(person.pk, person.display_name) for person in list_users()], address),
        _select("kind", offered["kind"], address),
        _select("priority", offered["priority"], address),
    ]
    selected = {one["name"] for one in selects}
    return {
        "tabs": report_tabs(slug, _kept(address)),
        "periods": [{"label": label, "url": address.link(period=code), "is_current": address.period == code} for code, label in periods],
        "splits": [{"name": name, "url": address.link(by=code), "is_current": code == question.by} for code, name in GROUP_NAMES.items()],
        "by_name": GROUP_NAMES.get(question.by, ""),
        "filters": selects,
        "hidden": {name: value for name, value in address.given if name not in selected},
        "chosen": chosen_words(address, viewer),
        "since": question.since,
        "until": question.until,
        "now_url": address.link(as_of=""),
    }


def _select(name: str, options: Iterable[tuple[Any, Any]], address: ReportAddress) -> dict[str, Any]:
    given = address.values.get(name, "")
    return {"name": name, "label": GROUP_NAMES[name], "options": [(spell(code), label, spell(code) == given) for code, label in options]}


def _kept(address: ReportAddress) -> str:
    """The choice without the split: each report has its own."""
    query = {name: value for name, value in address.given if name not in {"by", *OWN_CHOICES}}
    return f"?{urlencode(query)}" if query else ""
