from django.apps import AppConfig


class SurveysConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.surveys"
    label = "surveys"
