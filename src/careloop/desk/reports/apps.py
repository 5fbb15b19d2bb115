from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.reports"
    label = "reports"
