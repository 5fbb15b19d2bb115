"""What a rule would have done in the last 90 days: histories are gone through as they were, and nothing is written.

Events keep what was before and after, so a case's kind, priority, status, category, assignee, tags and place in its flow at any moment
follow from the events around it, reopenings and ratings from those before it, its texts and waiting from its messages. The customer's
record, the house's own fields and deadlines are taken as they are today.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from careloop.desk.accounts.models import ChannelKind
from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation.facts import LONGEST_READ, Standing, Told, find_standings, flow_state
from careloop.desk.automation.registry import ACTIONS
from careloop.desk.automation.rules.checking import check_rule
from careloop.desk.automation.rules.conditions import Node, facts_asked, fold, folded, holds, leaves, reasons
from careloop.desk.automation.rules.fields import TIME, TIMES, Partly, RuleFacts
from careloop.desk.cases.models import Case, CaseEvent, Direction, Message, Status
from careloop.desk.cases.rules import UNRESOLVED

DAYS = 90
AT_ONCE = 500
MOST_CASES = 20_000
SHOWN = 200
TRACED = {"kind": "kind", "priority": "priority", "status": "status", "category": "category", "assignee_id": "assignee_id"}
TRACED |= {"team_id": "team_id", "assignee": "assignee_id", "sentiment": "sentiment", "sentiment_probability": "sentiment_probability"}
TRACED_EVENTS = frozenset(
    {"OPENED", "RECEIVED", "REPLIED", "ASSIGNED", "TEAM", "PRIORITY", "STATUS", "TRIAGED", "CORRECTED", "ESCALATED", "MOVED", "ROUTED"}
)


@dataclass(frozen=True)
class Touched:
    """A case on which the rule would have acted first at this moment, and the conditions because of which."""

    case: Case
    at: datetime
    event: str
    because: list[Node]
    was: dict[str, Any]  # what the rule would have changed, as it was


@dataclass(frozen=True)
class DryRun:
    """How many cases were looked at and would have been touched (`out_of_sight` of them in other teams); `touched` are the newest."""

    looked_at: int
    count: int
    out_of_sight: int
    touched: list[Touched]
    is_cut: bool


class _Found(NamedTuple):
    case_id: int
    at: datetime
    event: str
    because: list[Node]
    was: dict[str, Any]


class _Said(NamedTuple):
    body: str
    number: int
    sent_at: datetime
    direction: str
    author: int | None


@dataclass(frozen=True)
class _Moment:
    at: datetime
    event: str
    standing: Standing
    text: str | None


def dry_run(*, facts: RuleFacts, viewer: Viewer, now: datetime) -> DryRun:
    """Go through the cases with anything in the last 90 days (the newest 20,000); the list holds those in the viewer's sight."""
    check_may(viewer, "rule.view")
    check_rule(facts, ACTIONS)
    begin = now - timedelta(days=DAYS)
    numbers = list(
        Case.objects.filter(last_message_at__gte=begin)
        .exclude(channel__kind=ChannelKind.FILE)
        .exclude(status=Status.MERGED)
        .order_by("-last_message_at", "-pk")
        .values_list("pk", flat=True)[: MOST_CASES + 1]
    )
    looked_at = numbers[:MOST_CASES]
    found: list[_Found] = []
    for start in range(0, len(looked_at), AT_ONCE):
        found += _go_through(facts, looked_at[start : start + AT_ONCE], begin, now)
    visible = Case.objects.visible_to(viewer).select_related("customer").in_bulk([one.case_id for one in found])
    touched = [Touched(visible[one.case_id], *one[1:]) for one in found if one.case_id in visible]
    touched.sort(key=lambda one: (one.at, one.case.pk), reverse=True)
    return DryRun(len(looked_at), len(found), len(found) - len(touched), touched[:SHOWN], len(numbers) > MOST_CASES)


def _go_through(facts: RuleFacts, numbers: list[int], begin: datetime, now: datetime) -> Iterator[_Found]:
    """The first moment of each case at which the rule would have acted; four queries and two for any number of cases."""
    condition = folded(facts.condition)
    wanted = facts_asked([condition])
    standings = find_standings(numbers, wanted)
    events: dict[int, list[CaseEvent]] = defaultdict(list)
    for event in CaseEvent.objects.filter(case_id__in=numbers).order_by("pk"):
        events[event.case_id].append(event)
    messages: dict[int, list[_Said]] = defaultdict(list)
    rows = Message.objects.filter(case_id__in=numbers).order_by("sent_at", "pk")
    for case_id, body, *said in rows.values_list("case_id", "body", "pk", "sent_at", "direction", "author_id"):
        messages[case_id or 0].append(_Said(body[:LONGEST_READ], *said))
    for number in numbers:
        past = list(_replay(standings[number], events[number], messages[number]))
        moments = _by_time(past, condition, now) if TIME in facts.events else (one for one in past if one.event in facts.events)
        for moment in moments:
            told = moment.standing.facts_at(moment.at, moment.text)
            was = _changes(facts, told)
            if moment.at >= begin and was is not None and holds(condition, told):
                yield _Found(number, moment.at, moment.event, reasons(condition, told), was)
                break


