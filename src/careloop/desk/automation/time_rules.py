"""Rules by time: each looks at every open or waiting case, and acts once until a person or customer does something."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from careloop.desk.accounts.models import ChannelKind
from careloop.desk.automation.facts import Standing, find_standings
from careloop.desk.automation.firing import Cause, fire
from careloop.desk.automation.models import Firing
from careloop.desk.automation.queries import active_rules
from careloop.desk.automation.rules.choosing import Ready, RuleIndex
from careloop.desk.automation.rules.conditions import holds
from careloop.desk.automation.rules.fields import TIME
from careloop.desk.cases.models import Case, CaseEvent, EventKind
from careloop.desk.cases.rules import UNRESOLVED

AT_ONCE = 500
ENTRIES = (EventKind.OPENED, EventKind.RECEIVED, EventKind.REPLIED, EventKind.STATUS, EventKind.MERGED, EventKind.SPLIT, EventKind.UNDONE)


def judge_time(*, now: datetime) -> int:
    """Ask the rules by time about every case that is open or waiting; returns how often one acted."""
    rules = active_rules(by_time=True)
    return sum(_judge_cases(rules, numbers, now) for numbers in _parts()) if rules else 0


def entries_of(case_ids: Iterable[int]) -> dict[int, int]:
    """The newest event by which a person or customer moved each case on; what rules do is none."""
    moved = CaseEvent.objects.filter(case_id__in=list(case_ids), kind__in=ENTRIES).exclude(actor_kind="rule").order_by()
    return dict(moved.values_list("case_id").annotate(newest=Max("pk")))


def _parts() -> Iterator[list[int]]:
    last = 0
    waiting = Case.objects.filter(status__in=UNRESOLVED).exclude(channel__kind=ChannelKind.FILE).order_by("pk").values_list("pk", flat=True)
    while numbers := list(waiting.filter(pk__gt=last)[:AT_ONCE]):
        last = numbers[-1]
        yield numbers


def _judge_cases(rules: RuleIndex, numbers: list[int], now: datetime) -> int:
    standings, entries = find_standings(numbers, rules.wanted), entries_of(numbers)
    known = Firing.objects.filter(case_id__in=numbers, rule_id__in=rules.rules, key__startswith="t")
    fired = set(known.values_list("rule_id", "case_id", "key"))
    acted = 0
    for number, standing in standings.items():
        if any((rule.id, number, _key(standing, entries)) not in fired for rule in _matching(rules, standing, now)):
            acted += _judge_case(rules, number, entries, now)
    return acted


def _judge_case(rules: RuleIndex, number: int, entries: dict[int, int], now: datetime) -> int:
    """The rules that fit one case, in their order, each on the case as the one before left it."""
    acted = 0
    with transaction.atomic():
        case = Case.objects.select_for_update().get(pk=number)
        done: set[int] = set()
        while True:
            standing = find_standings({number}, rules.wanted)[number]
            key = _key(standing, entries)
            before = set(Firing.objects.filter(case_id=number, key=key).values_list("rule_id", flat=True))
            after = max((rules.rules[one].order for one in done), default=(-1, 0))
            fitting = (rule for rule in _matching(rules, standing, now) if rule.id not in before and rule.order > after)
            rule = next(fitting, None)
            if rule is None or standing.row["status"] not in UNRESOLVED:
                return acted
            done.add(rule.id)
            has_acted = fire(rule, case, Cause(key, f"{key} {rule.id}"), now)
            acted += has_acted
            if has_acted and rule.stops:
                return acted


def _matching(rules: RuleIndex, standing: Standing, now: datetime) -> list[Ready]:
    facts: dict[str, Any] = standing.facts_at(now)
    return [rule for rule in rules.candidates(TIME, facts) if holds(rule.condition, facts)]


def _key(standing: Standing, entries: dict[int, int]) -> str:
    return f"t{standing.row['status']} {entries.get(standing.row['pk'], 0)}"
