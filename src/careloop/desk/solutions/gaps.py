"""Needs that come often and have no solution: counted by category and by topic, from cases that nothing answered with one."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.topic_models import MessageTopic
from careloop.desk.analysis.topic_queries import find_live_run, name_of
from careloop.desk.cases.models import Case, ScopedQuerySet, Status
from careloop.desk.solutions.models import Solution, SolutionStatus, SolutionUse, Suggested
from careloop.desk.solutions.rules.using import SHOWN

DAYS = 90
SHOWN_GAPS = 30
SHOWN_TOPICS = 10
FEWEST = 3  # cases; fewer are no frequent need


@dataclass(frozen=True)
class TopicGap:
    """A topic's cases of the last 90 days, and how many had no solution."""

    topic_id: int
    name: str
    n_cases: int
    n_without: int


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
    cases = _recent(viewer, now).exclude(category="")
    all_of, without = _count(cases), _count(_without(cases))
    written: dict[str, int] = {}
    for codes in Solution.objects.visible_to(viewer).filter(status=SolutionStatus.PUBLISHED).values_list("categories", flat=True):
        for code in codes:
            written[code] = written.get(code, 0) + 1
    gaps = [Gap(code, n, without.get(code, 0), written.get(code, 0)) for code, n in all_of.items()]
    frequent = [gap for gap in gaps if gap.n_without >= FEWEST]
    return sorted(frequent, key=lambda gap: (-gap.n_without, gap.category))[:SHOWN_GAPS]


def list_topic_gaps(viewer: Viewer, now: datetime) -> list[TopicGap]:
    """The topics of the live run whose cases most often had no solution."""
    run = find_live_run()
    if run is None:
        return []
    cases = _recent(viewer, now)
    all_of, without = _count_topics(cases, run.pk), _count_topics(_without(cases), run.pk)
    ranked = sorted((topic for topic, n in without.items() if n >= FEWEST), key=lambda topic: (-without[topic], topic))
    return [TopicGap(topic, name_of(topic, viewer), all_of[topic], without[topic]) for topic in ranked[:SHOWN_TOPICS]]


def _recent(viewer: Viewer, now: datetime) -> ScopedQuerySet:
    cases = Case.objects.visible_to(viewer).filter(opened_at__gte=now - timedelta(days=DAYS))
    recent: ScopedQuerySet = cases.exclude(status=Status.MERGED).order_by()
    return recent


def _without(cases: ScopedQuerySet) -> ScopedQuerySet:
    """Those in which no solution was used, nor one suggested with confidence."""
    used = SolutionUse.objects.exclude(how=SHOWN).values("case_id")
    sure = Suggested.objects.filter(is_sure=True).values("case_id")
    without: ScopedQuerySet = cases.exclude(pk__in=used).exclude(pk__in=sure)
    return without


def _count_topics(cases: ScopedQuerySet, run_id: int) -> dict[int, int]:
    rows = MessageTopic.objects.filter(
        run_id=run_id, topic__isnull=False, message__case__in=cases.values("pk"), message__direction="INBOUND"
    )
    return {row["topic_id"]: row["n"] for row in rows.order_by().values("topic_id").annotate(n=Count("message__case", distinct=True))}


def _count(cases: ScopedQuerySet) -> dict[str, int]:
    return {row["category"]: row["n"] for row in cases.values("category").annotate(n=Count("pk"))}
