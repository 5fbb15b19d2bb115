"""From plans to rows in memory: who the customers are, what they delivered, what was read, and how each case went."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from careloop.desk.accounts.models import Channel, User
from careloop.desk.analysis.actions import read_messages
from careloop.desk.cases.models import Case, Direction, EventKind, Message
from careloop.desk.customers.models import Customer
from careloop.desk.demo.conversations import ASSIGN, NOTE, PRIORITISE, REPLY, SET_STATUS, WRITE, Conversation, Move
from careloop.desk.demo.ledger import Delivered, Ledger, NewPerson
from careloop.desk.demo.people import Person
from careloop.desk.demo.reviews import Opinion
from careloop.desk.demo.staff import House
from careloop.desk.feedback.models import Feedback

READ_AFTER = timedelta(seconds=2)
READ_AT_ONCE = 500
EVERY = 4  # conversations: in one the agent says what it is about


@dataclass(frozen=True)
class Mail:
    """The deliveries of the quarter: those of cases by (conversation, move), those of reviews and surveys apart."""

    of_moves: dict[tuple[int, int], Delivered]
    of_opinions: list[Delivered]

    def everything(self) -> list[Delivered]:
        """All of it."""
        return [*self.of_moves.values(), *self.of_opinions]


def new_people(house: House, conversations: list[Conversation], opinions: list[Opinion]) -> dict[int, NewPerson]:
    """A customer row, not stored yet, for each person who wrote, by the person's number; the earliest writers first."""
    said: list[tuple[datetime, Person, str]] = [
        (move.at, one.person, one.scenario.trade) for one in conversations for move in one.moves if move.verb == WRITE
    ]
    said += [(one.at, one.person, one.trade) for one in opinions if one.person is not None]
    first: dict[int, datetime] = {}
    last: dict[int, datetime] = {}
    teams: dict[int, set[int]] = {}
    persons: dict[int, Person] = {}
    for at, person, trade in sorted(said, key=lambda entry: entry[0]):
        persons[person.number] = person
        first.setdefault(person.number, at)
        last[person.number] = at
        teams.setdefault(person.number, set()).add(house.teams[trade].pk)
    return {
        number: NewPerson(person, _customer(person, first[number], last[number]), frozenset(teams[number]))
        for number, person in persons.items()
    }


def _customer(person: Person, created_at: datetime, last_seen_at: datetime) -> Customer:
    language = "en" if person.language == "en" else "zh-Hans"
    return Customer(name=person.name, language=language, company=person.company, created_at=created_at, last_seen_at=last_seen_at)


def deliver(house: House, people: dict[int, NewPerson], conversations: list[Conversation], opinions: list[Opinion]) -> Mail:
    """What came over the wire, read by nobody yet."""
    of_moves = {}
    for number, one in enumerate(conversations):
        channel, customer = house.channels[one.scenario.trade, one.channel], people[one.person.number].customer
        for position, move in enumerate(one.moves):
            if move.verb == WRITE:
                message = _inbound(customer, channel, move.text, move.at)
                of_moves[number, position] = _delivered(message, f"{channel.slug}-{number:05d}-{position:02d}", one.person, one.subject)
    of_opinions = []
    for number, opinion in enumerate(opinions):
        channel = house.channels[opinion.trade, opinion.channel]
        writer = people[opinion.person.number].customer if opinion.person is not None else None
        said = _delivered(_inbound(writer, channel, opinion.text, opinion.at), f"{channel.slug}-r{number:05d}", opinion.person, "")
        said.feedback = _feedback(opinion, said.message)
        of_opinions.append(said)
    return Mail(of_moves, of_opinions)


def _inbound(customer: Customer | None, channel: Channel, body: str, at: datetime) -> Message:
    moment = at.astimezone(UTC)
    return Message(
        customer=customer,
        team_id=channel.team_id,
        channel=channel,
        direction=Direction.INBOUND,
        body=body.strip(),
        sent_at=moment,
        received_at=moment,
    )


