from django.apps import AppConfig


class BulkConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.bulk"
    label = "bulk"
