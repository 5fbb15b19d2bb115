"""Flows to and from JSON; what is malformed is said, nothing is guessed or left out."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from careloop.desk.flows.rules.flow import Approval, Field, Flow, Names, State, Task, Transition, department_to_json
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence

CODE = re.compile(r"[A-Z][A-Z0-9_]{0,29}")
LANGUAGES = ("en", "zh")
LONGEST_NAME = 60
MOST = {"states": 40, "transitions": 120, "fields": 40, "choices": 40, "tasks": 10}


class InvalidFlow(InvalidInput):
    """A flow that makes no sense; `faults` are all the sentences, the message is the first."""

    def __init__(self, faults: list[Sentence]) -> None:
        super().__init__(faults[0], field="definition")
        self.faults = faults


def read_flow(raw: Any) -> Flow:
    """The flow of its JSON; InvalidFlow when a part is missing, unknown or of the wrong type."""
    reader = _Reader()
    flow = reader.flow(raw)
    if reader.faults:
        raise InvalidFlow(reader.faults)
    return flow


def flow_to_json(flow: Flow) -> dict[str, Any]:
    """What `read_flow` reads."""
    return {
        "states": [
            {"code": one.code, "name": dict(one.name), "status": one.status, "is_start": one.is_start, "is_end": one.is_end}
            for one in flow.states
        ],
        "transitions": [_step_to_json(one) for one in flow.transitions],
        "fields": [
            {"code": one.code, "name": dict(one.name), "type": one.type}
            | ({"choices": [{"code": code, "name": dict(name)} for code, name in one.choices]} if one.choices else {})
            | ({"currency": one.currency} if one.currency else {})
            for one in flow.fields
        ],
    }


def _step_to_json(step: Transition) -> dict[str, Any]:
    approval = step.approval
    return {
        "code": step.code,
        "name": dict(step.name),
        "from": step.source,
        "to": step.target,
        "roles": list(step.roles),
        "required": list(step.required),
        "tasks": [{"name": dict(one.name), "department": department_to_json(one.department), "days": one.days} for one in step.tasks],
        "approval": None
        if approval is None
        else {"field": approval.field, "above": approval.above, "roles": list(approval.roles), "people": approval.people}
        | ({"currency": approval.currency} if approval.currency else {}),
        "then": [{"what": what} for what in step.then],
    }


class _Reader:
    """Reads parts and keeps what is wrong with them; a wrong part counts as blank, so that the rest is read too."""

    def __init__(self) -> None:
        self.faults: list[Sentence] = []

    def flow(self, raw: Any) -> Flow:
        parts = self.parts(raw, "the flow", {"states", "transitions", "fields"})
        return Flow(
            tuple(self.state(one, number) for number, one in self.rows(parts, "states", "the flow")),
            tuple(self.transition(one, number) for number, one in self.rows(parts, "transitions", "the flow")),
            tuple(self.field(one, number) for number, one in self.rows(parts, "fields", "the flow")),
        )

    def state(self, raw: Any, number: int) -> State:
        where = f"states[{number}]"
        parts = self.parts(raw, where, {"code", "name", "status", "is_start", "is_end"})
        flags = self.flag(parts, "is_start", where), self.flag(parts, "is_end", where)
        return State(self.code(parts, where), self.names(parts, where), self.text(parts, "status", where), *flags)

    def transition(self, raw: Any, number: int) -> Transition:
        where = f"transitions[{number}]"
        parts = self.parts(raw, where, {"code", "name", "from", "to", "roles", "required", "tasks", "approval", "then"})
        then = [self.parts(one, f"{where}.then[{place}]", {"what"}) for place, one in self.rows(parts, "then", where)]
        return Transition(
            self.code(parts, where),
            self.names(parts, where),
            self.text(parts, "from", where),
            self.text(parts, "to", where),
            self.texts(parts, "roles", where),
            self.texts(parts, "required", where),
            tuple(self.task(one, f"{where}.tasks[{place}]") for place, one in self.rows(parts, "tasks", where)),
            None if parts.get("approval") is None else self.approval(parts["approval"], f"{where}.approval"),
            tuple(self.text(one, "what", where) for one in then),
        )

    def task(self, raw: Any, where: str) -> Task:
        parts = self.parts(raw, where, {"name", "department", "days"})
        return Task(self.names(parts, where), self.department(parts, where), self.whole(parts, "days", where))

    def approval(self, raw: Any, where: str) -> Approval:
        parts = self.parts(raw, where, {"field", "above", "roles", "people", "currency"})
        amounts = self.whole(parts, "above", where, 0), self.whole(parts, "people", where, 1)
        texts = self.text(parts, "field", where, ""), self.text(parts, "currency", where, "")
        return Approval(texts[0], amounts[0], self.texts(parts, "roles", where), amounts[1], texts[1])

    def field(self, raw: Any, number: int) -> Field:
        where = f"fields[{number}]"
        parts = self.parts(raw, where, {"code", "name", "type", "choices", "currency"})
        choices = []
        for place, one in self.rows(parts, "choices", where):
            here = f"{where}.choices[{place}]"
            inner = self.parts(one, here, {"code", "name"})
            choices.append((self.code(inner, here), self.names(inner, here)))
        texts = self.text(parts, "type", where), self.text(parts, "currency", where, "")
        return Field(self.code(parts, where), self.names(parts, where), texts[0], tuple(choices), texts[1])

    def parts(self, raw: Any, where: str, known: Collection[str]) -> Mapping[str, Any]:
        if not isinstance(raw, Mapping):
            self.faults.append(Sentence("{where} is {given}; expected an object in braces.", where=where, given=_short(raw)))
            return {}
        for name in sorted(set(raw) - set(known)):
            expected = ", ".join(sorted(known))
            self.faults.append(
                Sentence("{where} has the unknown part “{name}”; expected {expected}.", where=where, name=name, expected=expected)
            )
        return raw

    def rows(self, parts: Mapping[str, Any], name: str, where: str) -> Iterable[tuple[int, Any]]:
        given = parts.get(name, [])
        if not isinstance(given, list):
            self.wrong(where, name, given, "a list")
            return []
        if len(given) > MOST.get(name, 40):
            most = MOST.get(name, 40)
            self.faults.append(
                Sentence("{where} has {count} {name}; at most {most} fit.", where=where, count=len(given), name=name, most=most)
            )
            return []
        return list(enumerate(given))

    def code(self, parts: Mapping[str, Any], where: str) -> str:
        given = parts.get("code")
        if not isinstance(given, str) or not CODE.fullmatch(given):
            self.faults.append(
                Sentence(
                    "{where} has the code {given}; expected up to 30 of A–Z, 0–9 and _, a letter first.", where=where, given=_short(given)
                )
            )
            return ""
        return given

    def names(self, parts: Mapping[str, Any], where: str) -> Names:
        given = parts.get("name")
        if not isinstance(given, Mapping) or not all(isinstance(one, str) for one in given.values()) or set(given) - set(LANGUAGES):
            self.wrong(where, "name", given, '{"en": "…", "zh": "…"}')
            return {}
        names = {language: " ".join(given.get(language, "").split()) for language in LANGUAGES}
        if not any(names.values()):
            self.faults.append(Sentence("{where} has no name; give it one in English or Chinese.", where=where))
        if any(len(one) > LONGEST_NAME for one in names.values()):
            self.faults.append(Sentence("{where} has a name of more than {most} characters; shorten it.", where=where, most=LONGEST_NAME))
        return names

    def department(self, parts: Mapping[str, Any], where: str) -> Names:
        given = parts.get("department")
        named = {"en": given} if isinstance(given, str) else given
        if not isinstance(named, Mapping) or not all(isinstance(one, str) for one in named.values()) or set(named) - set(LANGUAGES):
            self.wrong(where, "department", given, 'a text or {"en": "…", "zh": "…"}')
            return {}
        return {language: " ".join(named.get(language, "").split()) for language in LANGUAGES}

    def text(self, parts: Mapping[str, Any], name: str, where: str, default: str | None = None) -> str:
        given = parts.get(name, default)
        if not isinstance(given, str):
            self.wrong(where, name, given, "a text")
            return ""
        return given.strip()

    def texts(self, parts: Mapping[str, Any], name: str, where: str) -> tuple[str, ...]:
        given = parts.get(name, [])
        if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
            self.wrong(where, name, given, "a list of texts")
            return ()
        return tuple(given)

    def whole(self, parts: Mapping[str, Any], name: str, where: str, default: int | None = None) -> int:
        given = parts.get(name, default)
        if not isinstance(given, int) or isinstance(given, bool):
            self.wrong(where, name, given, "a whole number")
            return 1
        return given

    def flag(self, parts: Mapping[str, Any], name: str, where: str) -> bool:
        given = parts.get(name, False)
        if not isinstance(given, bool):
            self.wrong(where, name, given, "true or false")
        return given is True

    def wrong(self, where: str, name: str, given: Any, expected: str) -> None:
        where = f"{where}.{name}"
        self.faults.append(Sentence("{where} is {given}; expected {expected}.", where=where, given=_short(given), expected=expected))


def _short(given: Any) -> str:
    said = repr(given)
    return "missing" if given is None else said if len(said) <= 40 else said[:39] + "…"
