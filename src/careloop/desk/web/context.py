"""What every page's frame needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from careloop.desk.accounts.rules import PERMISSIONS


def page_frame(request: HttpRequest) -> dict[str, Any]:
    """The house's name, where the live stream is, and what the person may do."""
    user = getattr(request, "user", None)
    role = getattr(user, "role", "")
    return {
        "house_name": settings.HOUSE_NAME,
        "stream_url": settings.STREAM_URL,
        "may": {permission.replace(".", "_"): True for permission in PERMISSIONS.get(role, ())},
        "theme": getattr(user, "theme", "SYSTEM"),
    }
