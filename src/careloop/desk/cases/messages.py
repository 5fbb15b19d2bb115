"""What the house says in a case, as a row; what follows from it (search, clocks, history) is its caller's."""

from datetime import datetime

from careloop.desk.cases.models import Case, Message


def add_message(*, case: Case, direction: str, body: str, now: datetime, author_id: int | None = None, delivery: str = "") -> Message:
    """Store a message of the house, by a person or by itself, in the caller's transaction."""
    return Message.objects.create(
        case=case,
        customer_id=case.customer_id,
        team_id=case.team_id,
        channel_id=case.channel_id,
        direction=direction,
        author_id=author_id,
        body=body,
        sent_at=now,
        received_at=now,
        delivery=delivery,
    )
