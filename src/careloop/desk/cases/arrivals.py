"""How messages from customers join or open cases: many at a time, in the caller's transaction, in a fixed number of queries."""

from dataclasses import dataclass
from datetime import datetime

from careloop.desk.accounts.models import Channel, ChannelKind
from careloop.desk.cases.clocks import Happening, keep_clocks
from careloop.desk.cases.merged import lock_with_targets
from careloop.desk.cases.models import Case, CaseEvent, Direction, EventKind, Message, Status
from careloop.desk.cases.rules import SUBJECT_LENGTH, UNRESOLVED, joins_case, snippet_from, subject_from
from careloop.desk.kernel.actor import Actor
from careloop.desk.kernel.rows import find_rows, insert_rows, marks, update_rows
from careloop.desk.search import actions as search
from careloop.desk.search.actions import Searchable
from careloop.desk.sla.rules.following import ARRIVED


@dataclass(frozen=True)
class Arrival:
    """One message from a customer, already checked; `case_id` names a case that the sender refers to.

    With `machine_made` nobody wrote it: it becomes a note, which moves neither case nor clock; a case is opened only where there is none.
    """

    channel: Channel
    customer_id: int | None
    customer_name: str
    body: str
    subject: str
    sent_at: datetime
    opens_case: bool
    case_id: int | None = None
    machine_made: str = ""


def receive(arrivals: list[Arrival], now: datetime) -> list[Message]:
    """Store the messages in the given order, each joined to its case if it belongs to one; returns them in that order."""
    open_cases, merged = _open_cases(arrivals)
    passed_on = [_case_merged(arrival, open_cases, merged) for arrival in arrivals]
    joined = [_case_for(arrival, open_cases, merged.get(via)) for arrival, via in zip(arrivals, passed_on, strict=True)]
    new = list({id(case): case for case in filter(None, joined) if case.pk is None}.values())
    opened = {id(case) for case in new}
    insert_rows(new)
    messages = insert_rows(_message(arrival, case, now) for arrival, case in zip(arrivals, joined, strict=True))
    written = [case for one, case in zip(arrivals, joined, strict=True) if case is not None and not one.machine_made]
    _advance([case for case in written if id(case) not in opened])
    events = _events(arrivals, joined, messages, opened, now)
    insert_rows(_noting_merged(events, dict(zip([message.pk for message in messages], passed_on, strict=True))))
    keep_clocks(_happenings(arrivals, joined, now))
    found = [
        Searchable(
            "MESSAGE",
            message.pk,
            f"{arrival.subject}\n{message.body}",
            message.case_id,
            message.customer_id,
            message.team_id,
        )
        for arrival, message in zip(arrivals, messages, strict=True)
    ]
    search.index(found, is_new=True)
    return messages


def _open_cases(arrivals: list[Arrival]) -> tuple[dict[tuple[int, int], Case], dict[int, Case]]:
    """The newest unresolved case of each customer in each channel, and by (0, id) the cases referred to; rows are locked.

    A merged case stands there, too, where no other does; the second answer says which case stands for it now.
    """
    customers = {arrival.customer_id for arrival in arrivals if arrival.customer_id and arrival.opens_case}
    if not customers:
        return {}, {}
    named = {arrival.case_id for arrival in arrivals if arrival.case_id}
    statuses = (*UNRESOLVED, Status.MERGED.value)
    condition = f"customer_id IN ({marks(customers)}) AND (status IN ({marks(statuses)}) OR id IN ({marks(named) or 'NULL'}))"
    locked, targets = lock_with_targets(find_rows(Case, condition, [*customers, *statuses, *named]))
    theirs = [case for case in locked.values() if case.customer_id in customers]
    found = {(0, case.pk): case for case in theirs if case.pk in named}
    for case in sorted(theirs, key=lambda one: (one.status != Status.MERGED, one.last_message_at)):  # merged ones give way to others
        if case.status in statuses:
            found[case.customer_id, case.channel_id] = case
    return found, {number: locked[target] for number, target in targets.items()}


