"""How long figures take on a large desk: counting all facts, following new events, each report, and reports as of an earlier moment.

    python -m benchmarks.bench_figures [--rounds 7] [--cases 50000]

The desk is that of benchmarks/large_house.py, on SQLite or where CARELOOP_DATABASE_URL says. Prints JSON. Targets: any report 500 ms, the
overview 300 ms; of more cases 3 s, on PostgreSQL 2 s; following 1,000 new events 1 s. Processor time of this process stands beside it.
"""

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from benchmarks.large_house import CASES, large_house
from benchmarks.serving import figure

OVERVIEW_MS, REPORT_MS, FOLLOW_MS = 300, 500, 1_000
LARGER_MS = {"sqlite": 3_000, "postgresql": 2_000}
COUNT_MS = 2.4  # a case
MEMORY_MB = 1_000
EVENTS = 1_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cases", type=int, default=CASES)
    options = parser.parse_args()
    large_house(options.cases)
    found = [*count_all(), *follow_new(), *time_reports(options.rounds), *time_curves(options.rounds)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    json.dump({"benchmark": "figures", "figures": [*found, figure("memory at most", round(peak), "MB", MEMORY_MB)]}, sys.stdout)


def count_all() -> list[dict[str, Any]]:
    """Facts of every case, once; kept in the folder for the next run."""
    from django.db import connection

    from careloop.desk.measures.actions import CASES_AT_ONCE, refresh
    from careloop.desk.measures.models import CaseFact, Ledger

    if Ledger.objects.filter(shown_at__isnull=False).exists():
        return []
    begun = time.perf_counter()
    while refresh(now=datetime.now(UTC)) >= CASES_AT_ONCE:
        pass
    seconds = time.perf_counter() - begun
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as a database in use does by itself
    cases = CaseFact.objects.count()
    return [figure(f"counting {cases:,} cases and their reviews once", round(seconds, 1), "s", round(cases * COUNT_MS / 1000))]


def follow_new() -> list[dict[str, Any]]:
    """New events on as many cases, then one refresh."""
    from careloop.desk.cases.models import Case, CaseEvent
    from careloop.desk.kernel.rows import insert_rows
    from careloop.desk.measures.actions import refresh

    draw, now = random.Random(5), datetime.now(UTC)
    numbers = draw.sample(list(Case.objects.values_list("pk", flat=True)), EVENTS)
    cases = list(Case.objects.filter(pk__in=numbers))
    for case in cases:
        case.priority = 50 - case.priority
    Case.objects.bulk_update(cases, ["priority"])
    insert_rows(
        CaseEvent(case_id=case.pk, team_id=case.team_id, kind="PRIORITY", at=now, actor_kind="system", actor_name="") for case in cases
    )
    begun = time.perf_counter()
    looked_at = refresh(now=datetime.now(UTC))
    return [figure(f"following {EVENTS:,} new events ({looked_at:,} cases)", round(1000 * (time.perf_counter() - begun)), "ms", FOLLOW_MS)]


def time_reports(rounds: int) -> list[dict[str, Any]]:
    """Each report for 90 days, a year and as of yesterday, as the page asks for it."""
    from careloop.desk.reports.queries import make_report
    from careloop.desk.reports.rules.layouts import LAYOUTS

    viewer, choices = _asked()
    found = []
    for slug, layout in LAYOUTS.items():
        for name, question in choices.items():
            target = _target(OVERVIEW_MS if slug == "overview" else REPORT_MS)
            found.append(_time(f"{slug}, {name}", lambda: make_report(layout, question, viewer), rounds, target))  # noqa: B023
    return found


def time_curves(rounds: int) -> list[dict[str, Any]]:
    """What the pages of times and of retention show."""
    from careloop.desk.measures.retention import DEFAULT_WITHIN, measure_retention
    from careloop.desk.measures.times import measure_times
    from careloop.desk.measures.times_model import explain_times

    viewer, choices = _asked()
    question, found = choices["a year"], []
    for target in ("first_response", "resolution"):
        _times, spans = measure_times(question, target, viewer)
        found.append(_time(f"times, {target}, a year", lambda: measure_times(question, target, viewer), rounds, _target(REPORT_MS)))  # noqa: B023
        if spans is not None:
            found.append(_time(f"what goes with {target}, a year", lambda: explain_times(spans), rounds, _target(REPORT_MS)))  # noqa: B023
    found.append(_time("retention, a year", lambda: measure_retention(question, DEFAULT_WITHIN, viewer), rounds, _target(REPORT_MS)))
    return found


def _asked() -> tuple[Any, dict[str, Any]]:
    """Who asks, and for what."""
    from careloop.desk.accounts.models import User
    from careloop.desk.accounts.queries import viewer_of
    from careloop.desk.measures.models import Ledger
    from careloop.desk.measures.reading import Question

    shown_at = Ledger.objects.get().shown_at
    today = shown_at.date()
    choices = {
        "90 days": Question((), since=today - timedelta(days=89), until=today),
        "a year": Question((), since=today - timedelta(days=364), until=today),
        "90 days, as it was": Question((), since=today - timedelta(days=89), until=today, as_of=shown_at),
    }
    return viewer_of(User.objects.get(email="owner@example.com")), choices


def _target(milliseconds: int) -> int:
    from django.db import connection

    from careloop.desk.measures.models import CaseFact

    return milliseconds if CaseFact.objects.count() <= CASES else LARGER_MS[connection.vendor]


def _time(name: str, count: Callable[[], object], rounds: int, target: int) -> dict[str, Any]:
    """Medians after one round that does not count."""
    times, processor = [], []
    for number in range(rounds + 1):
        begun, worked = time.perf_counter(), time.process_time()
        count()
        if number:
            times.append(1000 * (time.perf_counter() - begun))
            processor.append(1000 * (time.process_time() - worked))
    return {**figure(name, round(median(times)), "ms (median)", target), "processor ms": round(median(processor))}


if __name__ == "__main__":
    main()