def _changes(rule: RuleFacts, facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """The facts that the actions would have changed, as they were; None when nothing at all would have happened."""
    kinds = [(ACTIONS[action["do"]], action.get("value")) for action in rule.actions]
    does_more = any(not kind.is_quiet for kind, _value in kinds)
    left = {name: value for kind, given in kinds for name, value in kind.leaves(given).items()}
    was = {name: facts[name] for name, value in left.items() if name in facts and _differs(facts[name], value)}
    is_unread = any(name not in facts for name in left)
    return was if was or does_more or is_unread else None


def _differs(was: Any, left: Any) -> bool:
    return bool(left.has - set(was) or left.lacks & set(was)) if isinstance(left, Partly) else bool(was != left)


def _replay(standing: Standing, events: list[CaseEvent], messages: list[_Said]) -> Iterator[_Moment]:
    """The case as it was just after each of its events, in order: what a later event changed is taken back."""
    row, more = dict(standing.row), dict(standing.more)
    befores: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for event in reversed(events):
        changed = TRACED if event.kind in TRACED_EVENTS else {}
        row = {**row, **{changed[name]: value for name, value in event.after.items() if name in changed and _is_of_case(name, event)}}
        more = _more_at(more, event.kind, event.after)
        befores.append((row, more))
        row = {**row, **{changed[name]: value for name, value in event.before.items() if name in changed}}
        more = _more_at(more, event.kind, event.before)
    told = Told()
    inbound = [one for one in messages if one.direction == Direction.INBOUND]
    times = [one.sent_at for one in inbound]
    bodies = {one.number: one.body for one in messages}
    for event, (was, known) in zip(events, reversed(befores), strict=True):
        told.take(event.kind, event.before, event.after)
        last = inbound[max(bisect_right(times, event.at) - 1, 0)] if inbound else None
        facts = {name: value for name, value in told.facts(row["corrected"]).items() if name in known}
        then = replace(standing, row=was, more={**known, **facts}, waiting_since=_waiting_since(messages, event.at))
        then.text, then.customer_at = (last.body, last.sent_at) if last else ("", None)
        yield _Moment(event.at, event.kind, then, bodies.get(event.message_id or 0))


def _more_at(more: dict[str, Any], kind: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """Tags and the place in the flow as an event tells them, of the facts that were asked for."""
    if kind == "TAGGED" and "tags" in more:
        return {**more, "tags": tuple(fold(name) for name in told.get("tags", ()))}
    if kind == "MOVED" and "flow_state" in more and "state" in told:
        return {**more, "flow_state": flow_state(told["flow"], told["state"])}
    return more


def _waiting_since(messages: list[_Said], moment: datetime) -> datetime | None:
    """The first message up to a moment that no person had answered by then."""
    since = None
    for one in messages:
        if one.sent_at > moment:
            break
        if one.direction == Direction.INBOUND:
            since = since or one.sent_at
        elif one.direction == Direction.OUTBOUND and one.author is not None:
            since = None
    return since


def _is_of_case(name: str, event: CaseEvent) -> bool:
    """A correction of one message alone tells nothing before; arrivals tell the status alone."""
    return name in event.before or name == "status"


def _by_time(past: Iterable[_Moment], condition: Mapping[str, Any], now: datetime) -> Iterator[_Moment]:
    """The moments between events at which a condition on hours begins to hold, while the case is open or waiting."""
    moments = list(past)
    waits = [(leaf["field"], timedelta(hours=leaf["value"])) for leaf in leaves(condition) if leaf["field"] in TIMES]
    for moment, until in zip(moments, [*(one.at for one in moments[1:]), now], strict=True):
        if moment.standing.row["status"] not in UNRESOLVED:
            continue
        begins = {
            "hours_since_customer": moment.standing.customer_at,
            "hours_waiting": moment.standing.waiting_since,
            "hours_since_opened": moment.standing.row["opened_at"],
            "hours_overdue": moment.standing.row["due_at"],
        }
        reached = {begins[name] + wait for name, wait in waits if begins[name] is not None}
        for at in sorted({moment.at, *(one for one in reached if moment.at <= one < until)}):
            yield replace(moment, at=at, event=TIME, text=None)
