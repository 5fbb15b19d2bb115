from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.api"
    label = "api"
