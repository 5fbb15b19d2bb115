"""Where one can go: the areas of the rail, the places of each, one's own menu."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

IN_THE_BAR = 4  # areas in the bar at the foot of a phone; the others are in the menu there


@dataclass(frozen=True)
class Place:
    """One page, or one family of pages; `prefixes` are further paths that belong to it, `count_route` says how many wait there."""

    label: str | Promise
    route: str
    permission: str = ""
    prefixes: tuple[str, ...] = ()
    count_route: str = ""
    icon: str = ""


@dataclass(frozen=True)
class Area:
    """One way in the rail; its places are the tabs above the page. `permission` keeps the whole area from those who lack it."""

    label: str | Promise
    icon: str
    places: tuple[Place, ...]
    permission: str = ""
    at_end: bool = False


REPORTS = (
    Place(_("Reports"), "reports", "report.view"),
    Place(_("Why"), "why", "report.view"),
    Place(_("Watch"), "watch", "report.view", ("/alarms/",)),
    Place(_("Comparisons"), "comparisons", "comparison.view"),
    Place(_("Dashboards"), "dashboards", "report.view"),
    Place(_("By mail"), "mailings", "report.view"),
)
WORKFLOW = (
    Place(_("Flows"), "flows", "flow.view"),
    Place(_("Approvals"), "approvals", "case.work", count_route="approval-count"),
    Place(_("Service levels"), "service-levels", "sla.view"),
    Place(_("Routing"), "routing", "routing.view"),
    Place(_("Rules"), "rules", "rule.view"),
    Place(_("Macros"), "macros", "case.work"),
    Place(_("Fields and follow-up"), "fields", "flow.edit"),
)
SETTINGS = (
    Place(_("People"), "users", "user.edit"),
    Place(_("Teams"), "teams", "user.edit"),
    Place(_("Channels"), "channels", "channel.edit"),
    Place(_("API keys"), "keys", "key.edit"),
    Place(_("Webhooks"), "webhooks", "key.edit"),
    Place(_("Categories"), "categories", "model.view", ("/models/",)),
    Place(_("Import"), "imports", "import.run"),
    Place(_("Jobs"), "jobs", "job.view"),
    Place(_("Audit trail"), "audit", "audit.view"),
    Place(_("Preferences"), "preferences"),
)
AREAS = (
    Area(_("Inbox"), "inbox", (Place(_("Inbox"), "inbox", "case.view", ("/cases/", "/inbox/", "/board/", "/tasks/")),)),
    Area(_("Customers"), "users", (Place(_("Customers"), "customers", "customer.view"),)),
    Area(
        _("Feedback"),
        "star",
        (
            Place(_("Feedback"), "feedback", "feedback.view"),
            Place(_("Topics"), "topics", "feedback.view"),
            Place(_("Surveys"), "surveys", "survey.view"),
        ),
    ),
    Area(_("Reports"), "chart-column", REPORTS, permission="report.view"),
    Area(
        _("Solutions"),
        "book-open",
        (
            Place(_("Library"), "solutions", "solution.view"),
            Place(_("Gaps"), "solution-gaps", "solution.view"),
            Place(_("Automatic replies"), "automatic-replies", "solution.view"),
        ),
    ),
    Area(_("Workflow"), "workflow", WORKFLOW, permission="sla.edit"),
    Area(_("Settings"), "settings", SETTINGS, permission="model.view", at_end=True),
)
USER_MENU = (
    Place(_("My tasks"), "tasks", "case.work", icon="list-checks"),
    Place(_("Approvals"), "approvals", "case.work", icon="stamp"),
    Place(_("Board"), "board", "case.view", icon="columns-3"),
    Place(_("Preferences"), "preferences", icon="sliders-horizontal"),
    Place(_("Change password"), "account_change_password", icon="lock"),
    Place(_("Two-factor authentication"), "mfa_index", icon="shield-check"),
)


def places_of(path: str, permissions: frozenset[str]) -> dict[str, Any]:
    """What the frame of the page at `path` shows: the rail, the tabs of its area, the name of its place, one's own menu."""
    area, place = _where(path)
    rail: list[dict[str, Any]] = []
    for one in AREAS:
        allowed = _allowed(one, permissions)
        if allowed:
            is_beyond = len(rail) >= IN_THE_BAR
            entry = {"label": one.label, "icon": one.icon, "at_end": one.at_end, "is_current": one is area, "is_beyond": is_beyond}
            rail.append({**entry, "url": _address(allowed[0].route)})
    tabs = _allowed(area, permissions) if area else []
    return {
        "rail": rail,
        "area_name": area and area.label,
        "place_name": place and place.label,
        "tabs_of_area": [_tab(one, one is place) for one in tabs] if len(tabs) > 1 else [],
        "user_menu": [_tab(one, False) for one in USER_MENU if not one.permission or one.permission in permissions],
    }


def _where(path: str) -> tuple[Area | None, Place | None]:
    """The area and the place with the longest address that `path` begins with; the inbox is at "/" alone."""
    found = [
        (len(prefix), area, place)
        for area in AREAS
        for place in area.places
        for prefix in (_address(place.route), *place.prefixes)
        if (path == prefix if prefix == "/" else path.startswith(prefix))
    ]
    if not found:
        return None, None
    _length, area, place = max(found, key=lambda one: one[0])
    return area, place


@cache
def _address(route: str) -> str:
    return reverse(route)


def _allowed(area: Area, permissions: frozenset[str]) -> list[Place]:
    if area.permission and area.permission not in permissions:
        return []
    return [place for place in area.places if not place.permission or place.permission in permissions]


def _tab(place: Place, is_current: bool) -> dict[str, Any]:
    count_url = _address(place.count_route) if place.count_route else ""
    return {"label": place.label, "icon": place.icon, "url": _address(place.route), "is_current": is_current, "count_url": count_url}
