"""Readings as screens show them; scoped to the viewer's teams."""

from collections.abc import Iterable

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.models import Reading, State
from careloop.desk.cases.models import Message
from careloop.desk.customers.models import Customer


def readings_of(messages: Iterable[Message], viewer: Viewer) -> dict[int, Reading]:
    """The readings of these messages by message id, in one query; a message that waits to be read has none."""
    rows = Reading.objects.visible_to(viewer).filter(message_id__in=[message.pk for message in messages])
    return {reading.message_id: reading for reading in rows}


def moods_of(customer: Customer, viewer: Viewer, limit: int = 60) -> list[Reading]:
    """The newest readings of what a customer said, oldest first; without their details."""
    rows = Reading.objects.visible_to(viewer).filter(message__customer=customer, state=State.DONE)
    return list(rows.only("slot", "sentiment", "sentiment_probability", "message").order_by("-slot", "-pk")[:limit])[::-1]
