from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.audit"
    label = "audit"
