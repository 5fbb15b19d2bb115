"""Whether a rule or the actions of a macro make sense; every refusal says what was given and what to do."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from careloop.desk.automation.rules import fields
from careloop.desk.automation.rules.conditions import folded, holds, leaves
from careloop.desk.automation.rules.fields import OPERATORS, Kinds, Partly, RuleFacts, type_of
from careloop.desk.kernel.sentences import Sentence

MOST_LEAVES = 50
MOST_ACTIONS = 10
MOST_DEEP = 8
LONGEST_TEXT = 10_000
Fault = tuple[str, Sentence]


class InvalidRule(ValueError):
    """A rule that makes no sense: (field, sentence) for each fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(" ".join(str(sentence) for _, sentence in faults))
        self.faults = list(faults)


def check_rule(rule: RuleFacts, kinds: Kinds) -> None:
    """Refuse a rule that makes no sense, with all its faults."""
    faults = list(find_faults(rule, kinds))
    if faults:
        raise InvalidRule(faults)


def check_macro_actions(actions: Sequence[Any], kinds: Kinds) -> None:
    """Refuse actions that a macro cannot take."""
    faults = list(_actions(actions, {code: kind for code, kind in kinds.items() if kind.is_for_macros}))
    if faults:
        raise InvalidRule(faults)


def find_faults(rule: RuleFacts, kinds: Kinds) -> Iterator[Fault]:
    """What is wrong with a rule; nothing when it makes sense."""
    if not rule.name.strip():
        yield "name", Sentence("The rule has no name; the history of cases names it, so give it one.")
    yield from _events(rule)
    broken = list(_tree(rule.condition))
    yield from broken
    wrong = list(_actions(rule.actions, kinds))
    if not rule.actions:
        yield "actions", Sentence("The rule does nothing; add at least one action.")
    yield from wrong
    if not broken and not wrong:
        yield from _time(rule)
        yield from _fires_itself(rule, kinds)


def _events(rule: RuleFacts) -> Iterator[Fault]:
    if not rule.events:
        yield "events", Sentence("The rule never starts; choose at least one event, or time.")
    for event in rule.events:
        if event != fields.TIME and event not in fields.EVENTS:
            yield "events", Sentence("There is no event “{event}”; choose from the list.", event=event)
    if fields.TIME in rule.events and len(rule.events) > 1:
        yield "events", Sentence("A rule starts by time or by events, not by both; make two rules.")


def _tree(node: Any, depth: int = 0) -> Iterator[Fault]:
    if depth > MOST_DEEP:
        yield "condition", Sentence("Conditions are nested more than {most} deep; write them flatter.", most=MOST_DEEP)
        return
    if not isinstance(node, Mapping):
        yield "condition", Sentence("A condition is missing its fact; write fact, comparison and value.")
        return
    if "all" in node or "any" in node:
        parts = node.get("all", node.get("any"))
        if not isinstance(parts, list):
            yield "condition", Sentence("“all” and “any” take a list of conditions.")
            return
        for part in parts:
            yield from _tree(part, depth + 1)
    elif "not" in node:
        yield from _tree(node["not"], depth + 1)
    else:
        yield from _leaf(node)
    if depth == 0 and sum(1 for _ in _safe_leaves(node)) > MOST_LEAVES:
        yield "condition", Sentence("The rule has more than {most} conditions; make several rules.", most=MOST_LEAVES)


def _safe_leaves(node: Any) -> Iterator[Any]:
    if isinstance(node, Mapping):
        for part in [*(node.get("all") or []), *(node.get("any") or []), *([node["not"]] if "not" in node else [])]:
            yield from _safe_leaves(part)
        if "field" in node:
            yield node


def _leaf(leaf: Mapping[str, Any]) -> Iterator[Fault]:
    name, operator, value = leaf.get("field", ""), leaf.get("op", ""), leaf.get("value")
    kind = type_of(str(name))
    if not kind:
        yield "condition", Sentence("There is no fact “{name}” of a case; choose from the list.", name=name)
        return
    if operator not in OPERATORS[kind]:
        allowed = ", ".join(OPERATORS[kind])
        yield (
            "condition",
            Sentence(
                "“{operator}” cannot be asked of “{name}”; expected one of: {allowed}.", operator=operator, name=name, allowed=allowed
            ),
        )
        return
    if operator in (fields.AT_LEAST, fields.AT_MOST):
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield "condition", Sentence("“{name}” is compared to “{value}”; expected a number.", name=name, value=value)
        elif name in fields.PROBABILITIES and not 0 <= value <= 1:
            yield "condition", Sentence("The probability {value} is outside 0 to 1; write 0.2 for 20 %.", value=value)
        elif name in fields.TIMES and value < 0:
            yield "condition", Sentence("{value} hours are less than none; write 0 or more.", value=value)
    elif operator not in fields.WITHOUT_VALUE:
        yield from _values(str(name), value)


