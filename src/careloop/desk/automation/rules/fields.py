"""The words that a rule may use: events, facts of a case with their operators, actions with what they cause."""

from dataclasses import dataclass, field
from typing import Any

TIME = "TIME"
EVENTS = (
    "OPENED", "RECEIVED", "REPLIED", "NOTED", "ASSIGNED", "PRIORITY", "STATUS", "TRIAGED", "CORRECTED", "DELIVERY", "ESCALATED", "MOVED",
    "APPROVAL", "ROUTED", "MERGED", "SPLIT", "LINKED", "UNDONE", "TASK", "TAGGED", "FIELD", "SNOOZED", "RETRACTED", "SURVEY",
)  # fmt: skip

CHOICE, RANK, NUMBER, TEXT, ATTRIBUTE = "choice", "rank", "number", "text", "attribute"
IS, IS_NOT, IS_EMPTY, IS_SET = "is", "is_not", "is_empty", "is_set"
AT_LEAST, AT_MOST, CONTAINS, CONTAINS_NOT = "at_least", "at_most", "contains", "contains_not"
FIELDS = {
    "kind": CHOICE,
    "priority": RANK,
    "status": CHOICE,
    "category": CHOICE,
    "channel": CHOICE,
    "team": CHOICE,
    "assignee": CHOICE,
    "language": CHOICE,
    "happiness": NUMBER,  # probability of being positive, 0–1
    "subject": TEXT,
    "text": TEXT,  # of the event's message, else of the customer's newest
    "hours_since_customer": NUMBER,
    "hours_since_opened": NUMBER,
    "hours_overdue": NUMBER,
}
TIMES = ("hours_since_customer", "hours_since_opened", "hours_overdue")
NUMBERED = ("priority", "channel", "team", "assignee")  # codes are whole numbers
ATTRIBUTES = "attribute."  # followed by the name in the customer's record
OPERATORS = {
    CHOICE: (IS, IS_NOT, IS_EMPTY, IS_SET),
    RANK: (IS, IS_NOT, AT_LEAST, AT_MOST),
    NUMBER: (AT_LEAST, AT_MOST),
    TEXT: (CONTAINS, CONTAINS_NOT),
    ATTRIBUTE: (IS, IS_NOT, CONTAINS, CONTAINS_NOT, IS_EMPTY, IS_SET),
}
EVERY_OPERATOR = (IS, IS_NOT, CONTAINS, CONTAINS_NOT, AT_LEAST, AT_MOST, IS_EMPTY, IS_SET)
WITHOUT_VALUE = (IS_EMPTY, IS_SET)

SET_PRIORITY, SET_STATUS, SET_CATEGORY, ASSIGN = "SET_PRIORITY", "SET_STATUS", "SET_CATEGORY", "ASSIGN"
ADD_NOTE, REPLY, NOTIFY, NOTIFY_SUPERVISORS = "ADD_NOTE", "REPLY", "NOTIFY", "NOTIFY_SUPERVISORS"
NOTHING, WHOLE, CODE, WORDS, PERSON, PEOPLE = "nothing", "whole number", "code", "words", "person", "people"


@dataclass(frozen=True)
class ActionKind:
    """What an action takes, which events it makes, and which fact of the case its value decides."""

    takes: str
    makes: tuple[str, ...] = ()
    decides: str = ""
    allowed: tuple[Any, ...] = ()


# A new action has a line here and its performer in automation/performing.py.
ACTIONS = {
    SET_PRIORITY: ActionKind(WHOLE, ("PRIORITY",), "priority", allowed=(10, 20, 30, 40)),
    SET_STATUS: ActionKind(CODE, ("STATUS",), "status", allowed=("OPEN", "WAITING", "RESOLVED")),
    SET_CATEGORY: ActionKind(CODE, ("CORRECTED",), "category"),
    ASSIGN: ActionKind(PERSON, ("ASSIGNED",), "assignee"),
    ADD_NOTE: ActionKind(WORDS, ("NOTED",)),
    REPLY: ActionKind(WHOLE, ("REPLIED", "DELIVERY")),  # the case stays as it is: a machine's word is not our answer
    NOTIFY: ActionKind(PEOPLE),
    NOTIFY_SUPERVISORS: ActionKind(NOTHING),
}
OF_MACROS = tuple(code for code in ACTIONS if code != REPLY)  # the agent sends the text


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
    if name.startswith(ATTRIBUTES) and len(name) > len(ATTRIBUTES):
        return ATTRIBUTE
    return FIELDS.get(name, "")
