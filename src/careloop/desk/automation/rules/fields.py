"""The words that a rule may use: events, facts of a case with their operators, what an action is (which there are: automation/registry)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from careloop.desk.kernel.sentences import Sentence

TIME = "TIME"
EVENTS = (
    "OPENED", "RECEIVED", "REPLIED", "NOTED", "ASSIGNED", "TEAM", "PRIORITY", "STATUS", "TRIAGED", "CORRECTED", "DELIVERY", "ESCALATED",
    "MOVED", "APPROVAL", "ROUTED", "MERGED", "SPLIT", "LINKED", "UNDONE", "TASK", "TAGGED", "FIELD", "SNOOZED", "RETRACTED", "SURVEY",
)  # fmt: skip

CHOICE, RANK, NUMBER, TEXT, ATTRIBUTE, WORDS_OF = "choice", "rank", "number", "text", "attribute", "words"
IS, IS_NOT, IS_EMPTY, IS_SET = "is", "is_not", "is_empty", "is_set"
AT_LEAST, AT_MOST, CONTAINS, CONTAINS_NOT, HAS, HAS_NOT = "at_least", "at_most", "contains", "contains_not", "has", "has_not"
FIELDS = {
    "kind": CHOICE,
    "priority": RANK,
    "status": CHOICE,
    "category": CHOICE,
    "category_probability": NUMBER,  # 0–1; 1 where a person decided
    "channel": CHOICE,
    "team": CHOICE,
    "assignee": CHOICE,
    "language": CHOICE,
    "sentiment": CHOICE,
    "happiness": NUMBER,  # probability of being positive, 0–1
    "subject": TEXT,
    "text": TEXT,  # of the event's message, else of the customer's newest
    "tags": WORDS_OF,
    "flow_state": CHOICE,  # number of the flow, a dot, code of the state
    "reopened": NUMBER,  # how often it was opened again
    "rating": NUMBER,  # the customer's newest, 1–5
    "company": TEXT,
    "hours_since_customer": NUMBER,
    "hours_waiting": NUMBER,  # since the first message that no person has answered
    "hours_since_opened": NUMBER,
    "hours_overdue": NUMBER,
}
TIMES = ("hours_since_customer", "hours_waiting", "hours_since_opened", "hours_overdue")
PROBABILITIES = ("happiness", "category_probability")
NUMBERED = ("priority", "channel", "team", "assignee")  # codes are whole numbers
ATTRIBUTES = "attribute."  # followed by the name in the customer's record
OWN = "field."  # followed by the code of a field that the house added
NAMED = (ATTRIBUTES, OWN)
OPERATORS = {
    CHOICE: (IS, IS_NOT, IS_EMPTY, IS_SET),
    RANK: (IS, IS_NOT, AT_LEAST, AT_MOST),
    NUMBER: (AT_LEAST, AT_MOST, IS_EMPTY, IS_SET),
    TEXT: (CONTAINS, CONTAINS_NOT, IS_EMPTY, IS_SET),
    ATTRIBUTE: (IS, IS_NOT, CONTAINS, CONTAINS_NOT, AT_LEAST, AT_MOST, IS_EMPTY, IS_SET),
    WORDS_OF: (HAS, HAS_NOT, IS_EMPTY, IS_SET),
}
WITHOUT_VALUE = (IS_EMPTY, IS_SET)

NOTHING, WHOLE, CODE, WORDS, PERSON, PEOPLE, HOURS = "nothing", "whole number", "code", "words", "person", "people", "hours"
MOST_HOURS = 24 * 365


@dataclass(frozen=True)
class Partly:
    """What is known of the tags of a case: some that it has, some that it has not."""

    has: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()

    def then(self, later: "Partly") -> "Partly":
        """What is known after more was put on and taken off."""
        return Partly((self.has - later.lacks) | later.has, (self.lacks - later.has) | later.lacks)


def leaves_nothing(_value: Any) -> Mapping[str, Any]:
    """Of an action that decides no fact."""
    return {}


def no_fault(_value: Any) -> Sentence | None:
    """Of an action that takes every value of its type."""
    return None


@dataclass(frozen=True, kw_only=True)
class ActionKind:
    """What an action takes, which events it makes itself and which may follow, and which facts of the case are known after it.

    Of the actions that decide the same, a rule has one. A quiet action makes no event when nothing of what it leaves differs.
    """

    takes: str
    makes: tuple[str, ...] = ()
    may_make: tuple[str, ...] = ()
    decides: str = ""
    leaves: Callable[[Any], Mapping[str, Any]] = leaves_nothing
    fault: Callable[[Any], Sentence | None] = no_fault
    allowed: tuple[Any, ...] = ()
    is_quiet: bool = False
    is_reply: bool = False
    is_for_macros: bool = True


Kinds = Mapping[str, ActionKind]


@dataclass(frozen=True)
class RuleFacts:
    """A rule as data: when one of the events happens, if the condition holds, then the actions, in the order of `position`."""

    name: str
    events: list[str]
    condition: dict[str, Any]
    actions: list[dict[str, Any]] = field(default_factory=list)
    position: int = 0
    is_active: bool = True
    stops: bool = False


def type_of(name: str) -> str:
    """The type of a fact; "" for one that no case has."""
    if any(name.startswith(one) and len(name) > len(one) for one in NAMED):
        return ATTRIBUTE
    return FIELDS.get(name, "")
