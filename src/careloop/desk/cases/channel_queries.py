"""What programs may read of cases: messages of one channel, cases of one team; internal notes never."""

from datetime import datetime, timedelta

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, Direction, Message

SETTLED_AFTER = timedelta(seconds=2)
MESSAGES_SHOWN = 200


def list_channel_messages(*, channel_id: int, direction: str, after: int, limit: int, now: datetime) -> list[Message]:
    """Messages of a channel with a larger id, oldest first.

    The newest two seconds wait: a transaction that drew a smaller id may still commit, and a reader who remembers the last id
    would never see it.
    """
    messages = Message.objects.filter(channel_id=channel_id, direction=direction, pk__gt=after, received_at__lte=now - SETTLED_AFTER)
    return list(messages.exclude(direction=Direction.NOTE).prefetch_related("aspects").order_by("pk")[:limit])


def list_cases_after(viewer: Viewer, *, status: str, after: int, limit: int) -> list[Case]:
    """Cases in the viewer's teams with a larger number, oldest first; status "" means any."""
    cases = Case.objects.visible_to(viewer).filter(pk__gt=after).select_related("channel")
    return list((cases.filter(status=status) if status else cases).order_by("pk")[:limit])


def list_spoken(case: Case) -> list[Message]:
    """The newest messages between the customer and the house, in the order in which they were said."""
    spoken = case.messages.exclude(direction=Direction.NOTE).prefetch_related("aspects").order_by("-sent_at", "-pk")
    return list(spoken[:MESSAGES_SHOWN])[::-1]
