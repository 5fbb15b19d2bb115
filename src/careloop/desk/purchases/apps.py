from django.apps import AppConfig


class PurchasesConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.purchases"
    label = "purchases"
