from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.jobs"
    label = "jobs"
