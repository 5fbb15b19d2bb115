"""Who may get a case, what it is worth that they do, and why: plain Python; the choice for all of them is `assignment.assign`."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log1p
from typing import Any

import numpy as np

from careloop.desk.routing.rules.assignment import NEVER, NOBODY, Assignment, Doubles, assign

MOST_LEVEL = 3
GENERALIST = 1  # the level of somebody for whom no skill was entered
MOST_CAPACITY = 200
SKILL_WORTH, LANGUAGE_WORTH, KNOWS_WORTH = 0.5, 0.3, 0.6
LOAD_COST = 0.9  # of the last place; below 1, the least that a pair is worth: whoever has room and may, gets the case
ALTERNATIVES = 3
SAME_CASE, SAME_CUSTOMER = "CASE", "CUSTOMER"
REFUSALS = ("TEAM", "AWAY", "HOURS", "FULL", "LANGUAGE", "SKILL")

Part = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Somebody who answers; an empty table of skills or languages restricts nothing, in one that is not empty what is missing is 0."""

    user_id: int
    name: str
    team_ids: frozenset[int]
    capacity: int
    open_cases: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    languages: Mapping[str, int] = field(default_factory=dict)
    is_available: bool = True
    is_in_hours: bool = True

    @property
    def room(self) -> int:
        """How many more cases fit."""
        return max(self.capacity - self.open_cases, 0)


@dataclass(frozen=True)
class WaitingCase:
    """A case that nobody has; `score` is its cost of delay, `known_to` says who answered in it or whom its customer knows."""

    case_id: int
    team_id: int
    kind: str = ""
    category: str = ""
    language: str = ""
    score: float = 1.0
    known_to: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Choice:
    """Who gets a case, with the reason in parts, what it is worth, and the next best."""

    case: WaitingCase
    person: Person
    value: float
    parts: list[Part]
    alternatives: list[dict[str, Any]]


def language_of(stated: str, text: str) -> str:
    """zh, en or "" (any): what the customer's record says, else the script of the text."""
    code = stated.strip().lower()[:2]
    if code in {"zh", "en"}:
        return code
    han = sum("\u4e00" <= letter <= "\u9fff" for letter in text)
    latin = sum(letter.isascii() and letter.isalpha() for letter in text)
    if not han and not latin:
        return ""
    return "zh" if han * 4 >= latin else "en"


def level_for(case: WaitingCase, person: Person) -> int:
    """The person's skill for the case, 0–3: of its category if that was entered, else of its kind; unread cases need none."""
    if not person.skills or not case.kind:
        return GENERALIST
    of_category = person.skills.get(f"category:{case.category}") if case.category else None
    return person.skills.get(case.kind, 0) if of_category is None else of_category


def language_level(case: WaitingCase, person: Person) -> int:
    """How well the person writes the case's language, 0–3."""
    return MOST_LEVEL if not person.languages or not case.language else person.languages.get(case.language, 0)


def refusal(case: WaitingCase, person: Person) -> str:
    """Why this person must not get this case (one of REFUSALS), or ""."""
    checks = (
        case.team_id in person.team_ids,
        person.is_available,
        person.is_in_hours,
        person.room > 0,
        language_level(case, person) > 0,
        level_for(case, person) > 0,
    )
    return next((why for why, is_right in zip(REFUSALS, checks, strict=True) if not is_right), "")


def benefit(case: WaitingCase, person: Person, *, is_sticky: bool = True) -> float:
    """What it is worth that this person takes this case (at least 1), -inf where it must not be."""
    knows = KNOWS_WORTH if is_sticky and person.user_id in case.known_to else 0.0
    return (_fit(case, person) + knows) * (1 + log1p(max(case.score, 0.0)))


