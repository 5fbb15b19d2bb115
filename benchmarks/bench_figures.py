"""How long figures take on a large desk: counting all facts, following new events, each report, and reports as of an earlier moment.

    python -m benchmarks.bench_figures [--rounds 7]

The desk is that of benchmarks/large_house.py (50,000 cases, 150,000 messages, 50,000 reviews) with a survey invitation for each fifth case.
Prints JSON. Targets: any report 500 ms, the overview 300 ms, following 1,000 new events 1 s.
"""

import argparse
import json
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.large_house import large_house
from benchmarks.serving import figure

OVERVIEW_MS, REPORT_MS, FOLLOW_MS = 300, 500, 1_000
EVENTS = 1_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    folder = large_house()
    found = [*count_all(folder), *follow_new(), *time_reports(options.rounds)]
    json.dump({"benchmark": "figures", "figures": found}, sys.stdout)


def count_all(folder: Path) -> list[dict[str, Any]]:
    """Facts of every case, once; kept in the folder for the next run."""
    from careloop.desk.measures.actions import CASES_AT_ONCE, refresh
    from careloop.desk.measures.models import CaseFact, Ledger

    if Ledger.objects.filter(shown_at__isnull=False).exists():
        return []
    begun = time.perf_counter()
    while refresh(now=datetime.now(UTC)) >= CASES_AT_ONCE:
        pass
    seconds = time.perf_counter() - begun
    return [figure(f"counting {CaseFact.objects.count():,} cases and their reviews once", round(seconds, 1), "s", 120)]


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
    from careloop.desk.accounts.models import User
    from careloop.desk.accounts.queries import viewer_of
    from careloop.desk.measures.models import Ledger
    from careloop.desk.measures.queries import Question
    from careloop.desk.reports.queries import make_report
    from careloop.desk.reports.rules.layouts import LAYOUTS

    viewer = viewer_of(User.objects.get(email="owner@example.com"))
    shown_at = Ledger.objects.get().shown_at
    today = shown_at.date()
    found = []
    for slug, layout in LAYOUTS.items():
        choices = {
            "90 days": Question((), since=today - timedelta(days=89), until=today),
            "a year": Question((), since=today - timedelta(days=364), until=today),
            "90 days, as it was": Question((), since=today - timedelta(days=89), until=today, as_of=shown_at),
        }
        for name, question in choices.items():
            times = []
            for number in range(rounds + 1):
                begun = time.perf_counter()
                make_report(layout, question, viewer)
                if number:
                    times.append(1000 * (time.perf_counter() - begun))
            target = OVERVIEW_MS if slug == "overview" else REPORT_MS
            found.append(figure(f"{slug}, {name}", round(median(times)), "ms (median)", target))
    return found


if __name__ == "__main__":
    main()
