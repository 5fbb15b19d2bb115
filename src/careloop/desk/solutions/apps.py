from django.apps import AppConfig


class SolutionsConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.solutions"
    label = "solutions"
