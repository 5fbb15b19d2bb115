"""Writing to customers: the reply, its outbox row and the job that sends it, in one transaction; sending comes after commit."""

import uuid
from datetime import datetime

from django.db import transaction

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Message, Status
from careloop.desk.outbox.delivery import BY_MAIL
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.outbox.tasks import deliver
from careloop.desk.teamwork.customer_links import fill_link


def reply_to_case(
    *, case_id: int, body: str, viewer: Viewer, now: datetime, status: str = Status.WAITING, seen_message_id: int | None = None
) -> Message:
    """Write to the customer and queue the message for delivery; refused when somebody wrote after `seen_message_id`."""
    with transaction.atomic():
        body = fill_link(body, case_id, now=now)
        message = cases.reply(case_id=case_id, body=body, viewer=viewer, now=now, status=status, seen_message_id=seen_message_id)
        item = OutboxItem.objects.create(message=message, idempotency_key=uuid.uuid4().hex, created_at=now)
        deliver.enqueue(item.pk)
    return message


def withdraw(*, message_id: int) -> bool:
    """Take a mail that waits out of the outbox, in the caller's transaction; False when it has left, or may have been fetched already."""
    waiting = OutboxItem.objects.select_for_update(of=("self",)).filter(message_id=message_id, sent_at=None)
    item = waiting.filter(message__channel__kind__in=BY_MAIL).first()
    if item is not None:
        item.delete()
    return item is not None