def _delivered(message: Message, external_id: str, person: Person | None, subject: str) -> Delivered:
    sender = (person.email or person.phone) if person is not None else ""
    facts = {"external_id": external_id, "from": sender, "subject": subject, "text": message.body, "sent_at": message.sent_at.isoformat()}
    return Delivered(message, external_id, json.dumps(facts, ensure_ascii=False).encode(), subject)


def _feedback(opinion: Opinion, message: Message) -> Feedback:
    return Feedback(
        message=message,
        team_id=message.team_id,
        source=opinion.source,
        rating=opinion.rating,
        category=opinion.category,
        product=opinion.product,
    )


def read_all(delivered: list[Delivered]) -> Iterable[int]:
    """Read every message, some hundred at a time; yields how many were read so far."""
    for start in range(0, len(delivered), READ_AT_ONCE):
        some = delivered[start : start + READ_AT_ONCE]
        for one, reading in zip(some, read_messages([one.message for one in some], now=datetime.now(UTC)), strict=True):
            reading.read_at = one.message.sent_at + READ_AFTER
            one.reading = reading
        yield start + len(some)


def play(house: House, conversations: list[Conversation], mail: Mail, categories: Mapping[str, str] | None = None) -> Ledger:
    """Let everything happen in the order of time; `categories` by matter is what agents say of some cases before they answer."""
    ledger = Ledger()
    spoken: set[int] = set()
    cases: dict[int, Case] = {}
    steps = [(move.at, number, position) for number, one in enumerate(conversations) for position, move in enumerate(one.moves)]
    for _, number, position in sorted(steps):
        conversation = conversations[number]
        move = conversation.moves[position]
        if move.verb == WRITE:
            cases[number] = _receive(ledger, mail.of_moves[number, position])
        else:
            if move.verb == REPLY and number % EVERY == 0 and number not in spoken:
                spoken.add(number)
                author = _author(move, house, conversation.scenario.trade)
                category = (categories or {}).get(conversation.scenario.name)
                _correct(ledger, mail.of_moves[number, 0], category, author, move.at.astimezone(UTC))
            _act(ledger, cases[number], move, house, conversation.scenario.trade)
    return ledger


def _receive(ledger: Ledger, delivered: Delivered) -> Case:
    customer, reading = delivered.message.customer, delivered.reading
    if customer is None or reading is None:
        raise ValueError(f"the message {delivered.external_id} opens a case; it needs a customer and a reading")
    case = ledger.receive(delivered.message, customer, delivered.subject)
    if reading.state == "DONE":
        ledger.triage(case, reading)
    return case


def _correct(ledger: Ledger, first: Delivered, category: str | None, author: User, at: datetime) -> None:
    if category is not None and first.reading is not None and first.reading.state == "DONE":
        ledger.correct(first, category, author, at)


def _act(ledger: Ledger, case: Case, move: Move, house: House, trade: str) -> None:
    agents, at = house.agents[trade], move.at.astimezone(UTC)
    author = _author(move, house, trade)
    if move.verb == REPLY:
        ledger.reply(case, move.text, author, at, str(move.value))
    elif move.verb == NOTE:
        ledger.note(case, move.text, author, at)
    elif move.verb == ASSIGN:
        ledger.change(case, EventKind.ASSIGNED, {"assignee_id": agents[int(move.value or 0)].pk}, author, at)
    elif move.verb == PRIORITISE:
        ledger.change(case, EventKind.PRIORITY, {"priority": move.value}, author, at)
    elif move.verb == SET_STATUS:
        changes = {"status": move.value, "resolved_at": at if move.value == "RESOLVED" else None}
        ledger.change(case, EventKind.STATUS, changes, author, at)
    else:
        raise ValueError(f"nobody knows how to {move.verb!r}")


def _author(move: Move, house: House, trade: str) -> User:
    return house.supervisor if move.agent is None or move.agent < 0 else house.agents[trade][move.agent]
