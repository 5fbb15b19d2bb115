from django.apps import AppConfig


class WebConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.web"
    label = "web"
