"""Addresses of dashboards, and of reports as files."""

from django.urls import path

from careloop.desk.web.views import dashboards

urlpatterns = [
    path("reports/dashboards/", dashboards.page, name="dashboards"),
    path("reports/dashboards/new/", dashboards.edit, name="dashboard-new"),
    path("reports/dashboards/<int:dashboard_id>/", dashboards.dashboard, name="dashboard"),
    path("reports/dashboards/<int:dashboard_id>/edit/", dashboards.edit, name="dashboard-edit"),
    path("reports/dashboards/<int:dashboard_id>/remove/", dashboards.delete, name="dashboard-remove"),
]
