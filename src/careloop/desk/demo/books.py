"""Writes what the ledger holds into the tables, in bulk, in the caller's transaction: numbers first, then all that points to them."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Model

from careloop.desk.analysis.actions import aspect_rows
from careloop.desk.analysis.models import MessageAspect, Reading
from careloop.desk.audit.models import AuditEntry, AuditHead
from careloop.desk.audit.rules import hash_of
from careloop.desk.cases.models import Case, CaseEvent, Direction, Message
from careloop.desk.customers.models import Address, Customer
from careloop.desk.customers.queries import index_of
from careloop.desk.customers.rules import AddressValue
from careloop.desk.demo.ledger import Delivered, Event, Ledger, NewPerson
from careloop.desk.feedback.models import Feedback
from careloop.desk.intake.models import RawPayload
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.search import actions as search
from careloop.desk.search.actions import Searchable

AT_ONCE = 1000


def write_customers(people: list[NewPerson]) -> None:
    """Customers with addresses, teams and their place in the search index."""
    _create(Customer, [one.customer for one in people])
    addresses = []
    for one in people:
        for kind, value in (("EMAIL", one.person.email), ("PHONE", one.person.phone)):
            if value:
                index = index_of(AddressValue(kind, value))
                at = one.customer.created_at
                addresses.append(Address(customer=one.customer, kind=kind, value=value, value_index=index, created_at=at))
    _create(Address, addresses)
    link = Customer.teams.through
    _create(link, [link(customer_id=one.customer.pk, team_id=team) for one in people for team in sorted(one.team_ids)])
    search.index([Searchable("CUSTOMER", one.customer.pk, one.customer.name, customer_id=one.customer.pk) for one in people], is_new=True)


def write_ledger(ledger: Ledger, delivered: list[Delivered]) -> None:
    """Cases, messages, readings, feedback, raw deliveries, outbox, events, audit trail and search index."""
    _create(Case, ledger.cases)
    messages = sorted([*ledger.messages, *(one.message for one in delivered if one.message.case is None)], key=lambda row: row.sent_at)
    _create(Message, messages)
    _create(Feedback, [one.feedback for one in delivered if one.feedback is not None])
    _create(RawPayload, [_raw(one) for one in delivered])
    readings = [_reading(one) for one in delivered]
    _create(Reading, readings)
    _create(MessageAspect, aspect_rows(readings))
    _create(OutboxItem, [_outbox_item(message) for message in messages if message.direction == Direction.OUTBOUND])
    events = sorted(ledger.events, key=lambda event: event.at)
    _create(CaseEvent, [_event_row(event) for event in events])
    _append_to_audit_trail(event for event in events if event.action)
    subjects = {id(one.message): one.subject for one in delivered}
    for start in range(0, len(messages), AT_ONCE):
        search.index([_searchable(message, subjects) for message in messages[start : start + AT_ONCE]], is_new=True)


def _create(model: type[Model], rows: Sequence[Any]) -> None:
    for start in range(0, len(rows), AT_ONCE):
        model._default_manager.bulk_create(rows[start : start + AT_ONCE])


def _reading(one: Delivered) -> Reading:
    if one.reading is None:
        raise ValueError(f"the message {one.external_id} was not read; call read_all before write_ledger")
    one.reading.case = one.message.case
    return one.reading


def _raw(one: Delivered) -> RawPayload:
    return RawPayload(
        channel=one.message.channel,
        external_id=one.external_id,
        content_type="application/json",
        body=one.raw,
        message=one.message,
        received_at=one.message.received_at,
    )


def _outbox_item(message: Message) -> OutboxItem:
    """Sent already: nothing of the samples leaves the house."""
    return OutboxItem(message=message, idempotency_key=UUID(int=message.pk).hex, created_at=message.sent_at, sent_at=message.sent_at)


def _event_row(event: Event) -> CaseEvent:
    return CaseEvent(
        case=event.case,
        team_id=event.case.team_id,
        kind=event.kind,
        at=event.at,
        actor_kind=event.actor.kind,
        actor_id=event.actor.id,
        actor_name=event.actor.name,
        message=event.message,
        before=event.before,
        after=event.after,
    )


def _append_to_audit_trail(events: Iterable[Event]) -> None:
    """The entries that audit.record would have made one by one, chained the same way."""
    head = AuditHead.objects.select_for_update().get(pk=1)
    entries = []
    for event in events:
        entry = AuditEntry(
            at=event.at,
            actor_kind=event.actor.kind,
            actor_id=event.actor.id,
            actor_name=event.actor.name,
            action=event.action,
            object_type="case",
            object_id=event.case.pk,
            details={**({"message": event.message.pk} if event.message is not None else {}), **event.details},
            previous_hash=head.hash,
        )
        entry.hash = head.hash = hash_of(entry)
        entries.append(entry)
    _create(AuditEntry, entries)
    head.count += len(entries)
    head.save(update_fields=["hash", "count"])


def _searchable(message: Message, subjects: dict[int, str]) -> Searchable:
    text = message.body if message.direction != Direction.INBOUND else f"{subjects[id(message)]}\n{message.body}"
    return Searchable("MESSAGE", message.pk, text, message.case_id, message.customer_id, message.team_id)
