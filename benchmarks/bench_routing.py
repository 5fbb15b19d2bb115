"""How fast 10,000 waiting cases are given to 200 people with skills, how far from the best that can be at most; and their order.

python benchmarks/bench_routing.py
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from statistics import median

import numpy as np

from careloop.desk.routing.rules.assignment import NEVER, NOBODY, assign
from careloop.desk.routing.rules.queue import Late, PastTimes, cost_of_delay

CASES, PEOPLE, SKILLS = 10_000, 200, 12


def main() -> None:
    """Print one JSON object: too little room for all cases, and enough; the order of the queue."""
    measured = []
    for name, most_places in (("half of the room needed", 52), ("room for all", 120)):
        seconds, gaps, given = [], [], []
        for seed in range(3):
            benefits, places = _draw(most_places, seed)
            began = time.perf_counter()
            found = assign(benefits, places)
            seconds.append(time.perf_counter() - began)
            gaps.append(found.gap_ratio)
            given.append(int((found.person_of != NOBODY).sum()))
        measured.append(
            {"name": f"{name}: seconds", "value": round(median(seconds), 2), "unit": "s", "target": 1, "met": median(seconds) <= 1}
        )
        measured.append({"name": f"{name}: proven gap", "value": round(max(gaps), 5), "unit": "", "target": 0.01, "met": max(gaps) <= 0.01})
        measured.append({"name": f"{name}: cases given", "value": median(given), "unit": ""})
    measured.append(_price_of_an_order())
    print(json.dumps({"benchmark": "routing", "routing": measured}))


def _price_of_an_order() -> dict[str, object]:
    """The cost of delay of each case, the chance of a breach from a history of 200 steps, and the order by it."""
    rng = np.random.default_rng(0)
    past = PastTimes(sorted(rng.integers(1, 30_000, 200).tolist()), np.linspace(0.99, 0.01, 200).tolist(), 2_000)
    now = datetime(2026, 5, 4, 6, tzinfo=UTC)
    elapsed = rng.integers(0, 14_400, CASES).tolist()
    began = time.perf_counter()
    scores = []
    for place in range(CASES):
        due_at, late = now + timedelta(seconds=14_400 - elapsed[place]), Late(past.late_chance(elapsed[place], 14_400), past.ended)
        scores.append(cost_of_delay(priority=20, kind="REFUND", due_at=due_at, value=1.0, now=now, late=late).score)
    scores.sort()
    seconds = time.perf_counter() - began
    return {"name": "order by cost of delay: seconds", "value": round(seconds, 3), "unit": "s", "target": 0.5, "met": seconds <= 0.5}


def _draw(most_places: int, seed: int) -> tuple[np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(seed)
    needs = rng.integers(0, SKILLS, CASES)
    has = rng.random((PEOPLE, SKILLS)) < 0.35
    has[np.arange(PEOPLE), rng.integers(0, SKILLS, PEOPLE)] = True
    skill = rng.uniform(0.5, 1, (PEOPLE, SKILLS))
    urgency = rng.choice([1.0, 2.0, 4.0, 8.0], CASES, p=[0.4, 0.35, 0.2, 0.05])
    benefits = np.where(has[:, needs].T, urgency[:, None] * (1 + skill[:, needs].T), NEVER)
    known = np.flatnonzero(rng.random(CASES) < 0.2)
    benefits[known, rng.integers(0, PEOPLE, len(known))] += 1.0
    return benefits, [np.linspace(0, 1, places) for places in rng.integers(0, most_places, PEOPLE)]


if __name__ == "__main__":
    main()
