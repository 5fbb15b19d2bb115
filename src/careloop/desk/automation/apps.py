from django.apps import AppConfig


class AutomationConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.automation"
    label = "automation"
