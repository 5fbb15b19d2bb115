"""What happened to a case, as rows that are only ever appended."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.kernel.actor import Actor


def event_of(  # noqa: PLR0913  (an event is these facts)
    *,
    case: Case,
    kind: str,
    actor: Actor,
    now: datetime,
    message: Message | None = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> CaseEvent:
    """An event that is not stored yet."""
    return CaseEvent(
        case=case,
        team_id=case.team_id,
        kind=kind,
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        message=message,
        before=before or {},
        after=after or {},
    )


def add_event(**facts: Any) -> CaseEvent:
    """Append one event with the facts of `event_of`, in the caller's transaction."""
    event = event_of(**facts)
    event.save(force_insert=True)
    return event


def plain(columns: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as the JSON of an event takes them."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in columns.items()}
