"""Whether a flow makes sense: every case gets from the start to an end, and somebody may take each step."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from careloop.desk.flows.rules.flow import (
    APPROVING,
    CHOICE,
    CONSEQUENCES,
    MONEY,
    NUMBER,
    OPEN,
    RESOLVED,
    ROLES,
    STATUSES,
    TYPES,
    Approval,
    Field,
    Flow,
    Transition,
)
from careloop.desk.flows.rules.money import is_currency
from careloop.desk.flows.rules.reading import InvalidFlow, read_flow
from careloop.desk.kernel.sentences import Sentence

MOST_PEOPLE = 5
MOST_DAYS = 365


def check_flow(raw: Any, people: Mapping[str, int] | None = None) -> Flow:
    """Return the flow of its JSON; InvalidFlow with every fault. `people`: how many active people have each role, if that is known."""
    flow = read_flow(raw)
    faults = list(find_faults(flow, people))
    if faults:
        raise InvalidFlow(faults)
    return flow


def find_faults(flow: Flow, people: Mapping[str, int] | None = None) -> Iterator[Sentence]:
    """What is wrong with a flow; nothing when it makes sense."""
    yield from _codes(flow)
    yield from _states(flow)
    for step in flow.transitions:
        yield from _step(flow, step)
        if step.approval is not None:
            yield from _approval(flow, step, step.approval, people)
    for one in flow.fields:
        yield from _field(one)
    yield from _paths(flow)


def reachable(flow: Flow, begin: Iterable[str], *, backwards: bool = False) -> set[str]:
    """The codes of the states that steps lead to from these ones (backwards: that lead to them), themselves included."""
    found, waiting = set(begin), list(begin)
    while waiting:
        here = waiting.pop()
        for step in flow.transitions:
            near, far = (step.target, step.source) if backwards else (step.source, step.target)
            if near == here and far not in found:
                found.add(far)
                waiting.append(far)
    return found


def _codes(flow: Flow) -> Iterator[Sentence]:
    for code in _twice(state.code for state in flow.states):
        yield Sentence("Two states have the code “{code}”; give each its own.", code=code)
    for code in _twice(step.code for step in flow.transitions):
        yield Sentence("Two steps have the code “{code}”; give each its own.", code=code)
    for code in _twice(field.code for field in flow.fields):
        yield Sentence("Two fields have the code “{code}”; give each its own.", code=code)


def _twice(codes: Iterable[str]) -> list[str]:
    return [code for code, count in Counter(codes).items() if count > 1]


def _states(flow: Flow) -> Iterator[Sentence]:
    starts = [state for state in flow.states if state.is_start]
    if not starts:
        yield Sentence("The flow has no start state; mark the one in which a case begins.")
    if len(starts) > 1:
        yield Sentence("The flow has {count} start states ({states}); mark exactly one.", count=len(starts), states=_list(starts))
    if not any(state.is_end for state in flow.states):
        yield Sentence("The flow has no end state, so its cases could never be closed; mark at least one.")
    for state in flow.states:
        if state.status not in STATUSES:
            expected = ", ".join(STATUSES)
            yield Sentence(
                "The state “{state}” has the status “{given}”; expected {expected}.",
                state=state.code,
                given=state.status,
                expected=expected,
            )
        elif state.is_start and state.is_end:
            yield Sentence("“{state}” is the start and an end at once; a flow needs a step between them.", state=state.code)
        elif state.is_end and state.status != RESOLVED:
            yield Sentence("The end “{state}” has the status {given}; in an end a case is RESOLVED.", state=state.code, given=state.status)
        elif not state.is_end and state.status == RESOLVED:
            yield Sentence("“{state}” is RESOLVED but no end; mark it as an end or let it be OPEN or WAITING.", state=state.code)
        elif state.is_start and state.status != OPEN:
            yield Sentence(
                "The start “{state}” has the status {given}; a case that comes in is OPEN.", state=state.code, given=state.status
            )


def _step(flow: Flow, step: Transition) -> Iterator[Sentence]:
    if flow.find_state(step.source) is None:
        yield Sentence("The step “{step}” begins at “{state}”, which is no state of this flow.", step=step.code, state=step.source)
    if flow.find_state(step.target) is None:
        yield Sentence("The step “{step}” leads to “{state}”, which is no state of this flow.", step=step.code, state=step.target)
    for code in step.required:
        if flow.find_field(code) is None:
            yield Sentence("The step “{step}” requires “{field}”, which is no field of this flow.", step=step.code, field=code)
    for role in step.roles:
        if role not in ROLES:
            expected = ", ".join(ROLES)
            yield Sentence("The step “{step}” names the role “{role}”; expected {expected}.", step=step.code, role=role, expected=expected)
    for what in step.then:
        if what not in CONSEQUENCES:
            expected = ", ".join(CONSEQUENCES)
            yield Sentence(
                "After the step “{step}” shall follow “{what}”; expected {expected}.", step=step.code, what=what, expected=expected
            )
    for task in step.tasks:
        if not any(task.department.values()):
            yield Sentence("A task of the step “{step}” names no department.", step=step.code)
        if not 0 <= task.days <= MOST_DAYS:
            yield Sentence(
                "A task of the step “{step}” is due after {days} days; expected 0 to {most}.",
                step=step.code,
                days=task.days,
                most=MOST_DAYS,
            )


def _approval(flow: Flow, step: Transition, asked: Approval, people: Mapping[str, int] | None) -> Iterator[Sentence]:
    field = flow.find_field(asked.field) if asked.field else None
    if asked.field and field is None:
        yield Sentence("The approval of “{step}” looks at “{field}”, which is no field of this flow.", step=step.code, field=asked.field)
    elif field is not None and field.type not in (NUMBER, MONEY):
        yield Sentence(
            "The approval of “{step}” looks at “{field}”, which is no amount; choose a number or money.", step=step.code, field=field.code
        )
    elif asked.currency != (field.currency if field is not None else ""):
        yield Sentence(
            "The limit of “{step}” is in {given}, amounts of “{field}” are in {expected}; give both the same currency.",
            step=step.code,
            given=asked.currency or "–",
            field=asked.field or "–",
            expected=(field.currency if field is not None else "") or "–",
        )
    if asked.above < 0:
        yield Sentence("The approval of “{step}” has a limit of {above}; expected 0 or more.", step=step.code, above=asked.above)
    if not asked.roles:
        yield Sentence("The approval of “{step}” names nobody; choose supervisors, owners or both.", step=step.code)
    for role in asked.roles:
        if role not in APPROVING:
            yield Sentence("The approval of “{step}” names the role “{role}”, which may not approve.", step=step.code, role=role)
    if not 1 <= asked.people <= MOST_PEOPLE:
        yield Sentence(
            "The approval of “{step}” asks {people} people; expected 1 to {most}.", step=step.code, people=asked.people, most=MOST_PEOPLE
        )
    elif people is not None:
        able = sum(people.get(role, 0) for role in set(asked.roles) & set(APPROVING))
        if asked.roles and able < asked.people:
            yield Sentence(
                "The approval of “{step}” asks {people} people, but {able} may give it; ask fewer or more roles.",
                step=step.code,
                people=asked.people,
                able=able,
            )


def _field(one: Field) -> Iterator[Sentence]:
    if one.type not in TYPES:
        expected = ", ".join(TYPES)
        yield Sentence(
            "The field “{field}” is of the type “{given}”; expected {expected}.", field=one.code, given=one.type, expected=expected
        )
    if one.type == CHOICE and not one.choices:
        yield Sentence("The field “{field}” offers nothing to choose; give it choices.", field=one.code)
    if one.type != CHOICE and one.choices:
        yield Sentence("The field “{field}” has choices but is of the type {given}; make it a choice.", field=one.code, given=one.type)
    if one.currency and one.type != MONEY:
        yield Sentence("The field “{field}” has a currency but is of the type {given}; make it money.", field=one.code, given=one.type)
    elif one.currency and not is_currency(one.currency):
        yield Sentence("The field “{field}” is in “{given}”; expected a currency such as CNY or EUR.", field=one.code, given=one.currency)
    for code in _twice(code for code, _name in one.choices):
        yield Sentence("Two choices of the field “{field}” have the code “{code}”; give each its own.", field=one.code, code=code)


def _paths(flow: Flow) -> Iterator[Sentence]:
    starts = [state.code for state in flow.states if state.is_start]
    ends = [state.code for state in flow.states if state.is_end]
    there = reachable(flow, starts)
    closing = reachable(flow, ends, backwards=True)
    for state in flow.states:
        if starts and state.code not in there:
            yield Sentence("No step leads from the start to “{state}”; add one, or remove the state.", state=state.code)
        if ends and state.code not in closing:
            yield Sentence("From “{state}” no end can be reached; add a step that leads towards one.", state=state.code)


def _list(states: Iterable[Any]) -> str:
    return ", ".join(state.code for state in states)
