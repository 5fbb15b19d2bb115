"""Who looked at whose data: an audit entry for every page of a case, a customer's or a shared one, and for lists of cases."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.kernel.actor import Actor

MOST_NAMED = 200


def note_look(case_id: int, viewer: Viewer, *, place: str, now: datetime) -> None:
    """Somebody at the desk looked at what belongs to a case."""
    note_visit(case_id, actor_of(viewer), action="case.view", now=now, place=place)


def note_visit(case_id: int, actor: Actor, *, action: str, now: datetime, **details: Any) -> None:
    """Somebody with a link looked at a case."""
    with transaction.atomic():
        audit.record(actor=actor, action=action, object_type="case", object_id=case_id, now=now, details=details)


def note_list(case_ids: Iterable[int], viewer: Viewer, *, place: str, now: datetime) -> None:
    """Somebody at the desk looked at a list that tells of these cases; an empty one tells nothing."""
    numbers = sorted(set(case_ids))
    if numbers:
        details = {"place": place, "count": len(numbers), "cases": numbers[:MOST_NAMED]}
        with transaction.atomic():
            audit.record(actor=actor_of(viewer), action="list.view", object_type="list", object_id=None, now=now, details=details)