def _values(name: str, value: Any) -> Iterator[Fault]:
    if not isinstance(value, list) or not [one for one in value if str(one).strip()]:
        yield "condition", Sentence("“{name}” is compared to nothing; give at least one value.", name=name)
        return
    for one in value:
        is_whole = isinstance(one, int) and not isinstance(one, bool)
        if is_whole != (name in fields.NUMBERED) or not str(one).strip():
            yield "condition", Sentence("“{name}” is compared to “{value}”; choose from the list.", name=name, value=one)


def _actions(actions: Sequence[Any], kinds: Kinds) -> Iterator[Fault]:
    if len(actions) > MOST_ACTIONS:
        yield "actions", Sentence("There are {n} actions; at most {most} fit.", n=len(actions), most=MOST_ACTIONS)
    decided: set[str] = set()
    for action in actions:
        code = action.get("do", "") if isinstance(action, Mapping) else action
        if not isinstance(action, Mapping) or code not in kinds:
            yield "actions", Sentence("There is no action “{code}” here; choose from the list.", code=code)
            continue
        fault = _value_fault(str(code), kinds[code], action.get("value"))
        if fault is not None:
            yield "actions", fault
        fact = kinds[code].decides
        if fact and fact in decided:
            yield "actions", Sentence("Two actions decide the same thing ({code}); keep one of them.", code=code)
        decided.add(fact)


def _value_fault(code: str, kind: fields.ActionKind, value: Any) -> Sentence | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    fits = {
        fields.NOTHING: value is None,
        fields.WHOLE: is_whole,
        fields.CODE: isinstance(value, str) and bool(value.strip()),
        fields.WORDS: isinstance(value, str) and 0 < len(value.strip()) <= LONGEST_TEXT,
        fields.PERSON: value is None or is_whole,
        fields.PEOPLE: isinstance(value, list) and bool(value) and all(isinstance(one, int) for one in value),
        fields.HOURS: isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= fields.MOST_HOURS,
    }[kind.takes]
    if not fits or (kind.allowed and value not in kind.allowed):
        return Sentence("The action “{code}” takes no “{value}”; choose or write its value.", code=code, value=value)
    return kind.fault(value)


def _time(rule: RuleFacts) -> Iterator[Fault]:
    if fields.TIME not in rule.events:
        return
    found = list(leaves(rule.condition))
    if not any(leaf["field"] in fields.TIMES and leaf["op"] == fields.AT_LEAST for leaf in found):
        yield (
            "condition",
            Sentence("A rule by time waits for nothing; add how many hours at least, say since the customer wrote."),
        )
    if any(leaf["field"] == "status" and leaf["op"] == fields.IS and leaf["value"] == ["RESOLVED"] for leaf in found):
        yield "condition", Sentence("Rules by time look at cases that are open or waiting; a resolved one is never looked at.")


def _fires_itself(rule: RuleFacts, kinds: Kinds) -> Iterator[Fault]:
    made = {event for action in rule.actions for event in kinds[action["do"]].makes}
    again = [event for event in rule.events if event in made]
    if again and holds(folded(rule.condition), facts_after(rule.actions, kinds)) is not False:
        yield (
            "events",
            Sentence(
                "The rule fires itself: what it does is an event for which it waits ({event}), and its conditions may hold again. "
                "Take the event out, or add a condition that no longer holds once the rule has acted.",
                event=again[0],
            ),
        )


def facts_after(actions: Sequence[Mapping[str, Any]], kinds: Kinds, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The facts of a case that are known after these actions, with those that were known before."""
    known = dict(before or {})
    for action in actions:
        for name, left in kinds[action["do"]].leaves(action.get("value")).items():
            was = known.get(name)
            known[name] = was.then(left) if isinstance(left, Partly) and isinstance(was, Partly) else left
    return known
