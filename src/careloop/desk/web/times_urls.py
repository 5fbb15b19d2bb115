"""Addresses of the pages beside the reports: times and retention."""

from django.urls import path

from careloop.desk.web.views import retention, times

urlpatterns = [
    path("reports/times/", times.page, name="times"),
    path("reports/times/csv/", times.export, name="times-csv"),
    path("reports/retention/", retention.page, name="retention"),
    path("reports/retention/csv/", retention.export, name="retention-csv"),
]
