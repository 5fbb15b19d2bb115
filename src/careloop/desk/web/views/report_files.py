"""Reports and dashboards on paper, and dashboards as files."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from careloop.desk.accounts.rules import Viewer
from careloop.desk.reports.address import address_from
from careloop.desk.reports.content import Content, dashboard_content
from careloop.desk.reports.dashboards import get_dashboard
from careloop.desk.reports.documents import document_of
from careloop.desk.reports.paper import pdf_of
from careloop.desk.reports.parts import Document
from careloop.desk.reports.words import ALL_NAMES
from careloop.desk.web.access import for_viewer
from careloop.desk.web.downloads import csv_answer, file_answer


@require_GET
@for_viewer("report.view")
def report_pdf(request: HttpRequest, viewer: Viewer, report: str) -> HttpResponse:
    """A report on paper."""
    if report not in ALL_NAMES:
        raise Http404
    return _pdf(document_of(report, address_from(request.GET, report), timezone.localdate(), viewer))


@require_GET
@for_viewer("report.view")
def dashboard_pdf(request: HttpRequest, viewer: Viewer, dashboard_id: int) -> HttpResponse:
    """A dashboard on paper."""
    return _pdf(dashboard_content(get_dashboard(dashboard_id, viewer), address_from(request.GET), timezone.localdate(), viewer))


@require_GET
@for_viewer("report.view")
def dashboard_csv(request: HttpRequest, viewer: Viewer, dashboard_id: int) -> HttpResponse:
    """All figures of a dashboard, unrounded."""
    content = dashboard_content(get_dashboard(dashboard_id, viewer), address_from(request.GET), timezone.localdate(), viewer)
    return csv_answer(content.slug, content.head, content.lines)


def _pdf(content: Content | Document) -> HttpResponse:
    return file_answer(pdf_of(content), "application/pdf", f"{content.slug}-{timezone.localdate()}.pdf")
