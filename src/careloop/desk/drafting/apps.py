from django.apps import AppConfig


class DraftingConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.drafting"
    label = "drafting"
