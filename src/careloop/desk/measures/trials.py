"""What came of a comparison: who was exposed, what was seen of them, and how surely the groups differ.

Facts are those that reports show, so that a figure here is the figure there. A case or customer counts once, with the case of the first
exposure, in the group that the hash said, whatever was then done.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Count
from numpy.typing import NDArray

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, Status
from careloop.desk.experiments.models import Arm, Comparison, Design, Exposure
from careloop.desk.measures.before_after import BeforeAfterResult, judge_window
from careloop.desk.measures.models import AnswerFact, CaseFact, Ledger
from careloop.desk.measures.trial_figures import FORMS, OutcomeResult, Rows, judge_outcome, put_right
from careloop.insight.stats import compare_with_plan

REPEAT_DAYS = 30
MISMATCH = 0.001  # a p-value below it says that assigning or noting went wrong
MOST_COLUMNS = 8  # channels and kinds held, the commonest


@dataclass(frozen=True)
class ArmCount:
    """A group with how many were exposed and how many were expected of all."""

    arm: Arm
    exposed: int
    expected: float


@dataclass(frozen=True)
class Trial:
    """All that a comparison's page, its file and the API show. The outcome that it is judged by comes first."""

    comparison: Comparison
    as_of: datetime | None
    arms: list[ArmCount]
    control: int
    mismatch_p: float | None
    outcomes: list[OutcomeResult] = field(default_factory=list)
    window: BeforeAfterResult | None = None

    @property
    def is_mismatched(self) -> bool:
        """Whether the groups are not as large as the hash makes them."""
        return self.mismatch_p is not None and self.mismatch_p < MISMATCH

    @property
    def counted(self) -> int:
        """How many tell something of the outcome by which it is judged; what was planned is of these."""
        return self.outcomes[0].counted if self.outcomes else 0

    @property
    def n(self) -> int:
        """How many were exposed."""
        return sum(one.exposed for one in self.arms)


@dataclass(frozen=True)
class _Seen:
    """One exposure: its group's place, case and customer."""

    arm: int
    case_id: int
    customer_id: int
    at: datetime


class _Fact(NamedTuple):
    """What is looked at of a case's fact."""

    case_id: int
    channel_id: int
    kind: str
    opened_second: int
    resolution_seconds: int | None
    response_seconds: int | None
    reopened: int


def judge_comparison(comparison: Comparison, viewer: Viewer, *, now: datetime) -> Trial:
    """Count everything anew from the facts as they are; five queries."""
    check_may(viewer, "comparison.view")
    ledger = Ledger.objects.filter(pk=1).first()
    as_of = ledger.shown_at if ledger is not None else None
    if comparison.design == Design.BEFORE_AFTER:
        return Trial(comparison, as_of, [], 0, None, window=judge_window(comparison, viewer, as_of=as_of))
    arms = list(comparison.arms.all())
    places = {arm.pk: place for place, arm in enumerate(arms)}
    exposures = Exposure.objects.filter(comparison=comparison)
    if viewer.team_ids is not None:
        exposures = exposures.filter(case__team_id__in=viewer.team_ids)
    seen = [
        _Seen(places[arm_id], case_id, customer_id, at)
        for arm_id, case_id, customer_id, at in exposures.order_by("at", "pk").values_list("arm_id", "case_id", "customer_id", "at")
    ]
    counts = Counter(one.arm for one in seen)
    listed = [ArmCount(arm, counts[place], arm.ratio * len(seen)) for place, arm in enumerate(arms)]
    mismatch = compare_with_plan([one.exposed for one in listed], [arm.ratio for arm in arms]).p if seen else None
    control = next((place for place, arm in enumerate(arms) if arm.subject_id is None), 0)
    order = [comparison.outcome, *(one for one in FORMS if one != comparison.outcome)]
    rows = _rows_by_outcome(exposures, seen, viewer, as_of, now)
    results = put_right([judge_outcome(one, rows[one], len(arms), control, comparison.planned) for one in order])
    return Trial(comparison, as_of, listed, control, mismatch, results)


