from django.apps import AppConfig


class KernelConfig(AppConfig):
    """Registers the app under a short label."""

    name = "careloop.desk.kernel"
    label = "kernel"
