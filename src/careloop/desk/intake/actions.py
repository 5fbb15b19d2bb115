"""The front door: receive_message and, for imports, receive_messages."""

from datetime import datetime

from django.db import IntegrityError, connection, transaction

from careloop.desk.accounts.models import Channel
from careloop.desk.analysis import tasks as analysis
from careloop.desk.cases import arrivals
from careloop.desk.cases.arrivals import Arrival
from careloop.desk.cases.models import Message
from careloop.desk.customers import actions as customers
from careloop.desk.customers.actions import NewCustomer
from careloop.desk.feedback.actions import NewFeedback, record_feedback
from careloop.desk.intake.models import RawPayload
from careloop.desk.intake.rules import Inbound, Receipt, clean_text, problems_of
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.rows import find_rows, insert_rows, marks
from careloop.desk.kernel.sentences import Sentence
from careloop.desk.teamwork.attachments import keep_files
from careloop.desk.teamwork.file_rules import FILES_IN_A_MAIL

READ_AT_ONCE = 200
TRIES = 3
LATER = analysis.understand.using(priority=-50)


def receive_message(inbound: Inbound, *, now: datetime) -> Receipt:
    """Store everything that follows from one delivery, or nothing; the same (channel, external id) again returns the same Receipt."""
    return receive_messages([inbound], now=now)[0]


def receive_messages(inbounds: list[Inbound], *, now: datetime, is_urgent: bool = True) -> list[Receipt]:
    """The same for many deliveries in one transaction; receipts in the given order. InvalidInput when one is not acceptable."""
    for inbound in inbounds:
        if problems := problems_of(inbound, now):
            field, sentence = problems[0]
            raise InvalidInput(sentence, field=field)
    for attempt in range(TRIES):
        try:
            with transaction.atomic():
                return _receive(inbounds, now, is_urgent)
        except IntegrityError:  # another process stored the same delivery or the same new customer in this moment: look again
            if attempt == TRIES - 1:
                raise
    raise AssertionError("unreachable")


def _receive(inbounds: list[Inbound], now: datetime, is_urgent: bool) -> list[Receipt]:
    channels = _channels(inbounds)
    keys = [(channels[inbound.channel_slug].pk, inbound.external_id) for inbound in inbounds]
    known = _receipts(keys)
    new = {key: inbound for key, inbound in zip(keys, inbounds, strict=True) if key not in known}
    if new:
        people = _customers(list(new.values()), channels, now)
        parties = zip(new.values(), people, strict=True)
        messages = arrivals.receive([_arrival(inbound, channels[inbound.channel_slug], person) for inbound, person in parties], now)
        _keep_raw(new, messages, now)
        record_feedback(_feedback(inbound, message) for inbound, message in zip(new.values(), messages, strict=True) if inbound.is_feedback)
        for inbound, message in zip(new.values(), messages, strict=True):
            if inbound.files and message.case_id is not None:
                keep_files(case_id=message.case_id, message_id=message.pk, files=inbound.files, most=FILES_IN_A_MAIL, now=now)
        ids = [message.pk for message in messages]
        for start in range(0, len(ids), READ_AT_ONCE):
            (analysis.understand if is_urgent else LATER).enqueue(ids[start : start + READ_AT_ONCE])
        for key, message in zip(new, messages, strict=True):
            known[key] = Receipt(message.pk, message.case_id, message.customer_id, is_new=True)
    first = set()
    receipts = []
    for key in keys:
        receipt = known[key]
        receipts.append(receipt if key not in first else Receipt(receipt.message_id, receipt.case_id, receipt.customer_id, is_new=False))
        first.add(key)
    return receipts


def _channels(inbounds: list[Inbound]) -> dict[str, Channel]:
    slugs = {inbound.channel_slug for inbound in inbounds}
    channels = {channel.slug: channel for channel in find_rows(Channel, f"slug IN ({marks(slugs)}) AND is_active", [*slugs])}
    if missing := slugs - channels.keys():
        sentence = Sentence("There is no active channel “{slug}”; an owner makes one under Settings, Channels.", slug=sorted(missing)[0])
        raise InvalidInput(sentence, field="channel")
    return channels


def _receipts(keys: list[tuple[int, str]]) -> dict[tuple[int, str], Receipt]:
    channel_ids, external_ids = {key[0] for key in keys}, {key[1] for key in keys}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT raw.channel_id, raw.external_id, message.id, message.case_id, message.customer_id
                FROM intake_rawpayload raw JOIN cases_message message ON message.id = raw.message_id
                WHERE raw.channel_id IN ({marks(channel_ids)}) AND raw.external_id IN ({marks(external_ids)})""",  # noqa: S608
            [*channel_ids, *external_ids],
        )
        return {(row[0], row[1]): Receipt(row[2], row[3], row[4], is_new=False) for row in cursor.fetchall()}


def _customers(inbounds: list[Inbound], channels: dict[str, Channel], now: datetime) -> list[int | None]:
    """For each inbound the id of its customer: known by one of the addresses, or made; None without address."""
    writers = [
        NewCustomer(clean_text(one.sender_name), one.language, list(one.addresses), channels[one.channel_slug].team_id) for one in inbounds
    ]
    found = customers.find_or_create(writers, now=now)
    seen = [(one.customer_id, writer.team_id) for one, writer in zip(found, writers, strict=True) if one is not None and not one.is_new]
    customers.note_seen(seen, now=now)
    return [None if one is None else one.customer_id for one in found]


def _arrival(inbound: Inbound, channel: Channel, customer_id: int | None) -> Arrival:
    return Arrival(
        channel=channel,
        customer_id=customer_id,
        customer_name=clean_text(inbound.sender_name)[:200],
        body=clean_text(inbound.text),
        subject=" ".join(clean_text(inbound.subject).split()),
        sent_at=inbound.sent_at,
        opens_case=inbound.opens_case,
        case_id=inbound.case_id,
        machine_made=inbound.machine_made,
    )


def _keep_raw(new: dict[tuple[int, str], Inbound], messages: list[Message], now: datetime) -> None:
    insert_rows(
        RawPayload(
            channel_id=channel_id,
            external_id=external_id,
            content_type=inbound.content_type[:80],
            body=inbound.raw,
            message_id=message.pk,
            received_at=now,
        )
        for ((channel_id, external_id), inbound), message in zip(new.items(), messages, strict=True)
    )


def _feedback(inbound: Inbound, message: Message) -> NewFeedback:
    return NewFeedback(
        message,
        inbound.rating,
        inbound.rating_min,
        inbound.rating_max,
        clean_text(inbound.category),
        clean_text(inbound.product),
        inbound.source,
    )
