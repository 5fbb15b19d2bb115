from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.notices"
    label = "notices"
