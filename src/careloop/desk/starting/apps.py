from django.apps import AppConfig


class StartingConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.starting"
    label = "starting"
