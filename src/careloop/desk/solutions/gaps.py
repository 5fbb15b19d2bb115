"""Needs that come often and have no solution: counted by category, from cases that nobody and nothing answered with one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case, ScopedQuerySet, Status
from careloop.desk.solutions.models import Solution, SolutionStatus, SolutionUse, Suggested
from careloop.desk.solutions.rules.using import SHOWN

DAYS = 90
SHOWN_GAPS = 30
FEWEST = 3  # cases; fewer are no frequent need


@dataclass(frozen=True)
class Gap:
    """A category's cases of the last 90 days, how many had no solution, and whether the library has one for it."""

    category: str
    n_cases: int
    n_without: int
    n_solutions: int

    @property
    def without_ratio(self) -> float:
        """The share without a solution, 0–1."""
        return self.n_without / self.n_cases


def list_gaps(viewer: Viewer, now: datetime) -> list[Gap]:
    """The categories whose cases most often had neither a solution that was used nor one suggested with confidence (four queries)."""
    cases = Case.objects.visible_to(viewer).filter(opened_at__gte=now - timedelta(days=DAYS)).exclude(category="")
    cases = cases.exclude(status=Status.MERGED).order_by()
    all_of = _count(cases)
    used = SolutionUse.objects.exclude(how=SHOWN).values("case_id")
    without = _count(cases.exclude(pk__in=used).exclude(pk__in=Suggested.objects.filter(is_sure=True).values("case_id")))
    written: dict[str, int] = {}
    for codes in Solution.objects.visible_to(viewer).filter(status=SolutionStatus.PUBLISHED).values_list("categories", flat=True):
        for code in codes:
            written[code] = written.get(code, 0) + 1
    gaps = [Gap(code, n, without.get(code, 0), written.get(code, 0)) for code, n in all_of.items()]
    frequent = [gap for gap in gaps if gap.n_without >= FEWEST]
    return sorted(frequent, key=lambda gap: (-gap.n_without, gap.category))[:SHOWN_GAPS]


def _count(cases: ScopedQuerySet) -> dict[str, int]:
    return {row["category"]: row["n"] for row in cases.values("category").annotate(n=Count("pk"))}
