from django.apps import AppConfig


class MergingConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.merging"
    label = "merging"
