"""Addresses of dashboards, and of reports as files."""

from django.urls import path

from careloop.desk.web.views import dashboards, mailings, report_files

urlpatterns = [
    path("reports/dashboards/", dashboards.page, name="dashboards"),
    path("reports/dashboards/new/", dashboards.edit, name="dashboard-new"),
    path("reports/dashboards/<int:dashboard_id>/", dashboards.dashboard, name="dashboard"),
    path("reports/dashboards/<int:dashboard_id>/edit/", dashboards.edit, name="dashboard-edit"),
    path("reports/dashboards/<int:dashboard_id>/remove/", dashboards.delete, name="dashboard-remove"),
    path("reports/dashboards/<int:dashboard_id>/pdf/", report_files.dashboard_pdf, name="dashboard-pdf"),
    path("reports/dashboards/<int:dashboard_id>/csv/", report_files.dashboard_csv, name="dashboard-csv"),
    path("reports/mailings/", mailings.page, name="mailings"),
    path("reports/mailings/new/", mailings.make, name="mailing-make"),
    path("reports/mailings/<int:mailing_id>/", mailings.edit, name="mailing-edit"),
    path("reports/mailings/<int:mailing_id>/now/", mailings.send_now, name="mailing-now"),
    path("reports/mailings/<int:mailing_id>/leave/", mailings.leave, name="mailing-leave"),
    path("reports/mailings/<int:mailing_id>/switch/", mailings.switch, name="mailing-switch"),
    path("reports/mailings/<int:mailing_id>/remove/", mailings.remove, name="mailing-remove"),
    path("reports/mails/<int:mail_id>/again/", mailings.again, name="mailing-again"),
    path("reports/<slug:report>/pdf/", report_files.report_pdf, name="report-pdf"),
]
