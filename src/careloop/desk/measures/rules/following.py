"""What the events of a case come to."""

from collections.abc import Iterable
from dataclasses import dataclass

OPENED, RECEIVED, REPLIED, STATUS = "OPENED", "RECEIVED", "REPLIED", "STATUS"
WAITING, RESOLVED = "WAITING", "RESOLVED"


@dataclass(frozen=True)
class Happened:
    """One event: its kind, its second since 1970, whether a person of the house did it, and the status after it ("" for unchanged)."""

    kind: str
    second: int
    is_by_person: bool
    status: str


@dataclass(frozen=True)
class Course:
    """How a case went: messages of the customer, answers of people, how often it came back after being resolved, and how long it
    waited for the customer, up to the last change of its status.
    """

    messages_in: int
    replies: int
    reopened: int
    customer_seconds: int


def follow(events: Iterable[Happened]) -> Course:
    """Count one case's events, in the order in which they were written; a clock that ran backwards counts as no time."""
    messages_in = replies = reopened = customer_seconds = 0
    status, since = "", 0
    for event in events:
        messages_in += event.kind in {OPENED, RECEIVED}
        replies += event.kind == REPLIED and event.is_by_person
        if not event.status or event.status == status:
            continue
        if status == WAITING:
            customer_seconds += max(0, event.second - since)
        reopened += status == RESOLVED
        status, since = event.status, event.second
    return Course(messages_in, replies, reopened, customer_seconds)
