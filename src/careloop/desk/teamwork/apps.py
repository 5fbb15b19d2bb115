from django.apps import AppConfig


class TeamworkConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.teamwork"
    label = "teamwork"
