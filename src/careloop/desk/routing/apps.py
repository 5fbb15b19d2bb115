from django.apps import AppConfig


class RoutingConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.routing"
    label = "routing"
