from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.outbox"
    label = "outbox"
