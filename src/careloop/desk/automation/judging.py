"""Asking the rules about what happened: each event once, in order, its judgement and what follows from it in one transaction.

PostgreSQL shows events when their transactions commit, so 7 may appear after 9. The cursor therefore stays a minute behind, and the events
above it that were judged have a row of their own.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet

from careloop.desk.automation.facts import Standing, find_standings, find_texts
from careloop.desk.automation.firing import Cause, fire
from careloop.desk.automation.models import CausedEvent, Cursor, JudgedEvent
from careloop.desk.automation.queries import active_rules
from careloop.desk.automation.registry import ACTIONS
from careloop.desk.automation.rules.choosing import Ready, RuleIndex
from careloop.desk.automation.rules.conditions import holds
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.kernel.rows import insert_rows

AT_ONCE = 500
MOST_A_RUN = 5_000
LATEST_SECONDS = 60  # no event is shown later than this after one with a higher number
KEEP_CAUSES_DAYS = 30


class Happened(NamedTuple):
    """An event as rules are asked about it."""

    pk: int
    case_id: int
    kind: str
    message_id: int | None
    is_machine_made: bool


class AlreadyJudged(Exception):
    """Another worker was faster."""


def judge_new_events(*, now: datetime, at_most: int = MOST_A_RUN) -> int:
    """Ask the rules about every event that waits (about `at_most`); returns how many were judged."""
    cursor = Cursor.objects.first()
    newest = CaseEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0
    if cursor is None:
        Cursor.objects.create(pk=1, event_id=newest)  # rules look ahead; the dry run looks back
        return 0
    waiting = _waiting(cursor.event_id)
    rules = active_rules(by_time=False) if waiting else None
    if rules is not None and not rules:
        JudgedEvent.objects.all().delete()
        Cursor.objects.filter(event_id__lt=newest).update(event_id=newest)
        return 0
    judged = 0
    while rules is not None and waiting and judged < at_most:
        _judge_batch(rules, waiting, now)
        judged += len(waiting)
        waiting = _waiting(cursor.event_id)
    _advance(cursor, now)
    return judged


def _waiting(after: int) -> list[Happened]:
    events = _unjudged(after).annotate(is_machine_made=Q(after__has_key="machine_made"))
    rows = events.order_by("pk").values_list(*Happened._fields)[:AT_ONCE]
    return [Happened(*row) for row in rows]


def _unjudged(after: int) -> QuerySet[CaseEvent]:
    events: QuerySet[CaseEvent] = CaseEvent.objects.filter(pk__gt=after)
    return events.exclude(Exists(JudgedEvent.objects.filter(event_id=OuterRef("pk"))))


def _judge_batch(rules: RuleIndex, events: list[Happened], now: datetime) -> None:
    """Events that concern no rule are marked together with the next that does."""
    standings = find_standings({event.case_id for event in events}, rules.wanted)
    texts = find_texts({event.message_id for event in events if event.message_id})
    causes = _find_causes(events)
    quiet: list[Happened] = []
    for event in events:
        text = texts.get(event.message_id or 0)
        if not _matching(rules, event, standings[event.case_id], text, now):
            quiet.append(event)
            continue
        try:
            with transaction.atomic():
                _mark(quiet, now)
                standings[event.case_id] = _judge(rules, event, causes.get(event.pk) or Cause(f"e{event.pk}", f"e{event.pk}"), text, now)
        except AlreadyJudged:
            continue
        quiet = []
    with transaction.atomic():
        _mark(quiet, now)


def _judge(rules: RuleIndex, event: Happened, cause: Cause, text: str | None, now: datetime) -> Standing:
    """Let the rules that fit act, one after the other, each on the case as the one before left it; returns how it stands then."""
    try:
        with transaction.atomic():
            JudgedEvent.objects.create(event_id=event.pk, at=now)
    except IntegrityError as error:
        raise AlreadyJudged from error
    case = Case.objects.select_for_update().get(pk=event.case_id)
    asked: set[int] = set()
    is_stopped = False
    while True:  # after each rule that acted the case is looked at anew; no rule is asked twice
        standing = find_standings({case.pk}, rules.wanted)[case.pk]
        found = [rule for rule in _matching(rules, event, standing, text, now) if rule.id not in asked]
        asked_before = max((rules.rules[number].order for number in asked), default=(-1, 0))
        rule = next((one for one in found if one.order > asked_before), None)
        if rule is None or is_stopped:
            return standing
        asked.add(rule.id)
        is_stopped = fire(rule, case, cause, now) and rule.stops


def _matching(rules: RuleIndex, event: Happened, standing: Standing, text: str | None, now: datetime) -> list[Ready]:
    if not standing.is_judged:
        return []
    facts = standing.facts_at(now, text)
    found = [rule for rule in rules.candidates(event.kind, facts) if holds(rule.condition, facts)]
    return [rule for rule in found if not (event.is_machine_made and _replies(rule))]


def _replies(rule: Ready) -> bool:
    """Whether it writes to the customer; two machines must not write to each other."""
    return any(ACTIONS[action["do"]].is_reply for action in rule.actions)


def _find_causes(events: list[Happened]) -> dict[int, Cause]:
    """For events that rules made, and for the news of messages that they sent, the chain to which they belong."""
    delivered = {event.message_id for event in events if event.kind == "DELIVERY" and event.message_id}
    numbers = {event.pk for event in events}
    rows = list(CausedEvent.objects.filter(Q(event_id__in=numbers) | Q(message_id__in=delivered)).order_by("pk"))
    by_message = {row.message_id: row for row in rows if row.message_id}
    by_event = {row.event_id: row for row in rows}
    found = {}
    for event in events:
        row = by_event.get(event.pk) or (by_message.get(event.message_id or 0) if event.kind == "DELIVERY" else None)
        if row is not None:
            found[event.pk] = Cause(f"e{event.pk}", row.root, row.depth)
    return found


def _mark(events: Iterable[Happened], now: datetime) -> None:
    insert_rows([JudgedEvent(event_id=event.pk, at=now) for event in events], ignore_conflicts=True)


def _advance(cursor: Cursor, now: datetime) -> None:
    """Move the cursor over what was judged a minute ago, and forget the rows of what lies under it."""
    settled = JudgedEvent.objects.filter(at__lte=now - timedelta(seconds=LATEST_SECONDS)).aggregate(top=Max("event_id"))["top"]
    if settled is None:
        return
    waiting = _unjudged(cursor.event_id).aggregate(first=Min("pk"))["first"]
    top = settled if waiting is None else min(settled, waiting - 1)
    with transaction.atomic():
        Cursor.objects.filter(pk=cursor.pk, event_id__lt=top).update(event_id=top)
        JudgedEvent.objects.filter(event_id__lte=top).delete()
        CausedEvent.objects.filter(at__lt=now - timedelta(days=KEEP_CAUSES_DAYS)).delete()
