"""Which rules can possibly fire, without asking each: by event, then by the rarest value that a rule demands."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from careloop.desk.automation.rules.conditions import Node, facts_asked, folded
from careloop.desk.automation.rules.fields import IS


@dataclass(frozen=True)
class Ready:
    """A stored rule, ready to be asked: its condition is folded."""

    id: int
    name: str
    events: tuple[str, ...]
    condition: Node
    actions: tuple[Mapping[str, Any], ...]
    position: int = 0
    stops: bool = False

    @property
    def order(self) -> tuple[int, int]:
        """Lower positions first, then older rules."""
        return self.position, self.id


class RuleIndex:
    """Rules by event and by one value each demands of one fact: the value that the fewest rules demand."""

    def __init__(self, rules: Sequence[Ready]) -> None:
        self.rules = {rule.id: rule for rule in rules}
        self.wanted = facts_asked(rule.condition for rule in rules)
        self.by_value: dict[str, dict[str, dict[Any, list[Ready]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
        self.always: dict[str, list[Ready]] = defaultdict(list)
        demands = {rule.id: list(_demands(rule.condition)) for rule in rules}
        shared = Counter((name, value) for found in demands.values() for name, values in found for value in values)
        for rule in rules:
            best = min(demands[rule.id], key=lambda one: sum(shared[one[0], value] for value in one[1]), default=None)
            for event in rule.events:
                if best is None:
                    self.always[event].append(rule)
                    continue
                for value in best[1]:
                    self.by_value[event][best[0]][value].append(rule)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def candidates(self, event: str, facts: Mapping[str, Any]) -> list[Ready]:
        """The rules of an event that these facts do not rule out at a glance, in their order."""
        found = list(self.always.get(event, ()))
        for name, by_value in self.by_value.get(event, {}).items():
            found += by_value.get(facts.get(name), ())
        return sorted(found, key=lambda rule: rule.order)


def _demands(node: Node) -> Iterator[tuple[str, list[Any]]]:
    """What must hold, each as (fact, values of which it has one)."""
    if "all" in node:
        for part in node["all"]:
            yield from _demands(part)
    elif "field" in node and node["op"] == IS:
        yield node["field"], list(dict.fromkeys(node["value"]))


def ready(rule: Any) -> Ready:
    """A stored rule (id, name, events, condition, actions, position, stops), ready to be asked."""
    return Ready(rule.pk, rule.name, tuple(rule.events), folded(rule.condition), tuple(rule.actions), rule.position, rule.stops)
