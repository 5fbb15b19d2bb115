"""Addresses of the pages beside the reports: times."""

from django.urls import path

from careloop.desk.web.views import times

urlpatterns = [
    path("reports/times/", times.page, name="times"),
    path("reports/times/csv/", times.export, name="times-csv"),
]
