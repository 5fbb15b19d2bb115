from django.apps import AppConfig


class WritingConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.writing"
    label = "writing"
