from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.customers"
    label = "customers"
