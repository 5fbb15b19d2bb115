from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.search"
    label = "search"
