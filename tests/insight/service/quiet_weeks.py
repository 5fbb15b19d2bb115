"""How often quiet weeks alarm, and how soon changes are noticed: `python -m tests.insight.service.quiet_weeks`.

Quiet: nothing changes but chance, weekdays, holidays with their make-up days where set, and days that differ by more than chance.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from careloop.insight.service.control_charts import PERIODS_A_QUARTER, Chart, Series, draw_chart

FIRST = date(2025, 1, 6)
WEEKDAYS = np.array([1.25, 1.1, 1.0, 1.0, 0.95, 0.45, 0.3])
QUIET_BEFORE = {"day": 126, "week": 40}
SHIFTS = (0.5, 1.0, 2.0)


@dataclass(frozen=True)
class Unrest:
    """A kind of series: cases a period, how restless, by how much neighbours move together (0–1), and of shares how large (0–1)."""

    name: str
    measure: str
    volume: float
    scatter: float = 0.0
    carried: float = 0.0
    period: str = "day"
    share: float = 0.2
    becomes: float = 0.0
    with_holidays: bool = False

    @property
    def sd(self) -> float:
        """Of a usual period, on the scale of logarithms or log-odds."""
        chance = {"count": 1.0, "share": 1 / (self.share * (1 - self.share)), "time": np.pi / 2}[self.measure] / self.volume
        return float(np.sqrt(chance + self.scatter**2))


KINDS = (
    Unrest("volume 1 a day", "count", 1),
    Unrest("volume 5 a day", "count", 5),
    Unrest("volume 40 a day, restless", "count", 40, 0.2),
    Unrest("volume 40 a day, in waves", "count", 40, 0.2, 0.4),
    Unrest("volume 40 a day, holidays", "count", 40, 0.1, with_holidays=True),
    Unrest("volume 60 a week, restless", "count", 60, 0.2, 0.0, "week"),
    Unrest("20 % of 8 a day", "share", 8, becomes=0.25),
    Unrest("20 % of 60 a day, restless", "share", 60, 0.3, becomes=0.25),
    Unrest("5 % of 60 a day", "share", 60, share=0.05, becomes=0.08),
    Unrest("20 % of 40 a week, restless", "share", 40, 0.1, 0.0, "week", becomes=0.25),
    Unrest("first response, 15 a day", "time", 15, 0.15),
    Unrest("first response, 80 a day, in waves", "time", 80, 0.25, 0.4),
)


def rest_days(n: int) -> tuple[set[date], set[date]]:
    """Holidays of three days each month, and the Saturday after each, on which people work instead."""
    mondays = [FIRST + timedelta(days=place) for place in range(0, n, 7)][2::4]
    return {one + timedelta(days=more) for one in mondays for more in range(3)}, {one + timedelta(days=5) for one in mondays}


def draw(rng: np.random.Generator, kind: Unrest, n: int, factor: np.ndarray) -> Series:
    """`factor` multiplies counts, times and the odds."""
    step = 7 if kind.period == "week" else 1
    starts = tuple(FIRST + timedelta(days=step * place) for place in range(n))
    rhythm = np.resize(WEEKDAYS / WEEKDAYS.mean(), n) if kind.period == "day" else np.ones(n)
    if kind.with_holidays:
        closed, made_up = rest_days(n)
        rhythm = np.array([0.3 if one in closed else 1.0 if one in made_up else usual for one, usual in zip(starts, rhythm, strict=True)])
    unrest = np.zeros(n)
    for place in range(n):
        before = unrest[place - 1] if place else 0.0
        unrest[place] = kind.carried * before + rng.normal(0, kind.scatter) * (1 - kind.carried**2) ** 0.5
    if kind.measure == "count":
        values = rng.poisson(kind.volume * rhythm * factor * np.exp(unrest)) * 1.0
        return Series(kind.name, "count", starts, values, np.ones(n), kind.period)
    totals = rng.poisson(kind.volume * rhythm) * 1.0
    if kind.measure == "share":
        odds = kind.share / (1 - kind.share) * factor * np.exp(unrest)
        return Series(kind.name, "share", starts, rng.binomial(totals.astype(int), odds / (1 + odds)) * 1.0, totals, kind.period)
    medians = [
        np.median(rng.lognormal(1.0 + up, 1.0, max(int(total), 1))) for up, total in zip(unrest + np.log(factor), totals, strict=True)
    ]
    return Series(kind.name, "time", starts, np.array(medians), totals, kind.period)


def charts(kind: Unrest, *, n_quarters: int, change: float = 1.0, false_alarms: float = 1.0, seed: int = 0) -> Iterator[Chart]:
    """A quarter is judged in each chart, from the end of a quiet past on; `change` begins with it."""
    rng = np.random.default_rng(seed)
    before, judged = QUIET_BEFORE[kind.period], PERIODS_A_QUARTER[kind.period]
    factor = np.concatenate([np.ones(before), np.full(judged, change)])
    closed, made_up = rest_days(before + judged) if kind.with_holidays else (set(), set())
    for _ in range(n_quarters):
        series = draw(rng, kind, before + judged, factor)
        yield draw_chart(series, holidays=closed, made_up=made_up, false_alarms=false_alarms, judged=judged)


def count_false(kind: Unrest, *, n_weeks: int, false_alarms: float = 1.0, seed: int = 0) -> float:
    """Alarms a quarter in which nothing changed."""
    n_quarters = max(n_weeks // 13, 1)
    return sum(len(chart.alarms) for chart in charts(kind, n_quarters=n_quarters, false_alarms=false_alarms, seed=seed)) / n_quarters


def measure_delay(kind: Unrest, change: float, *, n_quarters: int, false_alarms: float = 1.0, seed: int = 1) -> tuple[float, float]:
    """Median number of days until an increase is told (the whole quarter when it is not), and the share of quarters in which it is."""
    judged = PERIODS_A_QUARTER[kind.period]
    delays = []
    for chart in charts(kind, n_quarters=n_quarters, change=change, false_alarms=false_alarms, seed=seed):
        told = [at for at, point in enumerate(chart.points[-judged:], start=1) if point.alarm and point.is_up]
        delays.append(told[0] if told else judged + 1)
    days = float(np.median(delays)) * (7 if kind.period == "week" else 1)
    return days, float(np.mean(np.array(delays) <= judged))


def list_changes(kind: Unrest) -> list[float]:
    """Factors: half a standard deviation of a period more, one, two, and for shares the change of the share."""
    changes = [float(np.exp(shift * kind.sd)) for shift in SHIFTS]
    if kind.becomes:
        changes.append(kind.becomes / (1 - kind.becomes) / (kind.share / (1 - kind.share)))
    return changes


def main() -> None:
    """Print a line for each kind of series."""
    parser = argparse.ArgumentParser(prog="python -m tests.insight.service.quiet_weeks", description=__doc__)
    parser.add_argument("--weeks", type=int, default=10_000, help="quiet weeks over all kinds together")
    parser.add_argument("--promise", type=float, default=1.0, help="false alarms a quarter")
    parser.add_argument("--delays", type=int, default=60, help="quarters for each delay")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    each, told = max(round(given.weeks / len(KINDS) / 13), 1) * 13, []
    heads = [f"+{shift:g} sd" for shift in SHIFTS] + ["of the share"]
    print(f"{'series':36}{'false/quarter':>14}" + "".join(f"{head:>14}" for head in heads) + "   days until told (share told)")
    for kind in KINDS:
        told.append(count_false(kind, n_weeks=each, false_alarms=given.promise, seed=given.seed))
        cells = ""
        for change in list_changes(kind) if given.delays else ():
            days, share = measure_delay(kind, change, n_quarters=given.delays, false_alarms=given.promise, seed=given.seed + 1)
            cells += f"{f'{days:.0f} ({100 * share:.0f} %)' if share >= 0.5 else f'>91 ({100 * share:.0f} %)':>14}"
        print(f"{kind.name:36}{told[-1]:14.2f}{cells}", flush=True)
    total = each * len(KINDS)
    print(f"Promised {given.promise:g} a quarter; {np.mean(told):.2f} on average, {max(told):.2f} at most, in {total:,} quiet weeks")


if __name__ == "__main__":
    main()
