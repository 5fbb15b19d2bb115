from django.apps import AppConfig


class ImportsConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.imports"
    label = "imports"
