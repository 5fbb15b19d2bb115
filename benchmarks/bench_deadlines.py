"""How fast deadlines are counted: 100,000 at once over an index of two years, and one at a time.

python benchmarks/bench_deadlines.py
"""

from __future__ import annotations

import json
import random
import time
from datetime import UTC, datetime, timedelta
from statistics import median

import numpy as np

from careloop.desk.sla.rules.holiday_years import find_holidays
from careloop.desk.sla.rules.hours import check_hours
from careloop.desk.sla.rules.working_time import WorkingCalendar

DEADLINES = 100_000
SHOP = [[(540, 720), (780, 1080)]] * 5 + [[], []]


def main() -> None:
    """Print one JSON object; seconds are medians of five runs."""
    calendar = WorkingCalendar(check_hours("Asia/Shanghai", SHOP), lambda year: find_holidays("CN", "", year))
    rng = random.Random(1)
    began = time.perf_counter()
    index = calendar.index(2025, 2027)
    built = time.perf_counter() - began
    first = int(datetime(2025, 6, 1, tzinfo=UTC).timestamp())
    starts = np.array([first + rng.randrange(365 * 86_400) for _ in range(DEADLINES)], dtype=np.int64)
    targets = np.array([rng.randrange(60, 40 * 3600) for _ in range(DEADLINES)], dtype=np.int64)
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        due = index.add(starts, targets)
        seconds.append(time.perf_counter() - began)
    sample = range(0, DEADLINES, 100)
    moments = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(starts[row])) for row in sample]
    calendar.add(moments[0], 60)
    began = time.perf_counter()
    alone = [calendar.add(moment, int(targets[row])).at for moment, row in zip(moments, sample, strict=True)]
    each = (time.perf_counter() - began) / len(alone)
    if [int(at.timestamp()) for at in alone] != [int(due[row]) for row in sample]:
        raise SystemExit("Deadlines counted at once differ from those counted one at a time.")
    measured = [
        {
            "name": "100,000 deadlines at once",
            "value": round(median(seconds), 4),
            "unit": "s",
            "target": 0.1,
            "met": median(seconds) <= 0.1,
        },
        {"name": "index of three years", "value": round(built, 4), "unit": "s"},
        {"name": "one deadline", "value": round(each * 1e6, 1), "unit": "µs"},
    ]
    print(json.dumps({"benchmark": "deadlines", "deadlines": measured}))


if __name__ == "__main__":
    main()
