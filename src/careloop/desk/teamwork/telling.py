"""The step that every change around a case shares: the case's next version, an event and an audit entry, in the caller's transaction."""

from datetime import datetime
from typing import Any

from careloop.desk.audit import actions as audit
from careloop.desk.cases.changes import save_case
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.kernel.actor import Actor


def tell_case(case: Case, kind: str, actor: Actor, now: datetime, **facts: Any) -> CaseEvent:
    """Write what was done to a locked case; `before` and `after` are plain values."""
    save_case(case)
    event = add_event(case=case, kind=kind, actor=actor, now=now, **facts)
    action = f"case.{kind.lower()}"
    audit.record(actor=actor, action=action, object_type="case", object_id=case.pk, now=now, details={**facts})
    return event
