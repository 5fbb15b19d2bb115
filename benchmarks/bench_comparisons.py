"""How long it takes to judge a comparison of 50,000 cases: now, and as it was at an earlier moment.

    python -m benchmarks.bench_comparisons [--rounds 5]

The desk is that of benchmarks/large_house.py with its facts; every case is in one of two groups, or of five. What the comparison writes is
taken back at the end. Matrices are counted on one core, as in the process that serves pages: two threads take half as much processor time
again. Prints JSON; processor time, so that a busy machine does not count. Target: 500 ms.
"""

import argparse
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from benchmarks.bench_figures import count_all
from benchmarks.large_house import large_house
from benchmarks.serving import figure

JUDGE_MS = 500


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is loaded
    count_all(large_house())
    json.dump({"benchmark": "comparisons", "figures": time_comparisons(options.rounds)}, sys.stdout)


def time_comparisons(rounds: int) -> list[dict[str, Any]]:
    """Comparisons of two and of five groups, each case exposed when it began."""
    from django.db import transaction

    from careloop.desk.accounts.models import User
    from careloop.desk.accounts.queries import viewer_of
    from careloop.desk.measures.trials import judge_comparison

    viewer, now = viewer_of(User.objects.get(email="owner@example.com")), datetime.now(UTC)
    found = []
    with transaction.atomic():
        for groups in (2, 5):
            comparison = expose_all(groups, viewer, now)
            for name, as_of in (("now", None), ("as it was", now - timedelta(seconds=1))):
                times = []
                for number in range(rounds + 1):
                    begun = time.process_time()
                    trial = judge_comparison(comparison, viewer, now=now, as_of=as_of)
                    if number:
                        times.append(1000 * (time.process_time() - begun))
                label = f"judging {trial.n:,} cases in {groups} groups, {name}"
                found.append(figure(label, round(median(times)), "ms of processor (median)", JUDGE_MS))
        transaction.set_rollback(True)
    return found


def expose_all(groups: int, viewer: Any, now: datetime) -> Any:
    """A comparison begun before all cases; what is tried was asked for when each began."""
    from careloop.desk.cases.models import Case
    from careloop.desk.experiments.actions import ArmFacts, ComparisonFacts, make_comparison
    from careloop.desk.experiments.models import Exposure
    from careloop.desk.experiments.rules import choose_arm, place_of
    from careloop.desk.kernel.rows import insert_rows

    arms = tuple(ArmFacts(f"Group {number}", 1 / groups, number or None) for number in range(groups))
    facts = ComparisonFacts(f"Bench {groups}", "RANDOMISED", "SATISFACTION", 20_000, "OTHER", arms=arms)
    made = make_comparison(facts=facts, viewer=viewer, now=now - timedelta(days=400))
    stored = list(made.arms.all())
    rows = Case.objects.order_by("opened_at", "pk").values_list("pk", "customer_id", "opened_at")
    insert_rows(
        Exposure(
            comparison=made,
            arm=stored[choose_arm([1 / groups] * groups, place_of("bench", number))],
            unit_id=number,
            case_id=number,
            first_case_id=number,
            customer_id=customer_id,
            at=at,
        )
        for number, customer_id, at in rows
    )
    return made


if __name__ == "__main__":
    main()