def _rows_by_outcome(exposures: Any, seen: list[_Seen], viewer: Viewer, as_of: datetime | None, now: datetime) -> dict[str, Rows]:
    columns_of = ("case_id", "facets__channel_id", "facets__kind", *_Fact._fields[3:])
    known = CaseFact.objects.filter(case_id__in=exposures.values("case_id")).values_list(*columns_of)
    facts = {fact.case_id: fact for fact in map(_Fact._make, known)}
    asked = AnswerFact.objects.filter(case_id__in=exposures.values("case_id"), scale__in=("CSAT", "STARS"), hundredths__isnull=False)
    ratings: dict[int, int] = dict(asked.order_by("answered_on", "pk").values_list("case_id", "hundredths"))  # type: ignore[arg-type]
    later = _later_cases(exposures, viewer)
    shown, arms = int((as_of or now).timestamp()), np.array([one.arm for one in seen], dtype=np.int64)
    over = now - timedelta(days=REPEAT_DAYS)
    columns, names = _columns(facts, [one.case_id for one in seen])

    def rows(look: Callable[[_Seen, _Fact], tuple[float, bool] | None]) -> Rows:
        looked = [look(one, facts[one.case_id]) if one.case_id in facts else None for one in seen]
        known = np.array([value is not None for value in looked], dtype=bool)
        values = np.array([value for value in looked if value is not None], dtype=np.float64).reshape(-1, 2)
        return Rows(arms[known], values[:, 0], values[:, 1] > 0, columns[known], names)

    def repeated(one: _Seen, _fact: _Fact) -> tuple[float, bool] | None:
        if one.at > over:
            return None  # its 30 days are not over
        cases, until = later.get(one.customer_id, ()), one.at + timedelta(days=REPEAT_DAYS)
        return float(any(number != one.case_id and one.at < at <= until for number, at in cases)), True

    def span(seconds: int | None, opened: int) -> tuple[float, bool]:
        return (float(max(0, shown - opened)), False) if seconds is None else (float(seconds), True)

    return {
        "SATISFACTION": rows(lambda one, _fact: (ratings[one.case_id] / 100, True) if one.case_id in ratings else None),
        "REOPENED": rows(
            lambda _one, fact: (float(fact.reopened > 0), True) if fact.resolution_seconds is not None or fact.reopened else None
        ),
        "REPEAT": rows(repeated),
        "RESOLUTION": rows(lambda _one, fact: span(fact.resolution_seconds, fact.opened_second)),
        "RESPONSE": rows(
            lambda _one, fact: (
                (float(fact.resolution_seconds), False)
                if fact.response_seconds is None and fact.resolution_seconds is not None
                else span(fact.response_seconds, fact.opened_second)
            )
        ),
    }


def _later_cases(exposures: Any, viewer: Viewer) -> dict[int, list[tuple[int, datetime]]]:
    """Cases of exposed customers who have more than one, by customer."""
    cases = Case.objects.visible_to(viewer).filter(customer_id__in=exposures.values("customer_id")).exclude(status=Status.MERGED)
    several = cases.order_by().values("customer_id").annotate(n=Count("pk")).filter(n__gt=1).values("customer_id")
    cases = Case.objects.visible_to(viewer).filter(customer_id__in=several).exclude(status=Status.MERGED)
    found: dict[int, list[tuple[int, datetime]]] = defaultdict(list)
    for customer_id, number, at in cases.values_list("customer_id", "pk", "opened_at"):
        found[customer_id].append((number, at))
    return found


def _columns(facts: dict[int, _Fact], case_ids: list[int]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """A row for each exposure: 1 for its channel and its kind; the commonest of them, as what is rare cannot be held."""
    sorts = [(facts[number].channel_id, facts[number].kind) if number in facts else (0, "") for number in case_ids]
    marks = {one: (f"channel {one[0]}", f"kind {one[1]}") for one in set(sorts)}
    common: Counter[str] = Counter()
    for one, n in Counter(sorts).items():
        common.update(dict.fromkeys(marks[one], n))
    names = tuple(name for name, _n in common.most_common(MOST_COLUMNS))
    rows = {one: [float(name in both) for name in names] for one, both in marks.items()}
    return np.array([rows[one] for one in sorts], dtype=np.float64).reshape(len(sorts), len(names)), names
