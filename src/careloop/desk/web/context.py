"""What every page's frame needs."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.rules import PERMISSIONS
from careloop.desk.web.places import places_of

SCRIPT_WORDS = {
    "offline": _("Offline, trying again…"),
    "signed_out": _("You were signed out. What you typed is kept: sign in again in another tab."),
    "fresh": _("{count} new"),
    "many": _("Many new"),
    "saved": _("Draft kept on this device"),
    "unanswered": _("The server did not answer. What you typed is kept; try again."),
    "failed": _("Something went wrong on the server. What you typed is kept; try again, or tell the person who runs this desk."),
    "arrived": _("A new message arrived while you were writing."),
}


def page_frame(request: HttpRequest) -> dict[str, Any]:
    """The house's name, where the live stream is, what the person may do and where they may go."""
    user = getattr(request, "user", None)
    permissions = PERMISSIONS.get(getattr(user, "role", ""), frozenset())
    return {
        "house_name": settings.HOUSE_NAME,
        "stream_url": settings.STREAM_URLS.get(request.get_host().rpartition(":")[0], settings.STREAM_URL),
        "may": {permission.replace(".", "_"): True for permission in permissions},
        "theme": getattr(user, "theme", "SYSTEM"),
        "script_words": SCRIPT_WORDS,
        **places_of(request.path, permissions),
    }
