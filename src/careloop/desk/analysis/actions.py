"""Reading messages and storing what was understood."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from careloop import insight
from careloop.desk.analysis.house_reading import as_the_house_reads
from careloop.desk.analysis.models import MessageAspect, Reading, State
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Direction, Kind, Message
from careloop.desk.feedback.models import Feedback
from careloop.desk.kernel.rows import find_rows, insert_rows, marks
from careloop.desk.kernel.slots import slot_of

KEYWORDS_KEPT = 8


def understand(message_ids: list[int], *, now: datetime) -> int:
    """Read the messages that were not read yet, store each reading once, then triage their cases; returns how many were read."""
    messages = list_unread(message_ids)
    if not messages:
        return 0
    readings = read_messages(messages, now=now)
    with transaction.atomic():
        insert_rows(readings, ignore_conflicts=True)
        insert_rows(aspect_rows(readings), ignore_conflicts=True)
        by_case: dict[int, list[Reading]] = {}
        for reading in readings:
            if reading.case_id is not None and reading.state == State.DONE:
                by_case.setdefault(reading.case_id, []).append(reading)
        cases.triage(readings={case_id: for_triage(in_order) for case_id, in_order in by_case.items()}, now=now)
    return len(readings)


def list_unread(message_ids: list[int]) -> list[Message]:
    """Those of the messages that a customer wrote and nobody has read yet, in the order of their ids, each with its rating."""
    if not message_ids:
        return []
    is_unread = "NOT EXISTS (SELECT 1 FROM analysis_reading reading WHERE reading.message_id = cases_message.id)"
    chosen = f"id IN ({marks(message_ids)}) AND direction = %s AND {is_unread} ORDER BY id"
    messages = find_rows(Message, chosen, [*message_ids, Direction.INBOUND.value])
    ids = [message.pk for message in messages]
    ratings = {one.message_id: one for one in find_rows(Feedback, f"message_id IN ({marks(ids)})", ids)} if ids else {}
    for message in messages:
        Message.feedback.related.set_cached_value(message, ratings.get(message.pk))
    return messages


def read_messages(messages: list[Message], *, now: datetime) -> list[Reading]:
    """The row of each message's reading, in their order; nothing is stored."""
    texts = [message.body for message in messages]
    understood = as_the_house_reads(texts, insight.read(texts))
    return [reading_row(message, one, now) for message, one in zip(messages, understood, strict=True)]


def reading_row(message: Message, understood: insight.Reading, now: datetime) -> Reading:
    """The row of one reading; a failed one keeps its sentence and nothing else."""
    feedback = getattr(message, "feedback", None)
    row = Reading(
        message=message,
        team_id=message.team_id,
        channel_id=message.channel_id,
        case_id=message.case_id,
        slot=slot_of(message.sent_at),
        read_at=now,
        model_versions=dict(understood.models),
        rating_ratio=_rating_ratio(feedback),
        category=feedback.category if feedback else "",
    )
    if understood.error:
        row.state, row.error = State.FAILED, understood.error[:300]
        return row
    row.state, row.language = State.DONE, understood.language
    row.sentiment, row.sentiment_probability = understood.sentiment.upper(), understood.sentiment_probability
    row.kind, row.kind_probability = understood.kind.upper(), understood.kind_probability
    row.keywords = list(understood.keywords[:KEYWORDS_KEPT])
    row.details = {**understood.to_json(), "tokens": []}
    return row


def aspect_rows(readings: Iterable[Reading]) -> list[MessageAspect]:
    """The rows of what the messages speak of, as their readings' details have it."""
    return [
        MessageAspect(message_id=reading.message_id, aspect=aspect, sentiment=sentiment.upper(), probability=probability)
        for reading in readings
        for aspect, sentiment, probability, _start, _end in reading.details.get("aspects", [])
    ]


def _rating_ratio(feedback: Feedback | None) -> float | None:
    if feedback is None or feedback.rating is None or feedback.rating_max <= feedback.rating_min:
        return None
    return (feedback.rating - feedback.rating_min) / (feedback.rating_max - feedback.rating_min)


def for_triage(readings: list[Reading]) -> dict[str, Any]:
    """What a case takes over from its new readings, oldest first: its kind from the first that knows, its sentiment from the last."""
    telling = next((reading for reading in readings if tells_kind(reading)), readings[0])
    return {
        "kind": telling.kind,
        "kind_probability": telling.kind_probability,
        "category": telling.category,
        "sentiment": readings[-1].sentiment,
        "sentiment_probability": readings[-1].sentiment_probability,
    }


def tells_kind(reading: Reading) -> bool:
    """Whether the engine is sure enough of the kind to act on it."""
    return reading.kind != Kind.OTHER and not reading.details.get("kind_abstained", False)
