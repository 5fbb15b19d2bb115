from django.apps import AppConfig


class WatchConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.watch"
    label = "watch"
