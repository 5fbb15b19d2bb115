"""What a customer does to the case on the customer's page; messages come through the front door instead."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.audit import actions as audit
from careloop.desk.cases.changes import save_case
from careloop.desk.cases.clocks import Happening, keep_clocks
from careloop.desk.cases.events import add_event
from careloop.desk.cases.models import Case, Direction, EventKind, Message, Status
from careloop.desk.kernel.actor import Actor
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.sla.rules.following import STATUS
from careloop.desk.teamwork.customer_links import Visit

MESSAGES_SHOWN = 200
LOWEST, HIGHEST = 1, 5


def actor_of(case: Case) -> Actor:
    """The customer of a case, as events name them."""
    return Actor("customer", case.customer_id, str(case.customer)[:200])


def list_said(case: Case) -> list[Message]:
    """The newest messages between customer and house, in their order: no notes, nothing that can still be taken back."""
    said = case.messages.exclude(direction=Direction.NOTE).exclude(delivery="QUEUED")
    return list(said.order_by("-sent_at", "-pk")[:MESSAGES_SHOWN])[::-1]


def check_rating(given: str) -> int:
    """A rating from one to five."""
    if given not in {"1", "2", "3", "4", "5"}:
        raise InvalidInput(_("Please choose one to five."), field="rating")
    return int(given)


def set_status(*, visit: Visit, is_solved: bool, now: datetime) -> Case:
    """The customer says that it is solved, or that it is not; said twice is said once."""
    status = Status.RESOLVED if is_solved else Status.OPEN
    with transaction.atomic():
        case: Case = Case.objects.select_for_update(of=("self",)).select_related("customer").get(pk=visit.case.pk)
        if case.status in {status, Status.MERGED}:
            return case
        before = {"status": case.status}
        case.status, case.resolved_at = status, now if is_solved else None
        save_case(case, "status", "resolved_at")
        keep_clocks([Happening(case, STATUS, now, case.first_response_at is not None)])
        _tell(case, EventKind.STATUS, now, before=before, after={"status": case.status})
    return case


def _tell(case: Case, kind: str, now: datetime, **facts: Any) -> None:
    actor = actor_of(case)
    add_event(case=case, kind=kind, actor=actor, now=now, **facts)
    details: dict[str, Any] = {name: facts[name] for name in ("before", "after") if name in facts}
    audit.record(actor=actor, action=f"case.{kind.lower()}", object_type="case", object_id=case.pk, now=now, details=details)
