"""Plays conversations through in memory and keeps the rows that the front door and the case actions would have written.

`Ledger` follows the same rules as intake, cases.arrivals and cases.actions, message by message, with the time of each; tests compare
the two row by row. It exists because 10,000 single transactions take minutes where one bulk insert takes seconds.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from careloop.desk.accounts.models import User
from careloop.desk.analysis.actions import for_triage
from careloop.desk.analysis.models import Reading
from careloop.desk.cases.actions import take_over
from careloop.desk.cases.models import Case, Delivery, Direction, EventKind, Message, Status
from careloop.desk.cases.rules import SUBJECT_LENGTH, joins_case, snippet_from, subject_from
from careloop.desk.customers.models import Customer
from careloop.desk.demo.people import Person
from careloop.desk.feedback.models import Feedback
from careloop.desk.kernel.actor import SYSTEM, Actor

SENT_AFTER = timedelta(seconds=3)


@dataclass(frozen=True)
class NewPerson:
    """A customer, and the teams that know them."""

    person: Person
    customer: Customer
    team_ids: frozenset[int]


@dataclass
class Delivered:
    """A customer's message with what came with it and what was read in it."""

    message: Message
    external_id: str
    raw: bytes
    subject: str
    feedback: Feedback | None = None
    reading: Reading | None = None


@dataclass
class Event:
    """A case event before its case and message have numbers; `audited` is the audit entry's details, if there is one."""

    at: datetime
    case: Case
    kind: str
    actor: Actor
    message: Message | None = None
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    action: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Word:
    """What an agent said of a message."""

    message: Message
    value: str
    author: User
    at: datetime


@dataclass
class Ledger:
    """Everything that happened so far, in the order of time."""

    cases: list[Case] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    open_cases: dict[tuple[int, int], Case] = field(default_factory=dict)
    words: list[Word] = field(default_factory=list)

    def receive(self, message: Message, customer: Customer, subject: str) -> Case:
        """A customer's message joins their open case in the channel or opens one (cases.arrivals.receive)."""
        key, at = (customer.pk, message.channel_id), message.sent_at
        case = self.open_cases.get(key)
        joins = case is not None and joins_case(status=case.status, last_message_at=case.last_message_at, now=at)
        if case is None or not joins:
            case = Case(
                team_id=message.team_id,
                customer=customer,
                channel=message.channel,
                subject=(subject or subject_from(message.body))[:SUBJECT_LENGTH],
                opened_at=at,
                last_message_at=at,
            )
            self.cases.append(case)
            self.open_cases[key] = case
        else:
            case.version += 1
        case.snippet, case.last_message_at = snippet_from(message.body), max(case.last_message_at, at)
        case.status, case.resolved_at = Status.OPEN, None
        message.case = case
        self.messages.append(message)
        kind = EventKind.RECEIVED if joins else EventKind.OPENED
        actor = Actor("customer", customer.pk, customer.name)
        self.events.append(Event(at, case, kind, actor, message, after={"status": case.status}))
        return case

    def triage(self, case: Case, reading: Reading) -> None:
        """The case takes over what was read (cases.actions.triage)."""
        before, after = take_over(case, for_triage([reading]))
        case.version += 1
        self.events.append(Event(reading.read_at, case, EventKind.TRIAGED, SYSTEM, before=before, after=after))

    def reply(self, case: Case, body: str, author: User, at: datetime, status: str) -> None:
        """An agent answers and the answer is delivered (outbox.actions.reply_to_case, outbox.delivery)."""
        message = self._written(case, Direction.OUTBOUND, body, author, at)
        message.delivery = Delivery.SENT
        before: dict[str, Any] = {"status": case.status}
        after: dict[str, Any] = {"status": status}
        case.status, case.last_message_at, case.snippet = status, at, snippet_from(message.body)
        case.resolved_at = at if status == Status.RESOLVED else None
        case.first_response_at = case.first_response_at or at
        if case.assignee_id is None:
            before["assignee"], after["assignee"] = None, author.pk
            case.assignee = author
        case.version += 1
        event = Event(at, case, EventKind.REPLIED, _actor(author), message, before, after, "case.reply", {"status": status})
        self.events.append(event)
        sent = {"delivery": Delivery.SENT.value, "error": ""}
        queued = {"delivery": Delivery.QUEUED.value}
        self.events.append(Event(at + SENT_AFTER, case, EventKind.DELIVERY, SYSTEM, message, queued, sent))

    def note(self, case: Case, body: str, author: User, at: datetime) -> None:
        """An internal note (cases.actions.add_note)."""
        message = self._written(case, Direction.NOTE, body, author, at)
        case.version += 1
        self.events.append(Event(at, case, EventKind.NOTED, _actor(author), message, action="case.note"))

    def change(self, case: Case, kind: str, changes: dict[str, Any], author: User, at: datetime) -> None:
        """Assignee, priority or status (cases.actions.assign, set_priority, set_status)."""
        before = {name: _plain(getattr(case, name)) for name in changes}
        after = {name: _plain(value) for name, value in changes.items()}
        if before == after:
            return
        for name, value in changes.items():
            setattr(case, name, value)
        case.version += 1
        details = {"before": before, "after": after}
        self.events.append(Event(at, case, kind, _actor(author), None, before, after, f"case.{kind.lower()}", details))

    def correct(self, delivered: Delivered, category: str, author: User, at: datetime) -> None:
        """An agent says what a message is about (analysis.corrections.correct, cases.actions.take_word)."""
        message, case = delivered.message, delivered.message.case
        if case is None or delivered.reading is None:
            raise ValueError(f"the message {delivered.external_id} belongs to no case or was not read; only others can be corrected")
        before, said = {"category": case.category}, {"category": category}
        case.category, case.corrected, case.version = category, ["category"], case.version + 1
        delivered.reading.category = category
        details = {"before": before, "after": said}
        self.events.append(Event(at, case, EventKind.CORRECTED, _actor(author), message, before, said, "case.corrected", details))
        self.words.append(Word(message, category, author, at))

    def _written(self, case: Case, direction: str, body: str, author: User, at: datetime) -> Message:
        message = Message(
            case=case,
            customer=case.customer,
            team_id=case.team_id,
            channel=case.channel,
            direction=direction,
            author=author,
            body=body,
            sent_at=at,
            received_at=at,
        )
        self.messages.append(message)
        return message


def _actor(user: User) -> Actor:
    return Actor("user", user.pk, user.display_name)


def _plain(value: Any) -> Any:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
