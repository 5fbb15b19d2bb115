"""The facts of cases on which rules decide, read for many cases at once; nothing is written here.

What costs a query of its own is read only when a rule in force asks for it: `find_standings(numbers, wanted)`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Max, Min, OuterRef, Q, Subquery
from django.db.models.functions import Substr

from careloop.desk.accounts.models import ChannelKind
from careloop.desk.analysis.models import Reading
from careloop.desk.automation.rules.conditions import fold
from careloop.desk.automation.rules.fields import ATTRIBUTES, OWN
from careloop.desk.cases.models import Case, CaseEvent, CaseFlow, Direction, Message, Status
from careloop.desk.teamwork.models import FieldValue
from careloop.desk.teamwork.tags import tags_of

COLUMNS = (
    "pk", "kind", "priority", "status", "category", "channel_id", "team_id", "assignee_id", "sentiment", "sentiment_probability",
    "subject", "opened_at", "due_at", "corrected", "channel__kind", "customer__attributes", "customer__language", "customer__company",
)  # fmt: skip
LONGEST_READ = 20_000  # characters of a message that conditions look at
TOLD = frozenset({"reopened", "rating", "category_probability"})  # what the case's events tell
TELLING = ("OPENED", "RECEIVED", "REPLIED", "STATUS", "TRIAGED", "MOVED", "SNOOZED", "SURVEY")
RESOLVED = Status.RESOLVED.value


@dataclass
class Told:
    """What a case's events tell, one after the other."""

    reopened: int = 0
    rating: float | None = None
    category_probability: float | None = None
    was_resolved: bool = False

    def take(self, kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """One more event."""
        was_resolved = before.get("status", RESOLVED if self.was_resolved else "") == RESOLVED
        status = after.get("status")
        if status is not None:
            self.reopened += was_resolved and status != RESOLVED
            self.was_resolved = status == RESOLVED
        if kind == "SURVEY" and "rating" in after:
            low, high = after.get("low", 1), after.get("high", 5)
            self.rating = 1 + 4 * (after["rating"] - low) / (high - low)  # whatever the survey's scale
        if kind == "TRIAGED" and "category_probability" in after:
            self.category_probability = after["category_probability"]

    def facts(self, corrected: Collection[str]) -> dict[str, Any]:
        """By the names of the facts; a category that a person decided is certain."""
        sure = 1.0 if "category" in corrected else self.category_probability
        return {"reopened": self.reopened, "rating": self.rating, "category_probability": sure}


@dataclass
class Standing:
    """A case as rules see it, but for the moment: `row` are its columns, the rest is of the customer's newest message.

    `more` are facts that were asked for and cost a query of their own, by their names.
    """

    row: Mapping[str, Any]
    text: str = ""
    language: str = ""
    customer_at: datetime | None = None
    waiting_since: datetime | None = None
    message_id: int | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

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
            "sentiment": row["sentiment"],
            "happiness": row["sentiment_probability"],
            "subject": fold(row["subject"]),
            "text": fold(self.text if text is None else text),
            "company": fold(row["customer__company"]),
            "hours_since_customer": hours_between(self.customer_at, moment),
            "hours_waiting": hours_between(self.waiting_since, moment),
            "hours_since_opened": hours_between(row["opened_at"], moment),
            "hours_overdue": hours_between(row["due_at"], moment),
            ATTRIBUTES: True,
            **{f"{ATTRIBUTES}{name}": fold(str(value)) for name, value in (row["customer__attributes"] or {}).items()},
            **self.more,
        }


def hours_between(earlier: datetime | None, later: datetime) -> float | None:
    """Hours from one moment to the other; None without the first."""
    return None if earlier is None else (later - earlier).total_seconds() / 3600


def find_standings(case_ids: Collection[int], wanted: Collection[str]) -> dict[int, Standing]:
    """How cases stand, by their numbers: four queries for any number of cases, and one for each group of facts wanted beside."""
    numbers = set(case_ids)
    found = {row["pk"]: Standing(row) for row in Case.objects.filter(pk__in=numbers).values(*COLUMNS)}
    inbound = Message.objects.filter(case_id__in=numbers, direction=Direction.INBOUND).order_by().values("case_id")
    newest = {row["newest"]: row["case_id"] for row in inbound.annotate(newest=Max("pk"))}
    bodies = Message.objects.filter(pk__in=newest).annotate(read=Substr("body", 1, LONGEST_READ))
    for number, body, sent_at in bodies.values_list("pk", "read", "sent_at"):
        standing = found[newest[number]]
        standing.text, standing.customer_at, standing.message_id = body, sent_at, number
    for number, language in Reading.objects.filter(message_id__in=newest).values_list("message_id", "language"):
        found[newest[number]].language = language
    if "hours_waiting" in wanted:
        for number, since in _find_waiting(numbers).items():
            found[number].waiting_since = since
    for number, more in _find_more(found, wanted).items():
        found[number].more = more
    return found


def find_texts(message_ids: Collection[int]) -> dict[int, str]:
    """The texts of messages, by their numbers."""
    if not message_ids:
        return {}
    rows = Message.objects.filter(pk__in=set(message_ids)).annotate(read=Substr("body", 1, LONGEST_READ))
    return dict(rows.values_list("pk", "read"))


def _find_waiting(numbers: set[int]) -> dict[int, datetime]:
    """Since when customers wait for a person's answer; what the house says by itself is none."""
    answers = Message.objects.filter(case_id=OuterRef("case_id"), direction=Direction.OUTBOUND, author__isnull=False)
    last = Subquery(answers.order_by("-sent_at").values("sent_at")[:1])
    inbound = Message.objects.filter(case_id__in=numbers, direction=Direction.INBOUND).annotate(answered_at=last)
    unanswered = inbound.filter(Q(answered_at=None) | Q(sent_at__gt=last)).order_by().values("case_id")
    return dict(unanswered.annotate(since=Min("sent_at")).values_list("case_id", "since"))


def _find_more(found: Mapping[int, Standing], wanted: Collection[str]) -> dict[int, dict[str, Any]]:
    more: dict[int, dict[str, Any]] = defaultdict(dict)
    if "tags" in wanted:
        for number, names in tags_of(found).items():
            more[number]["tags"] = tuple(fold(name) for name in names)
    if "flow_state" in wanted:
        more |= {number: {**more[number], "flow_state": None} for number in found}
        rows = CaseFlow.objects.filter(case_id__in=found).values_list("case_id", "flow_version__flow_id", "state")
        for number, flow_id, state in rows:
            more[number]["flow_state"] = flow_state(flow_id, state)
    if TOLD & set(wanted):
        told: dict[int, Told] = {number: Told() for number in found}
        events = CaseEvent.objects.filter(case_id__in=found, kind__in=TELLING).order_by("pk")
        for number, kind, before, after in events.values_list("case_id", "kind", "before", "after"):
            told[number].take(kind, before, after)
        for number, one in told.items():
            more[number] |= one.facts(found[number].row["corrected"])
    if any(name.startswith(OWN) for name in wanted):
        for number in found:
            more[number][OWN] = True
        entered = FieldValue.objects.filter(case_id__in=found, definition__is_archived=False)
        for number, code, value in entered.values_list("case_id", "definition__code", "value"):
            more[number][f"{OWN}{code}"] = fold(str(value))
    return more


def flow_state(flow_id: int | str, state: str) -> str:
    """Where a case stands, as conditions name it."""
    return f"{flow_id}.{state}"
