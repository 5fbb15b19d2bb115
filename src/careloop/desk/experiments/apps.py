from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.experiments"
    label = "experiments"
