"""Making, changing and removing dashboards: check first, then one transaction with its audit entry."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.models import Team
from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed
from careloop.desk.reports.dashboards import check, get_dashboard, may_change
from careloop.desk.reports.models import Dashboard, Scope
from careloop.desk.reports.rules.tiles import Tile

MOST_NAME = 80


@dataclass(frozen=True)
class DashboardFacts:
    """What a dashboard shall be."""

    name: str
    scope: str
    tiles: list[Tile]
    team_id: int | None = None


def save_dashboard(
    *, facts: DashboardFacts, viewer: Viewer, now: datetime, dashboard_id: int | None = None, expected_version: int | None = None
) -> Dashboard:
    """Make a dashboard, or change the one that was seen in `expected_version`."""
    check_may(viewer, "report.view")
    name = " ".join(facts.name.replace("\0", "").split())
    with transaction.atomic():
        held = Dashboard(owner_id=viewer.user_id, version=0) if dashboard_id is None else _held(dashboard_id, viewer)
        _check_facts(facts, name, viewer)
        if dashboard_id is not None and held.version != expected_version:
            raise Conflict(_("Somebody else changed this dashboard in between; both versions stand here."))
        if held.scope != Scope.PERSON and facts.scope == Scope.PERSON:
            held.owner_id = viewer.user_id  # nobody else is left who sees it
        held.name, held.scope, held.tiles = name, facts.scope, [tile.to_json() for tile in facts.tiles]
        held.team_id = facts.team_id if facts.scope == Scope.TEAM else None
        held.version, held.changed_at = held.version + 1, now
        held.save()
        details = {"name": name, "scope": held.scope, "tiles": len(facts.tiles)}
        audit.record(actor=actor_of(viewer), action="dashboard.save", object_type="dashboard", object_id=held.pk, now=now, details=details)
    return held


def delete_dashboard(*, dashboard_id: int, viewer: Viewer, now: datetime) -> None:
    """Remove a dashboard with its mailings."""
    with transaction.atomic():
        held = _held(dashboard_id, viewer)
        facts = {"name": held.name}
        held.delete()
        audit.record(
            actor=actor_of(viewer), action="dashboard.delete", object_type="dashboard", object_id=dashboard_id, now=now, details=facts
        )


def _held(dashboard_id: int, viewer: Viewer) -> Dashboard:
    found = get_dashboard(dashboard_id, viewer)
    if not may_change(found, viewer):
        raise NotAllowed(_("Dashboards of a team or of everybody are changed by supervisors and owners; make your own from it."))
    return Dashboard.objects.select_for_update().get(pk=found.pk)


def _check_facts(facts: DashboardFacts, name: str, viewer: Viewer) -> None:
    if not name:
        raise InvalidInput(_("The dashboard has no name; give it one."), field="name")
    if len(name) > MOST_NAME:
        sentence = _("The name has %(given)d characters; at most %(most)d.")
        raise InvalidInput(sentence % {"given": len(name), "most": MOST_NAME}, field="name")
    if facts.scope not in Scope.values:
        raise InvalidInput(_("Say whose dashboard it is; choose from the list."), field="scope")
    if facts.scope != Scope.PERSON and not viewer.may("dashboard.share"):
        raise NotAllowed(_("Dashboards of a team or of everybody are made by supervisors and owners."), field="scope")
    if facts.scope == Scope.TEAM:
        is_there = facts.team_id is not None and Team.objects.filter(pk=facts.team_id).exists()
        if facts.team_id is None or not is_there or not viewer.sees_team(facts.team_id):
            raise InvalidInput(_("There is no such team; choose one from the list."), field="team")
    check(facts.tiles)
