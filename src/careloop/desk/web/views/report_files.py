"""Reports and dashboards as files: PDF, and the whole of a dashboard with commas between its figures."""

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from careloop.desk.accounts.rules import Viewer
from careloop.desk.reports.address import address_from
from careloop.desk.reports.content import Content, dashboard_content, report_content
from careloop.desk.reports.dashboards import get_dashboard
from careloop.desk.reports.files import csv_of
from careloop.desk.reports.paper import pdf_of
from careloop.desk.reports.rules.layouts import LAYOUTS
from careloop.desk.web.access import for_viewer


@require_GET
@for_viewer("report.view")
def report_pdf(request: HttpRequest, viewer: Viewer, report: str) -> HttpResponse:
    """A report on paper."""
    if report not in LAYOUTS:
        raise Http404
    return _pdf(report_content(LAYOUTS[report], address_from(request.GET), timezone.localdate(), viewer))


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
    return _file(csv_of(content).encode(), "text/csv; charset=utf-8", content, "csv")


def _pdf(content: Content) -> HttpResponse:
    return _file(pdf_of(content), "application/pdf", content, "pdf")


def _file(body: bytes, kind: str, content: Content, ending: str) -> HttpResponse:
    response = HttpResponse(body, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{content.slug}-{timezone.localdate()}.{ending}"'
    return response
