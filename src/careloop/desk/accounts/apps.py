from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.accounts"
    label = "accounts"
