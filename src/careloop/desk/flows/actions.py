"""Changing flows: each change is checked, versioned and audited. Running cases stay on their version until they are moved."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.flows.models import Flow, FlowVersion
from careloop.desk.flows.queries import access_flow, people_by_role
from careloop.desk.flows.rules.checking import check_flow
from careloop.desk.flows.rules.flow import Names
from careloop.desk.flows.rules.reading import LANGUAGES, LONGEST_NAME, flow_to_json
from careloop.desk.kernel.errors import Conflict, InvalidInput

SHIPPED = Path(__file__).parent / "shipped"
MOST_POSITION = 32_000


@dataclass(frozen=True)
class FlowFacts:
    """What a flow is made of; `definition` as JSON, `note` says what this version changes."""

    name: Names
    kind: str
    definition: Any
    position: int = 10
    is_active: bool = True
    note: str = ""


def save_flow(
    *, facts: FlowFacts, viewer: Viewer, now: datetime, flow_id: int | None = None, expected_number: int | None = None
) -> tuple[FlowVersion, bool]:
    """Make a flow or change one; returns the version in force and whether it is new. Names, order and use need no new version.

    InvalidFlow when it makes no sense, Conflict when somebody made a version after `expected_number`.
    """
    check_may(viewer, "flow.edit")
    columns = _check_facts(facts)
    definition = flow_to_json(check_flow(facts.definition, people_by_role()))
    with transaction.atomic():
        flow = Flow() if flow_id is None else Flow.objects.select_for_update().get(pk=access_flow(flow_id).pk)
        newest = None if flow_id is None else flow.versions.order_by("-number").first()
        if newest is not None and expected_number is not None and newest.number != expected_number:
            sentence = _(
                "Somebody made version %(number)s of this flow in between; look at it and repeat your change if it is still right."
            )
            raise Conflict(sentence % {"number": newest.number})
        for name, value in columns.items():
            setattr(flow, name, value)
        flow.save()
        is_new = newest is None or newest.definition != definition
        if newest is None or is_new:
            number = 1 if newest is None else newest.number + 1
            note = facts.note.strip()[:200]
            newest = FlowVersion.objects.create(
                flow=flow, number=number, definition=definition, created_by_id=viewer.user_id, at=now, note=note
            )
        details = {**columns, "name": str(flow), "version": newest.number}
        audit.record(actor=actor_of(viewer), action="flow.save", object_type="flow", object_id=flow.pk, now=now, details=details)
    return newest, is_new


def ensure_shipped(*, now: datetime | None = None) -> int:
    """Make the flows that come with Careloop in a house that has none at all; returns how many were made."""
    at = now or datetime.now(UTC)
    if Flow.objects.exists():
        return 0
    with transaction.atomic():
        if connection.vendor == "postgresql":  # workers start side by side; SQLite lets one write at a time anyway
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE flows_flow IN SHARE ROW EXCLUSIVE MODE")
        if Flow.objects.exists():
            return 0
        for facts in shipped_flows():
            flow = Flow.objects.create(name=facts.name, kind=facts.kind, position=facts.position)
            FlowVersion.objects.create(flow=flow, number=1, definition=facts.definition, at=at)
        return len(shipped_flows())


@cache
def shipped_flows() -> tuple[FlowFacts, ...]:
    """The flows that come with Careloop, checked."""
    found = []
    for path in sorted(SHIPPED.glob("*.json")):
        raw = json.loads(path.read_text(encoding="utf-8"))
        found.append(FlowFacts(raw["name"], raw["kind"], flow_to_json(check_flow(raw["definition"]))))
    return tuple(found)


def _check_facts(facts: FlowFacts) -> dict[str, Any]:
    name: Mapping[str, str] = {language: " ".join(facts.name.get(language, "").split()) for language in LANGUAGES}
    if not any(name.values()) or any(len(one) > LONGEST_NAME for one in name.values()):
        raise InvalidInput(_("The flow needs a name of at most %(most)s characters.") % {"most": LONGEST_NAME}, field="name")
    if not facts.kind or len(facts.kind) > 12:
        raise InvalidInput(_("Choose the kind of contact whose cases take this flow."), field="kind")
    if not 0 <= facts.position <= MOST_POSITION:
        raise InvalidInput(_("The order is a number from 0 to %(most)s.") % {"most": MOST_POSITION}, field="position")
    return {"name": name, "kind": facts.kind, "position": facts.position, "is_active": facts.is_active}
