"""Real resolution times with open ends, from the shared data; tests that need them skip visibly without."""

import csv
import gzip
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

FILE = Path(__file__).parents[4] / "shared" / "data" / "helpdesk_events.csv.gz"
needs_events = pytest.mark.skipif(not FILE.exists(), reason="needs shared/data/helpdesk_events.csv.gz")


def read_cases() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return durations in days, whether the case had ended on the day of looking, and three columns about its beginning.

    Looked at 1 June 2011: what began later is left out, what ended later is open. Columns: the hour as part of
    the day; begun in July or later in the year;
    begun on Friday or later in the week.
    """
    steps = defaultdict(list)
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            steps[row["CaseID"]].append((datetime.fromisoformat(row["CompleteTimestamp"]), row["ActivityID"]))
    looked_at, days, ended, columns = datetime(2011, 6, 1), [], [], []
    for case in sorted(steps, key=int):
        begun, ends = min(steps[case]), max(steps[case])
        if begun[0] >= looked_at:
            continue
        days.append((min(ends[0], looked_at) - begun[0]).total_seconds() / 86_400)
        ended.append(ends[0] <= looked_at)
        columns.append([begun[0].hour / 24, begun[0].month >= 7, begun[0].weekday() >= 4])
    return np.array(days), np.array(ended), np.array(columns, dtype=np.float64)
