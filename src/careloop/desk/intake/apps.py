from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.intake"
    label = "intake"
