"""Retention: whether customers come back after a complaint and without, by remedy, outcome and month."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.retention import WITHIN, measure_retention
from careloop.desk.reports.address import address_from
from careloop.desk.reports.retention_lines import COLUMNS, lines_of
from careloop.desk.reports.retention_rows import retention_rows, span_days, within_of
from careloop.desk.web.access import for_viewer
from careloop.desk.web.downloads import csv_answer
from careloop.desk.web.report_choice import choice_of, mail_url


@require_GET
@for_viewer("report.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Rates of both sides, contacts before and after, remedies, outcomes and months."""
    address = address_from(request.GET, "retention")
    within = within_of(address)
    found = measure_retention(address.question(timezone.localdate()), within, viewer)
    context = {
        "title": _("Retention"),
        "as_of": found.as_of,
        "within": within,
        "withins": [{"name": span_days(days), "url": address.link(within=days), "is_current": days == within} for days in WITHIN],
        "days": span_days(within),
        "export_url": reverse("retention-csv") + address.link(),
        "pdf_url": reverse("report-pdf", args=["retention"]) + address.link(),
        "mail_url": mail_url("report:retention", address_from({**address.values, "within": str(within)}, "retention")),
        **choice_of(address, viewer, slug="retention"),
        **retention_rows(found),
    }
    return render(request, "reports/retention.html", context)


@require_GET
@for_viewer("report.view")
def export(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The same figures as CSV, unrounded."""
    address = address_from(request.GET, "retention")
    within = within_of(address)
    found = measure_retention(address.question(timezone.localdate()), within, viewer)
    return csv_answer("retention", COLUMNS, lines_of(found))
