from django.apps import AppConfig


class MeasuresConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.measures"
    label = "measures"