def list_benefits(cases: Sequence[WaitingCase], people: Sequence[Person], *, is_sticky: bool = True) -> Doubles:
    """`benefit` of every pair, shape (n_cases, n_people): what people can do is looked up once for all cases that need the same."""
    places: dict[tuple[str, ...], int] = {}
    needs = [(str(case.team_id), case.kind, case.category, case.language) for case in cases]
    for need in needs:
        places.setdefault(need, len(places))
    examples = list({need: case for case, need in zip(cases, needs, strict=True)}.values())
    fits = np.array([[_fit(case, person) for person in people] for case in examples], dtype=np.float64).reshape(len(examples), len(people))
    table = fits[[places[need] for need in needs]] if cases else np.zeros((0, len(people)))
    columns = {person.user_id: column for column, person in enumerate(people)}
    if is_sticky:
        for row, case in enumerate(cases):
            for user_id in case.known_to.keys() & columns.keys():
                table[row, columns[user_id]] += KNOWS_WORTH
    return np.asarray(table * (1 + np.log1p(np.maximum([[case.score] for case in cases], 0.0))) if cases else table)


def place_costs(person: Person) -> Doubles:
    """The ascending cost of each free place: the square of how full the person then is."""
    taken = np.arange(person.open_cases + 1, person.open_cases + person.room + 1)
    return np.asarray(LOAD_COST * (taken / max(person.capacity, 1)) ** 2, dtype=np.float64)


def explain(case: WaitingCase, person: Person, *, open_cases: int, is_sticky: bool = True) -> list[Part]:
    """Why this person, in parts (“speaks Chinese, refund 3 of 3, 4 of 10 cases, knew the customer”)."""
    parts: list[Part] = []
    if case.language and person.languages:
        parts.append({"what": "LANGUAGE", "language": case.language, "level": language_level(case, person)})
    if person.skills and case.kind:
        of_category = bool(case.category) and f"category:{case.category}" in person.skills
        of = {"category": case.category} if of_category else {"kind": case.kind}
        parts.append({"what": "SKILL", **of, "level": level_for(case, person)})
    parts.append({"what": "LOAD", "open": open_cases, "capacity": person.capacity})
    if is_sticky and person.user_id in case.known_to:
        parts.append({"what": "KNOWS", "of": case.known_to[person.user_id]})
    return parts


def choose(cases: Sequence[WaitingCase], people: Sequence[Person], *, is_sticky: bool = True) -> tuple[list[Choice], Assignment]:
    """Who gets which case, in the order of the cases, and how good the whole is; cases for whom nobody may or has room are left out."""
    benefits = list_benefits(cases, people, is_sticky=is_sticky)
    found = assign(benefits, [place_costs(person) for person in people])
    carries = Counter({person.user_id: person.open_cases for person in people})
    best = np.argsort(-benefits, axis=1, kind="stable")[:, : ALTERNATIVES + 1].tolist()
    choices = []
    for row, case in enumerate(cases):
        chosen = int(found.person_of[row])
        if chosen == NOBODY:
            continue
        person = people[chosen]
        parts = explain(case, person, open_cases=carries[person.user_id], is_sticky=is_sticky)
        others = [place for place in best[row] if place != chosen and benefits[row, place] > NEVER][:ALTERNATIVES]
        alternatives = [_alternative(case, people[place], float(benefits[row, place]), is_sticky) for place in others[:ALTERNATIVES]]
        carries[person.user_id] += 1
        choices.append(Choice(case, person, float(benefits[row, chosen]), parts, alternatives))
    return choices, found


def _alternative(case: WaitingCase, person: Person, value: float, is_sticky: bool) -> dict[str, Any]:
    because = explain(case, person, open_cases=person.open_cases, is_sticky=is_sticky)
    return {"user_id": person.user_id, "name": person.name, "value": round(value, 3), "because": because}


def _fit(case: WaitingCase, person: Person) -> float:
    """How well skill and language fit, from 1; -inf where it must not be."""
    if refusal(case, person):
        return NEVER
    of_language = LANGUAGE_WORTH * language_level(case, person) / MOST_LEVEL if case.language else 0.0
    return 1 + SKILL_WORTH * level_for(case, person) / MOST_LEVEL + of_language