def _case_merged(arrival: Arrival, open_cases: dict[tuple[int, int], Case], merged: dict[int, Case]) -> int:
    """The merged case that the message would have gone to, had it not been merged; 0 if there is none."""
    if not arrival.opens_case or arrival.customer_id is None:
        return 0
    named = open_cases.get((0, arrival.case_id)) if arrival.case_id else None
    if named is not None and named.customer_id == arrival.customer_id:
        return named.pk if named.pk in merged else 0
    thread = open_cases.get((arrival.customer_id, arrival.channel.pk))
    if thread is None or thread.pk not in merged:
        return 0
    case = merged[thread.pk]
    return thread.pk if joins_case(status=case.status, last_message_at=case.last_message_at, now=arrival.sent_at) else 0


def _case_for(arrival: Arrival, open_cases: dict[tuple[int, int], Case], merged_into: Case | None) -> Case | None:
    if not arrival.opens_case or arrival.customer_id is None:
        return None
    named = open_cases.get((0, arrival.case_id)) if arrival.case_id else None
    is_theirs = named is not None and named.customer_id == arrival.customer_id and named.status != Status.MERGED
    case = merged_into or (named if is_theirs else None)
    if case is None:
        case = open_cases.get((arrival.customer_id, arrival.channel.pk))
        if case is not None and not joins_case(status=case.status, last_message_at=case.last_message_at, now=arrival.sent_at):
            case = None
    is_new = case is None
    if case is None:
        case = Case(
            team_id=arrival.channel.team_id,
            customer_id=arrival.customer_id,
            channel_id=arrival.channel.pk,
            subject=(arrival.subject.strip() or subject_from(arrival.body))[:SUBJECT_LENGTH],
            opened_at=arrival.sent_at,
            last_message_at=arrival.sent_at,
        )
        open_cases[arrival.customer_id, arrival.channel.pk] = case
    if arrival.machine_made and not is_new:
        return case
    case.snippet = snippet_from(arrival.body)
    case.last_message_at = max(case.last_message_at, arrival.sent_at)
    case.status, case.resolved_at = Status.OPEN, None
    return case


def _happenings(arrivals: list[Arrival], joined: list[Case | None], now: datetime) -> list[Happening]:
    """What clocks follow; what comes from files happened long ago and was promised nothing."""
    return [
        Happening(case, ARRIVED, min(arrival.sent_at, now), case.first_response_at is not None)
        for arrival, case in zip(arrivals, joined, strict=True)
        if case is not None and arrival.channel.kind != ChannelKind.FILE and not arrival.machine_made
    ]


def _message(arrival: Arrival, case: Case | None, now: datetime) -> Message:
    return Message(
        case_id=case.pk if case is not None else None,
        customer_id=arrival.customer_id,
        team_id=case.team_id if case is not None else arrival.channel.team_id,
        channel_id=arrival.channel.pk,
        direction=Direction.NOTE if arrival.machine_made else Direction.INBOUND,
        body=arrival.body,
        sent_at=arrival.sent_at,
        received_at=now,
    )


def _advance(cases: list[Case]) -> None:
    """Write what the new messages changed."""
    distinct = list({case.pk: case for case in cases}.values())
    for case in distinct:
        case.version += 1
    update_rows(distinct, "snippet", "last_message_at", "status", "resolved_at", "version")


def _events(
    arrivals: list[Arrival], joined: list[Case | None], messages: list[Message], opened: set[int], now: datetime
) -> list[CaseEvent]:
    events, seen = [], set()
    for arrival, case, message in zip(arrivals, joined, messages, strict=True):
        if case is None:
            continue
        first = id(case) in opened and case.pk not in seen
        seen.add(case.pk)
        later = EventKind.NOTED if arrival.machine_made else EventKind.RECEIVED
        marked = {"machine_made": arrival.machine_made} if arrival.machine_made else {}
        actor = Actor("customer", arrival.customer_id, arrival.customer_name)
        events.append(
            CaseEvent(
                case_id=case.pk,
                team_id=case.team_id,
                kind=EventKind.OPENED if first else later,
                at=arrival.sent_at if arrival.sent_at <= now else now,
                actor_kind=actor.kind,
                actor_id=actor.id,
                actor_name=actor.name,
                message_id=message.pk,
                after={"status": case.status, **marked},
            )
        )
    return events


def _noting_merged(events: list[CaseEvent], passed_on: dict[int, int]) -> list[CaseEvent]:
    """Note at each message that was passed on which merged case it was meant for: undoing the merge gives it back."""
    for event in events:
        if event.message_id is not None and (via := passed_on[event.message_id]):
            event.after["via"] = via
    return events
