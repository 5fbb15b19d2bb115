from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.demo"
    label = "demo"
