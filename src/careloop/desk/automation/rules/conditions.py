"""Trees of conditions over the facts of a case: {"all": […]}, {"any": […]}, {"not": …}, {"field", "is", "value"} as a leaf.

A fact that is not in the facts is unknown, and so may be the answer: None. A fact that is None is empty. The customer's attributes are
known as a whole: facts that hold ATTRIBUTES hold every attribute there is; so it is with the house's own fields.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from careloop.desk.automation.rules.fields import (
    AT_LEAST,
    CONTAINS,
    CONTAINS_NOT,
    HAS,
    HAS_NOT,
    IS,
    IS_EMPTY,
    IS_NOT,
    IS_SET,
    NAMED,
    Partly,
)

Node = Mapping[str, Any]
Answer = bool | None


def fold(text: str) -> str:
    """A text as conditions compare it: full-width letters as plain ones, no capitals, one space between words."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def holds(node: Node, facts: Mapping[str, Any]) -> Answer:
    """Whether the condition holds; None when that depends on an unknown fact. Texts among facts and values are folded already."""
    if "field" in node:
        return _leaf_holds(node, facts)
    if "all" in node:
        return _every(holds(one, facts) for one in node["all"])
    if "any" in node:
        return _negated(_every(_negated(holds(one, facts)) for one in node["any"]))
    return _negated(holds(node["not"], facts))


def reasons(node: Node, facts: Mapping[str, Any]) -> list[Node]:
    """The leaves because of which the condition holds (a leaf under "not": because it does not)."""
    if "all" in node:
        return [reason for one in node["all"] for reason in reasons(one, facts)]
    if "any" in node:
        return next((reasons(one, facts) for one in node["any"] if holds(one, facts)), [])
    if "not" in node:
        return [{"not": leaf} for leaf in leaves(node["not"])]
    return [node]


def leaves(node: Node) -> Iterator[Node]:
    """Every leaf of a tree."""
    if "all" in node or "any" in node:
        for one in node.get("all", node.get("any", [])):
            yield from leaves(one)
    elif "not" in node:
        yield from leaves(node["not"])
    elif "field" in node:
        yield node


def facts_asked(nodes: Iterable[Node]) -> set[str]:
    """The names of the facts that trees ask for."""
    return {leaf["field"] for node in nodes for leaf in leaves(node)}


def folded(node: Node) -> dict[str, Any]:
    """The tree with the words of its text conditions folded, ready for `holds`."""
    for name in ("all", "any"):
        if name in node:
            return {name: [folded(one) for one in node[name]]}
    if "not" in node:
        return {"not": folded(node["not"])}
    value = node.get("value")
    if isinstance(value, list) and (node["op"] in (CONTAINS, CONTAINS_NOT, HAS, HAS_NOT) or node["field"].startswith(NAMED)):
        value = [fold(str(one)) for one in value]
    return {"field": node["field"], "op": node["op"], "value": value}


def _every(answers: Iterator[Answer]) -> Answer:
    found: Answer = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            found = None
    return found


def _negated(answer: Answer) -> Answer:
    return None if answer is None else not answer


def _leaf_holds(leaf: Node, facts: Mapping[str, Any]) -> Answer:
    name, operator = leaf["field"], leaf["op"]
    value: Any = leaf.get("value")
    if name not in facts and not any(name.startswith(one) and one in facts for one in NAMED):
        return None
    fact: Any = facts.get(name)
    if isinstance(fact, Partly):
        return _of_partly(operator, fact, value)
    if operator in (IS, IS_NOT):
        return bool((fact in value) == (operator == IS))
    is_empty: bool = fact is None or fact in ("", ())
    if operator in (IS_EMPTY, IS_SET):
        return is_empty is (operator == IS_EMPTY)
    if operator in (CONTAINS, CONTAINS_NOT, HAS, HAS_NOT):
        return (not is_empty and any(word in fact for word in value)) is (operator in (CONTAINS, HAS))
    return _compares(operator, _number(fact), value)


def _compares(operator: str, number: float | None, value: Any) -> bool:
    if number is None:
        return False
    return bool(number >= value if operator == AT_LEAST else number <= value)


def _of_partly(operator: str, fact: Partly, value: Any) -> Answer:
    if operator in (IS_EMPTY, IS_SET):
        return None if not fact.has else operator == IS_SET
    if any(word in fact.has for word in value):
        return operator == HAS
    return operator != HAS if all(word in fact.lacks for word in value) else None


def _number(fact: Any) -> float | None:
    """A number as it is; words of a record as the number that they are, if they are one."""
    if not isinstance(fact, str):
        found: float | None = fact
        return found
    try:
        return float(fact)
    except ValueError:
        return None
