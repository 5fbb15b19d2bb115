from django.apps import AppConfig


class FlowsConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.flows"
    label = "flows"
