"""Whether the facts are what the cases' rows tell: everything is counted anew and compared, nothing is written."""

from dataclasses import dataclass
from typing import Any

from careloop.desk.cases.models import Case
from careloop.desk.kernel.rows import find_rows, marks
from careloop.desk.measures.actions import CASES_AT_ONCE, columns_of, facets_by_number, house_zone, key_of, without_case
from careloop.desk.measures.counting import count_cases
from careloop.desk.measures.models import AnswerFact, CaseFact, WorkFact

FACTS: tuple[Any, ...] = (CaseFact, AnswerFact, WorkFact)


@dataclass(frozen=True)
class Check:
    """How many cases and facts were compared, and the numbers of the cases that differ."""

    cases: int
    facts: int
    different: list[int]


def find_differences() -> Check:
    """Compare the stored facts of all cases with new ones, part by part."""
    different: set[int] = set()
    cases = facts = last = 0
    combinations = facets_by_number()
    while numbers := list(Case.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CASES_AT_ONCE]):
        last, cases = numbers[-1], cases + len(numbers)
        fresh = {}
        for fact, combination in count_cases(numbers, house_zone()):
            fresh[type(fact), key_of(fact)] = (fact.case_id, {**columns_of(fact), "facets_id": combination})
        stored = {}
        for model in FACTS:
            for row in find_rows(model, f"case_id IN ({marks(numbers)})", numbers):
                stored[model, key_of(row)] = (row.case_id, {**columns_of(row), "facets_id": combinations[row.facets_id]})
        facts += len(stored)
        for key in fresh.keys() | stored.keys():
            mine, theirs = fresh.get(key), stored.get(key)
            if mine is None or theirs is None or mine[1] | {"known_from": None} != theirs[1] | {"known_from": None}:
                different.add((mine or theirs or (0, {}))[0])
    gone = CaseFact.objects.filter(without_case()).values_list("case_id", flat=True)
    return Check(cases, facts, sorted(different | set(gone)))
