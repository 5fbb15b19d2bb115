"""Rules that set each other off in a circle, found from their events, actions and conditions before they are saved.

A circle is walked twice with nothing known of the case but what its rules leave and no other rule can change in between: when in the
second round every condition holds and every event happens it goes on for ever; when one cannot, it ends by itself; else it may happen.
The guard at run time (rules/loops.py) stops all of them; here they are told to whoever makes them. Ours; decision 0024.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from careloop.desk.automation.rules.checking import facts_after
from careloop.desk.automation.rules.choosing import Ready
from careloop.desk.automation.rules.conditions import holds
from careloop.desk.automation.rules.fields import TIME, ActionKind, Kinds, Partly

MOST_LONG = 5  # rules in a circle
MOST_STEPS = 20_000
MOST_FOUND = 5

Known = Mapping[str, Any]


@dataclass(frozen=True)
class Link:
    """A rule and the event that it makes and for which the next one waits."""

    rule: Ready
    event: str


@dataclass(frozen=True)
class Circle:
    """Rules each of which sets off the next, the last one the first."""

    links: tuple[Link, ...]
    is_certain: bool

    @property
    def rule_ids(self) -> list[int]:
        """The numbers of its rules, in their order."""
        return [link.rule.id for link in self.links]


class _House:
    """The rules that can come about after one of them, by the events for which they wait, and what each leaves of every fact."""

    def __init__(self, rule: Ready, others: Sequence[Ready], kinds: Kinds) -> None:
        self.kinds = kinds
        waiting: dict[str, list[Ready]] = defaultdict(list)
        for one in (rule, *(one for one in others if one.id != rule.id)):
            for event in one.events:
                if event != TIME:
                    waiting[event].append(one)
        self.waiting = waiting
        self.reached: dict[int, Ready] = {rule.id: rule}
        new = [rule]
        while new:
            events = {event for one in new for event in _made_by(one, kinds)}
            new = list({one.id: one for event in events for one in waiting[event] if one.id not in self.reached}.values())
            self.reached |= {one.id: one for one in new}
        self.left: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        for one in self.reached.values():
            for name, left in facts_after(one.actions, kinds).items():
                self.left[name].append((one.id, left))

    def keeps(self, known: Known, inside: Collection[int]) -> Known:
        """Of what is known, that which no rule but these can change in between."""
        return {
            name: fact
            for name, fact in known.items()
            if not any(number not in inside and _differs(fact, left, True) is not False for number, left in self.left[name])
        }


def find_circles(rule: Ready, others: Sequence[Ready], kinds: Kinds) -> list[Circle]:
    """The circles through a rule, certain ones first, short ones before long ones; none that lies within another; at most MOST_FOUND."""
    house = _House(rule, others, kinds)
    found: dict[tuple[int, ...], Circle] = {}
    paths: list[tuple[tuple[Link, ...], Ready, Known]] = [((), rule, {})]
    steps = 0
    while paths and steps < MOST_STEPS and len(found) < MOST_FOUND:
        longer = []
        for path, last, before in paths:
            made, after = _act(last, before, kinds)
            inside = {last.id, *(link.rule.id for link in path)}
            known = house.keeps(after, inside)
            for event, following in ((code, one) for code in made for one in house.waiting[code]):
                steps += 1
                if holds(following.condition, known) is False:
                    continue
                links = (*path, Link(last, event))
                if following.id == rule.id:
                    circle = _judged(links, house)
                    if circle is not None:
                        found.setdefault(tuple(circle.rule_ids), circle)
                elif len(links) < MOST_LONG and following.id not in inside:
                    longer.append((links, following, known))
            if steps >= MOST_STEPS:
                break
        paths = longer
    whole = [one for one in found.values() if not any(set(one.rule_ids) < set(other.rule_ids) for other in found.values())]
    return sorted(whole, key=lambda one: (not one.is_certain, len(one.links)))


def _judged(links: tuple[Link, ...], house: _House) -> Circle | None:
    known: Known = {}
    is_certain = False
    inside = {link.rule.id for link in links}
    for _round in range(2):
        is_certain = True
        for place, link in enumerate(links):
            made, after = _act(link.rule, known, house.kinds)
            known = house.keeps(after, inside)
            answer = holds(links[(place + 1) % len(links)].rule.condition, known)
            if link.event not in made or answer is False:
                return None
            is_certain = is_certain and made[link.event] and answer is True
    events = {link.event for link in links}
    may_stop = any(one.stops and (one.id in inside or events & set(one.events)) for one in house.reached.values())
    return Circle(links, is_certain and not may_stop)


def _made_by(rule: Ready, kinds: Kinds) -> set[str]:
    return {event for action in rule.actions for event in (*kinds[action["do"]].makes, *kinds[action["do"]].may_make)}


def _act(rule: Ready, before: Known, kinds: Kinds) -> tuple[dict[str, bool], Known]:
    """The events that a rule makes (True: surely) on a case of which this much is known, and what is known then."""
    made: dict[str, bool] = {}
    known = dict(before)
    for action in rule.actions:
        kind = kinds[action["do"]]
        for event, is_sure in _events(kind, action.get("value"), known):
            made[event] = made.get(event, False) or is_sure
        known = facts_after([action], kinds, known)
    return made, known


def _events(kind: ActionKind, value: Any, known: Known) -> Iterator[tuple[str, bool]]:
    changes: bool | None = True
    if kind.is_quiet:
        told = [_differs(known.get(name), left, name in known) for name, left in kind.leaves(value).items()]
        changes = True if True in told else None if None in told else False
    if changes is False:
        return
    for event in kind.makes:
        yield event, changes is True
    for event in kind.may_make:
        yield event, False


def _differs(was: Any, left: Any, is_known: bool) -> bool | None:
    if not is_known:
        return None
    if isinstance(left, Partly) and isinstance(was, Partly):
        if left.has <= was.has and left.lacks <= was.lacks:
            return False
        return True if left.has & was.lacks or left.lacks & was.has else None
    return bool(was != left)
