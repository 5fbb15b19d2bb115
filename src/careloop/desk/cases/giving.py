"""Cases given to people by routing, or back to the queue: many at a time, in the caller's transaction, in a fixed number of queries."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from careloop.desk.cases.events import event_of
from careloop.desk.cases.models import Case, EventKind, Status
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.kernel.actor import Actor
from careloop.desk.kernel.rows import find_rows, insert_rows, marks, update_rows

OPEN_ONLY = (Status.OPEN.value,)


def lock_unassigned(case_ids: Sequence[int]) -> list[Case]:
    """Those of the cases that are open and that nobody has, locked until the transaction ends."""
    if not case_ids:
        return []
    condition = f"id IN ({marks(case_ids)}) AND assignee_id IS NULL AND status = %s ORDER BY id"
    return find_rows(Case, condition, [*case_ids, Status.OPEN.value], is_locked=True)


def lock_owned(user_id: int, *, team_ids: Sequence[int] | None = None, is_unanswered: bool = False) -> list[Case]:
    """The unresolved cases that a person has, perhaps of some teams, perhaps only those in which the customer waits for us; locked."""
    statuses = OPEN_ONLY if is_unanswered else UNRESOLVED
    condition, values = f"assignee_id = %s AND status IN ({marks(statuses)})", [user_id, *statuses]
    if team_ids is not None:
        if not team_ids:
            return []
        condition, values = f"{condition} AND team_id IN ({marks(team_ids)})", [*values, *team_ids]
    return find_rows(Case, f"{condition} ORDER BY id", values, is_locked=True)


def give_cases(
    cases: Sequence[Case], to: Mapping[int, int | None], facts: Mapping[int, dict[str, Any]], actor: Actor, now: datetime
) -> None:
    """Give locked cases to people (None: back to the queue) with an event each that says why; whoever saw them before is refused."""
    events = []
    for case in cases:
        before, after = {"assignee_id": case.assignee_id}, {"assignee_id": to[case.pk], **facts[case.pk]}
        case.assignee_id, case.version = to[case.pk], case.version + 1
        events.append(event_of(case=case, kind=EventKind.ROUTED, actor=actor, now=now, before=before, after=after))
    update_rows(cases, "assignee_id", "version")
    insert_rows(events)
