"""How often quiet hours alarm, and how soon a burst or a silence is told: `python -m tests.insight.service.quiet_hours`.

Quiet: nothing changes but chance, hours of the week, and days and hours that differ by more than chance. Alarms of one day are one, as the
desk tells them.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from careloop.insight.service.hours import WEEK, WEEKS_LEARNT, Hours, judge_hours

FIRST = datetime(2025, 1, 6)
BEFORE = (WEEKS_LEARNT + 1) * WEEK
WEEKDAYS = np.array([1.25, 1.1, 1.0, 1.0, 0.95, 0.45, 0.3])
DAY = np.array([1, 0.5, 0.3, 0.2, 0.2, 0.4, 1, 2.5, 6, 9, 10, 9, 7, 8, 9, 9, 8, 7, 6, 5, 5, 4, 3, 2.0])


@dataclass(frozen=True)
class Kind:
    """Cases a day, and how restless days and hours are, on the scale of logarithms."""

    name: str
    volume: float
    days: float = 0.0
    hours: float = 0.0

    @property
    def rhythm(self) -> np.ndarray:
        """Expected cases of the hours of a week."""
        shape = WEEKDAYS[:, None] * DAY
        return (self.volume * 7 * shape / shape.sum()).ravel()


KINDS = (
    Kind("5 a day", 5),
    Kind("40 a day", 40),
    Kind("40 a day, restless", 40, 0.2, 0.1),
    Kind("200 a day, restless", 200, 0.2, 0.1),
    Kind("1000 a day, restless", 1000, 0.2, 0.1),
)


def draw(rng: np.random.Generator, kind: Kind, n: int) -> np.ndarray:
    """Expected cases of n hours from a Monday on, restless."""
    unrest = np.repeat(rng.normal(0, kind.days, n // 24 + 1), 24)[:n] + rng.normal(0, kind.hours, n)
    return np.resize(kind.rhythm, n) * np.exp(unrest)


def count_false(kind: Kind, *, n_weeks: int, false_alarms: float = 1.0, seed: int = 0) -> np.ndarray:
    """Days that alarmed in each quiet week; each week is judged by its own eight weeks before, the last day left out."""
    rng, n = np.random.default_rng(seed), BEFORE + WEEK * n_weeks
    starts = tuple(FIRST + timedelta(hours=at) for at in range(n))
    values = rng.poisson(draw(rng, kind, n)) * 1.0
    found = []
    for end in range(BEFORE + WEEK, n + 1, WEEK):
        past = slice(end - BEFORE - WEEK, end)
        judged = judge_hours(Hours(starts[past], values[past]), judged=WEEK, false_alarms=false_alarms)
        found.append(len({(one.span.since.date(), one.alarm.is_up) for one in judged if one.alarm}))
    return np.array(found)


def measure_delay(kind: Kind, factor: float, *, n: int, false_alarms: float = 1.0, seed: int = 1) -> tuple[float, float]:
    """Median hours until a change that begins at ten on a Tuesday is told, and the share of those told on that day."""
    rng, begins, total = np.random.default_rng(seed), BEFORE + 34, BEFORE + 48
    starts = tuple(FIRST + timedelta(hours=at) for at in range(total))
    delays = []
    for _ in range(n):
        expected = draw(rng, kind, total)
        expected[begins:] *= factor
        hours = Hours(starts, rng.poisson(expected) * 1.0)
        judged = judge_hours(hours, judged=total - begins, false_alarms=false_alarms)
        told = [at for at, one in enumerate(judged, start=1) if one.alarm and one.alarm.is_up == (factor > 1)]
        delays.append(told[0] if told else 99)
    return float(np.median(delays)), float(np.mean(np.array(delays) < 99))


def main() -> None:
    """Print a line for each kind of volume."""
    parser = argparse.ArgumentParser(prog="python -m tests.insight.service.quiet_hours", description=__doc__)
    parser.add_argument("--weeks", type=int, default=13_000, help="quiet weeks of each kind")
    parser.add_argument("--promise", type=float, default=1.0, help="false alarms a quarter")
    parser.add_argument("--delays", type=int, default=60, help="days for each delay")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    factors = (2.0, 3.0, 5.0, 0.0)
    heads = "".join(f"{f'times {one:g}':>14}" for one in factors)
    print(f"{'volume':24}{'false/quarter':>22}{heads}   hours until told (share told that day)")
    for kind in KINDS:
        found = count_false(kind, n_weeks=given.weeks, false_alarms=given.promise, seed=given.seed)
        half = 13 * 1.96 * found.std() / len(found) ** 0.5
        cells = ""
        for factor in factors if given.delays else ():
            hours, share = measure_delay(kind, factor, n=given.delays, false_alarms=given.promise, seed=given.seed + 1)
            cells += f"{f'{hours:.0f} ({100 * share:.0f} %)' if share >= 0.5 else f'- ({100 * share:.0f} %)':>14}"
        print(f"{kind.name:24}{f'{13 * found.mean():.2f} ± {half:.2f}':>22}{cells}", flush=True)


if __name__ == "__main__":
    main()
