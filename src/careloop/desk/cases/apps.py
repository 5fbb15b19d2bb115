from django.apps import AppConfig


class CasesConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.cases"
    label = "cases"
