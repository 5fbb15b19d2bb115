from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.analysis"
    label = "analysis"
