"""Reports: one page for all of them, the same figures as a file, and the cases behind each number."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.queries import CASES_SHOWN, ask, list_cases_behind
from careloop.desk.measures.reading import Question
from careloop.desk.measures.rules.definitions import MEASURES, SHARE
from careloop.desk.reports.address import address_from
from careloop.desk.reports.content import report_content
from careloop.desk.reports.queries import make_report
from careloop.desk.reports.rules.layouts import LAYOUTS, Layout
from careloop.desk.reports.times_words import OPEN_NAMES
from careloop.desk.web.access import for_viewer
from careloop.desk.web.downloads import csv_answer
from careloop.desk.web.measure_words import DEFINITIONS, NAMES, REPORT_NAMES, group_names, say, say_interval
from careloop.desk.web.report_choice import choice_of, chosen_words, mail_url
from careloop.desk.web.report_panels import comparison_panel, table_rows, tiles, time_panels


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
        "tiles": tiles(made, address),
        "panels": time_panels(made, address),
        "columns": [{"key": key, "name": NAMES[key], "definition": DEFINITIONS[key]} for key in layout.columns],
        "rows": table_rows(made, layout, address, names),
        "comparison": comparison_panel(made.comparison, names),
        "export_url": reverse("report-csv", args=[layout.slug]) + address.link(),
        "pdf_url": reverse("report-pdf", args=[layout.slug]) + address.link(),
        "mail_url": mail_url(f"report:{layout.slug}", address),
        **choice_of(address, viewer, slug=layout.slug, by=made.table.question.by),
    }
    return render(request, "reports/page.html", context)


@require_GET
@for_viewer("report.view")
def export(request: HttpRequest, viewer: Viewer, report: str) -> HttpResponse:
    """The same figures as CSV, unrounded."""
    content = report_content(_layout(report), address_from(request.GET), timezone.localdate(), viewer)
    return csv_answer(content.slug, content.head, content.lines)


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
        "sides": [{"name": name, "url": f"{behind}{more}", "is_current": hit is side} for name, more, side in _sides(key)],
        "chosen": chosen_words(address, viewer),
    }
    return render(request, "reports/cases.html", context)


def _sides(key: str) -> list[tuple[str, str, bool | None]]:
    """What can be chosen of a figure's cases: those that count as yes or no; of a time all, those that are over and those that are not."""
    if MEASURES[key].form == SHARE:
        return [(_("Counted as yes"), "&hit=yes", True), (_("Counted as no"), "&hit=no", False)]
    if key not in OPEN_NAMES:
        return []
    return [(_("All"), "", None), (_("Over"), "&hit=yes", True), (str(OPEN_NAMES[key]), "&hit=no", False)]


def _layout(slug: str) -> Layout:
    if slug not in LAYOUTS:
        raise Http404
    return LAYOUTS[slug]


def _without_split(question: Question) -> Question:
    return Question(question.measures, "", "", question.since, question.until, question.chosen, question.as_of)
