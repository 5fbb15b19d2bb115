from django.apps import AppConfig


class FeedbackConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.feedback"
    label = "feedback"
