"""A flow: states, steps between them, and the fields that they ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from careloop.desk.flows.rules.money import minor_in

OPEN, WAITING, RESOLVED = "OPEN", "WAITING", "RESOLVED"
STATUSES = (OPEN, WAITING, RESOLVED)
ROLES = ("AGENT", "SUPERVISOR", "OWNER")
APPROVING = ("SUPERVISOR", "OWNER")
TEXT, NUMBER, MONEY, DATE, CHOICE, YES_NO = "text", "number", "money", "date", "choice", "yes_no"
TYPES = (TEXT, NUMBER, MONEY, DATE, CHOICE, YES_NO)
NOTIFY_ASSIGNEE, NOTIFY_SUPERVISORS, RAISE_PRIORITY, UNASSIGN = "NOTIFY_ASSIGNEE", "NOTIFY_SUPERVISORS", "RAISE_PRIORITY", "UNASSIGN"
CONSEQUENCES = (NOTIFY_ASSIGNEE, NOTIFY_SUPERVISORS, RAISE_PRIORITY, UNASSIGN)

Names = Mapping[str, str]  # by language, "en" and "zh"


def department_to_json(department: Names) -> str | dict[str, str]:
    """A department as flows and events keep it: one text where both languages call it the same, else both."""
    names = {language: name for language, name in department.items() if name}
    return next(iter(names.values()), "") if len(set(names.values())) < 2 else names


def department_in(stored: str | Names, language: str) -> str:
    """What `department_to_json` gave, in a language."""
    return stored if isinstance(stored, str) else name_in(stored, language)


@dataclass(frozen=True)
class State:
    """Where a case can stand; `status` is what the case's status becomes there."""

    code: str
    name: Names
    status: str
    is_start: bool = False
    is_end: bool = False


@dataclass(frozen=True)
class Task:
    """Work for a department that a step brings with it, due some days later."""

    name: Names
    department: Names
    days: int


@dataclass(frozen=True)
class Approval:
    """Who must agree to a step: `people` of `roles`, none of them the one who asks. Without `field` always, else where it is `above`."""

    field: str
    above: int  # money: in the smallest unit of the currency
    roles: tuple[str, ...]
    people: int
    currency: str = ""  # of `above`; "" for numbers, and in flows that were made before limits had one

    def is_needed(self, values: Mapping[str, Any]) -> bool:
        """Whether these field values need it; an amount that is not known yet, or is of another currency, does."""
        amount = minor_in(values.get(self.field), self.currency) if self.field else None
        return amount is None or amount > self.above


@dataclass(frozen=True)
class Transition:
    """A step from one state to another; no `roles`: everybody who works on cases may take it."""

    code: str
    name: Names
    source: str
    target: str
    roles: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    tasks: tuple[Task, ...] = ()
    approval: Approval | None = None
    then: tuple[str, ...] = ()


@dataclass(frozen=True)
class Field:
    """A fact that people enter; `choices` are codes with names, for type choice alone; `currency` is what money is in unless said."""

    code: str
    name: Names
    type: str
    choices: tuple[tuple[str, Names], ...] = ()
    currency: str = ""


@dataclass(frozen=True)
class Flow:
    """States, steps and fields in the order in which they are shown."""

    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    fields: tuple[Field, ...] = ()

    @property
    def start(self) -> State:
        """Where a case begins."""
        return next(state for state in self.states if state.is_start)

    def find_state(self, code: str) -> State | None:
        """The state of this code."""
        return next((state for state in self.states if state.code == code), None)

    def find_field(self, code: str) -> Field | None:
        """The field of this code."""
        return next((field for field in self.fields if field.code == code), None)

    def find_transition(self, code: str) -> Transition | None:
        """The step of this code."""
        return next((step for step in self.transitions if step.code == code), None)

    def steps_from(self, state: str) -> list[Transition]:
        """The steps that begin at a state, in their order."""
        return [step for step in self.transitions if step.source == state]


def name_in(name: Names, language: str) -> str:
    """A name in a language ("zh-hans" or "en"), else in the other one."""
    wanted, other = ("zh", "en") if language.startswith("zh") else ("en", "zh")
    return name.get(wanted) or name.get(other) or ""
