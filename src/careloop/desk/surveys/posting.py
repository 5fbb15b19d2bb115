"""A letter on its way: message, outbox row, job, event and audit entry, in the caller's transaction."""

import uuid
from datetime import datetime
from typing import Any

from careloop.desk.audit import actions as audit
from careloop.desk.cases.events import add_event
from careloop.desk.cases.messages import add_message
from careloop.desk.cases.models import Delivery, Direction, EventKind, Message
from careloop.desk.kernel.actor import SYSTEM, Actor
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.outbox.tasks import deliver
from careloop.desk.surveys.letters import letter_of
from careloop.desk.surveys.models import Invitation


def post(invitation: Invitation, *, now: datetime, is_reminder: bool = False) -> Message:
    """Ask, or remind; the case's status and clocks stay as they are, for asking is no answer."""
    case: Any = invitation.case
    letter = letter_of(invitation, now=now, is_reminder=is_reminder)
    message = add_message(case=case, direction=Direction.OUTBOUND, body=letter.text, now=now, delivery=Delivery.QUEUED)
    mail = {"subject": letter.subject, "html": letter.html, "refuse_url": letter.refuse_url}
    item = OutboxItem.objects.create(message=message, idempotency_key=uuid.uuid4().hex, created_at=now, **mail)
    deliver.enqueue(item.pk)
    after = {"delivery": Delivery.QUEUED.value, "survey": invitation.survey.name}
    add_event(case=case, kind=EventKind.DELIVERY, actor=SYSTEM, now=now, message=message, after=after)
    audit_invitation(invitation, "survey.remind" if is_reminder else "survey.send", SYSTEM, now)
    return message


def audit_invitation(invitation: Invitation, action: str, actor: Actor, now: datetime) -> None:
    """An entry that names survey, case and why somebody was asked."""
    details = {"survey": invitation.survey_id, "case": invitation.case_id, "origin": invitation.origin}
    audit.record(actor=actor, action=action, object_type="survey", object_id=invitation.survey_id, now=now, details=details)
