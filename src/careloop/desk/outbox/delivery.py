"""Sending what the outbox holds, after commit."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Delivery
from careloop.desk.channels import email
from careloop.desk.channels.outgoing import CannotDeliver, Outgoing, SentFile
from careloop.desk.customers.queries import list_addresses
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.teamwork.attachments import files_of
from careloop.desk.teamwork.customer_links import with_link

BY_MAIL = ("EMAIL", "FORM", "FILE")


def deliver(item_id: int, *, now: datetime) -> None:
    """Send one outbox row unless it left or was taken back; what cannot be delivered is marked so, the rest is raised and tried again."""
    item = OutboxItem.objects.select_related("message__case", "message__customer", "message__channel").filter(pk=item_id).first()
    if item is None or item.sent_at is not None:
        return
    message = item.message
    try:
        if message.channel.kind in BY_MAIL:
            email.send(_outgoing(item, now))
    except CannotDeliver as error:
        cases.record_delivery(message_id=message.pk, delivery=Delivery.FAILED, error=str(error), now=now)
        return
    with transaction.atomic():
        OutboxItem.objects.filter(pk=item_id).update(sent_at=now, html="")
        cases.record_delivery(message_id=message.pk, delivery=Delivery.SENT, error="", now=now)


def _outgoing(item: OutboxItem, now: datetime) -> Outgoing:
    message = item.message
    if message.customer is None or message.case is None:
        raise CannotDeliver(gettext_noop("The message belongs to no customer."))
    mails = [address.value for address in list_addresses(message.customer) if address.kind == "EMAIL"]
    files = tuple(SentFile(one.name, bytes(one.content), one.content_type) for one in files_of(message.pk))
    return Outgoing(
        idempotency_key=item.idempotency_key,
        to=mails[0] if mails else "",
        subject=item.subject or message.case.subject,
        body=message.body if item.html else with_link(message.body, message.case, now=now),
        case_id=message.case.pk,
        is_automatic=message.author_id is None,
        files=files,
        html=item.html,
        refuse_url=item.refuse_url,
    )
