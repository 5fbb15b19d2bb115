"""What every page's frame needs."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from careloop.desk.accounts.rules import PERMISSIONS


@dataclass(frozen=True)
class Entry:
    """One way in the rail or the user's menu; `prefixes` are the paths on which it is the current one."""

    label: str | Promise
    icon: str
    route: str
    permission: str = ""
    prefixes: tuple[str, ...] = ()
    at_end: bool = False


WORKFLOW = ("/service-levels/", "/flows/", "/approvals/", "/routing/", "/rules/", "/macros/")
RAIL = (
    Entry(_("Inbox"), "inbox", "inbox", "case.view", ("/cases/",)),
    Entry(_("Feedback"), "star", "feedback", "feedback.view"),
    Entry(_("Topics"), "shapes", "topics", "feedback.view"),
    Entry(_("Surveys"), "clipboard-list", "surveys", "survey.view"),
    Entry(_("Reports"), "chart-column", "reports", "report.view"),
    Entry(_("Comparisons"), "scale", "comparisons", "comparison.view"),
    Entry(_("Customers"), "users", "customers", "customer.view"),
    Entry(_("Categories"), "tags", "categories", "model.view", ("/models/",)),
    Entry(_("Workflow"), "workflow", "service-levels", "sla.edit", WORKFLOW),
    Entry(_("Solutions"), "book-open", "solutions", "solution.view"),
    Entry(_("Import"), "file-up", "imports", "import.run"),
    Entry(_("Jobs"), "list-checks", "jobs", "job.view"),
    Entry(_("Settings"), "settings", "users", "user.edit", ("/settings/",), at_end=True),
)
USER_MENU = (
    Entry(_("My tasks"), "list-checks", "tasks", "case.work"),
    Entry(_("Approvals"), "stamp", "approvals", "case.work"),
    Entry(_("Board"), "columns-3", "board", "case.view"),
    Entry(_("Preferences"), "sliders-horizontal", "preferences"),
    Entry(_("Audit trail"), "scroll-text", "audit", "audit.view"),
    Entry(_("Change password"), "lock", "account_change_password"),
    Entry(_("Two-factor authentication"), "shield-check", "mfa_index"),
)
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
    rail = _entries(RAIL, permissions, request.path)
    return {
        "house_name": settings.HOUSE_NAME,
        "stream_url": settings.STREAM_URLS.get(request.get_host().rpartition(":")[0], settings.STREAM_URL),
        "may": {permission.replace(".", "_"): True for permission in permissions},
        "theme": getattr(user, "theme", "SYSTEM"),
        "rail": rail,
        "rail_has_end": any(entry["at_end"] for entry in rail),
        "script_words": SCRIPT_WORDS,
        "user_menu": _entries(USER_MENU, permissions, request.path),
    }


def _entries(entries: tuple[Entry, ...], permissions: frozenset[str], path: str) -> list[dict[str, Any]]:
    shown = []
    for entry in entries:
        if entry.permission and entry.permission not in permissions:
            continue
        url = reverse(entry.route)
        here = path == url or (url != "/" and path.startswith(url)) or path.startswith(entry.prefixes or ("\0",))
        shown.append({"label": entry.label, "icon": entry.icon, "url": url, "is_current": here, "at_end": entry.at_end})
    return shown
