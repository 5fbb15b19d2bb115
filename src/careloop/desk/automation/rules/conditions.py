"""Trees of conditions over the facts of a case: {"all": […]}, {"any": […]}, {"not": …}, {"field", "is", "value"} as a leaf.

A fact that is not in the facts is unknown, and so may be the answer: None. A fact that is None is empty. The customer's attributes are
known as a whole: facts that hold ATTRIBUTES hold every attribute there is.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from careloop.desk.automation.rules.fields import (
    AT_LEAST,
    ATTRIBUTES,
    CONTAINS,
    CONTAINS_NOT,
    IS,
    IS_EMPTY,
    IS_NOT,
    IS_SET,
)

Node = Mapping[str, Any]
Answer = bool | None


def fold(text: str) -> str:
    """A text as conditions compare it: full-width letters as plain ones, no capitals, one space between words."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def holds(node: Node, facts: Mapping[str, Any]) -> Answer:
    """Whether the condition holds; None when that depends on an unknown fact. Texts among facts and values are folded already."""
    if "all" in node:
        return _every(holds(one, facts) for one in node["all"])
    if "any" in node:
        return _negated(_every(_negated(holds(one, facts)) for one in node["any"]))
    if "not" in node:
        return _negated(holds(node["not"], facts))
    name = node["field"]
    if name not in facts and not (name.startswith(ATTRIBUTES) and ATTRIBUTES in facts):
        return None
    return _leaf_holds(node["op"], facts.get(name), node.get("value"))


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
    else:
        yield node


def folded(node: Node) -> dict[str, Any]:
    """The tree with the words of its text conditions folded, ready for `holds`."""
    for name in ("all", "any"):
        if name in node:
            return {name: [folded(one) for one in node[name]]}
    if "not" in node:
        return {"not": folded(node["not"])}
    value = node.get("value")
    if isinstance(value, list) and (node["op"] in (CONTAINS, CONTAINS_NOT) or node["field"].startswith("attribute.")):
        value = [fold(str(one)) for one in value]
    return {"field": node["field"], "op": node["op"], "value": value}


def tree_of(every: Sequence[Node], some: Sequence[Node] = (), none: Sequence[Node] = ()) -> dict[str, Any]:
    """The tree of a form's three groups: all of these, at least one of these, none of these."""
    parts: list[Node] = [*every]
    if some:
        parts.append({"any": [*some]})
    if none:
        parts.append({"not": {"any": [*none]}})
    return {"all": parts}


def groups_of(tree: Node) -> tuple[list[Node], list[Node], list[Node]] | None:
    """The three groups of a tree that a form can show; None for any other tree."""
    every: list[Node] = []
    some: list[Node] = []
    none: list[Node] = []
    for part in tree.get("all", [tree]):
        if "field" in part:
            every.append(part)
        elif "any" in part and not some and all("field" in one for one in part["any"]):
            some = list(part["any"])
        elif "not" in part and not none and all("field" in one for one in part["not"].get("any", [{}])):
            none = list(part["not"]["any"])
        else:
            return None
    return every, some, none


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


def _leaf_holds(operator: str, fact: Any, value: Any) -> bool:
    is_empty = fact is None or fact == ""
    if operator in (IS_EMPTY, IS_SET):
        return is_empty == (operator == IS_EMPTY)
    if operator in (IS, IS_NOT):
        return (fact in value) == (operator == IS)
    if operator in (CONTAINS, CONTAINS_NOT):
        return (not is_empty and any(word in fact for word in value)) == (operator == CONTAINS)
    if is_empty:
        return False
    return bool(fact >= value if operator == AT_LEAST else fact <= value)
