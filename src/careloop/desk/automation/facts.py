"""The facts of cases on which rules decide, read for many cases at once; nothing is written here."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max

from careloop.desk.accounts.models import ChannelKind
from careloop.desk.analysis.models import Reading
from careloop.desk.automation.rules.conditions import fold
from careloop.desk.automation.rules.fields import ATTRIBUTES
from careloop.desk.cases.models import Case, Direction, Message, Status

COLUMNS = (
    "pk", "kind", "priority", "status", "category", "channel_id", "team_id", "assignee_id", "sentiment_probability", "subject", "opened_at",
    "due_at", "channel__kind", "customer__attributes", "customer__language",
)  # fmt: skip
LONGEST_READ = 20_000  # characters of a message that conditions look at


@dataclass
class Standing:
    """A case as rules see it, but for the moment: `row` are its columns, the rest is of the customer's newest message."""

    row: Mapping[str, Any]
    text: str = ""
    language: str = ""
    customer_at: datetime | None = None
    message_id: int | None = None

    @property
    def is_judged(self) -> bool:
        """Rules leave what came from files alone (it happened long ago), and what was merged into another case."""
        return bool(self.row["channel__kind"] != ChannelKind.FILE and self.row["status"] != Status.MERGED)

    def facts_at(self, moment: datetime, text: str | None = None) -> dict[str, Any]:
        """The facts by their names; `text` is the message of the event, where it has one."""
        row = self.row
        return {
            "kind": row["kind"],
            "priority": row["priority"],
            "status": row["status"],
            "category": row["category"],
            "channel": row["channel_id"],
            "team": row["team_id"],
            "assignee": row["assignee_id"],
            "language": self.language or row["customer__language"],
            "happiness": row["sentiment_probability"],
            "subject": fold(row["subject"]),
            "text": fold(self.text if text is None else text),
            "hours_since_customer": hours_between(self.customer_at, moment),
            "hours_since_opened": hours_between(row["opened_at"], moment),
            "hours_overdue": hours_between(row["due_at"], moment),
            ATTRIBUTES: True,
            **{f"{ATTRIBUTES}{name}": fold(str(value)) for name, value in (row["customer__attributes"] or {}).items()},
        }


def hours_between(earlier: datetime | None, later: datetime) -> float | None:
    """Hours from one moment to the other; None without the first."""
    return None if earlier is None else (later - earlier).total_seconds() / 3600


def find_standings(case_ids: Collection[int]) -> dict[int, Standing]:
    """How cases stand, by their numbers: four queries for any number of cases."""
    numbers = set(case_ids)
    found = {row["pk"]: Standing(row) for row in Case.objects.filter(pk__in=numbers).values(*COLUMNS)}
    inbound = Message.objects.filter(case_id__in=numbers, direction=Direction.INBOUND).order_by().values("case_id")
    newest = {row["newest"]: row["case_id"] for row in inbound.annotate(newest=Max("pk"))}
    for number, body, sent_at in Message.objects.filter(pk__in=newest).values_list("pk", "body", "sent_at"):
        standing = found[newest[number]]
        standing.text, standing.customer_at, standing.message_id = body[:LONGEST_READ], sent_at, number
    for number, language in Reading.objects.filter(message_id__in=newest).values_list("message_id", "language"):
        found[newest[number]].language = language
    return found


def find_texts(message_ids: Collection[int]) -> dict[int, str]:
    """The texts of messages, by their numbers."""
    if not message_ids:
        return {}
    return {number: body[:LONGEST_READ] for number, body in Message.objects.filter(pk__in=set(message_ids)).values_list("pk", "body")}
