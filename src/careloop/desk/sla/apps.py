from django.apps import AppConfig


class SlaConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.sla"
    label = "sla"
