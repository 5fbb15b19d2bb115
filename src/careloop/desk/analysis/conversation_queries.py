"""What a long conversation comes to: who asked what, what was promised, what is open; computed when it is looked at (some milliseconds)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models.functions import Substr

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, Direction, Message
from careloop.desk.cases.queries import access_case
from careloop.insight.text.conversation import Point, summarise_conversation

LEAST = 5  # messages; a shorter conversation is read faster than its summary
MOST = 150  # newest messages that are summarised: 8 ms
READ = 4_000  # characters of a message
ROLES = {Direction.INBOUND: "customer", Direction.OUTBOUND: "agent"}


@dataclass(frozen=True)
class Said:
    """A sentence of the conversation and the message that it stands in; `due` is the day (ISO) that a promise names."""

    text: str
    message_id: int
    due: str = ""


@dataclass(frozen=True)
class Conversation:
    """The summary of a case; empty lists for a short one. `left_out` earlier messages were not looked at."""

    case: Case
    n_messages: int
    asked: list[Said] = field(default_factory=list)
    promised: list[Said] = field(default_factory=list)
    open: list[Said] = field(default_factory=list)
    left_out: int = 0

    @property
    def is_long(self) -> bool:
        """Whether there is anything to sum up."""
        return self.n_messages >= LEAST


def summary_of(case_id: int, viewer: Viewer) -> Conversation:
    """Who asked what, what was promised, what is open; in three queries."""
    case = access_case(case_id, viewer)
    n_messages = case.messages.exclude(direction=Direction.NOTE).count()
    if n_messages < LEAST:
        return Conversation(case, n_messages)
    looked_at = list_said(case, MOST)
    turns = [(ROLES[Direction(one.direction)], one.body, one.sent_at) for one in looked_at]
    summary = summarise_conversation(turns)

    def said(points: Sequence[Point]) -> list[Said]:
        return [Said(point.text, looked_at[point.turn].pk, point.due or "") for point in points]

    still_open = said(summary.open)
    open_texts = {one.text for one in still_open}
    answered = [one for one in said(summary.asked) if one.text not in open_texts]
    return Conversation(case, n_messages, answered, said(summary.promised), still_open, n_messages - len(looked_at))


def list_said(case: Case, most: int) -> list[Message]:
    """The newest of what customer and house said to each other, oldest first, the beginning of each; notes are left out."""
    light = case.messages.exclude(direction=Direction.NOTE).defer("body").annotate(beginning=Substr("body", 1, READ))
    newest = list(light.order_by("-sent_at", "-pk")[:most])
    for message in newest:
        message.body = message.beginning
    return newest[::-1]
