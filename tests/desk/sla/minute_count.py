"""The slow truth: walk minute by minute, ask the zone for the wall clock, look into the lists.

`python -m tests.desk.sla.minute_count` compares 100,000 random clocks with it.
"""

import random
import sys
from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from chinese_calendar import constants

from careloop.desk.sla.rules.clocks import MET, PAUSED, RESUMED, STARTED, Tick, replay
from careloop.desk.sla.rules.holiday_years import find_holidays
from careloop.desk.sla.rules.hours import check_hours
from careloop.desk.sla.rules.working_time import WorkingCalendar

ZONES = [
    "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "America/St_Johns", "Africa/Casablanca",
    "Pacific/Chatham", "UTC",
]  # fmt: skip
TURNS = [(2026, 3, 1), (2026, 10, 10), (2026, 2, 5), (2025, 9, 20), (2025, 1, 15)]
MINUTE, DAYS, CASES_A_CALENDAR = 60, 25, 250


def prove(rng: random.Random, cases: int) -> int:
    """Compare that many random clocks with a count; returns how many agreed (AssertionError at the first that does not)."""
    agreed = 0
    while agreed < cases:
        zone, weekly, days, country = _draw_calendar(rng)
        first = datetime(*rng.choice(TURNS), tzinfo=UTC)
        worked = _count_minutes(zone, weekly, days, country, first)
        calendar = WorkingCalendar(check_hours(zone, weekly, days), lambda year, country=country: find_holidays(country, "", year))
        for _ in range(min(CASES_A_CALENDAR, cases - agreed)):
            _compare(rng, first, worked, calendar)
            agreed += 1
    return agreed


def _compare(rng: random.Random, first: datetime, worked: list[int], calendar: WorkingCalendar) -> None:
    marks = sorted(rng.sample(range(DAYS * 720), 1 + 2 * rng.randrange(4)))
    target = rng.randrange(1, 1200)
    moments = [first + timedelta(minutes=mark) for mark in marks]
    kinds = [STARTED, *[PAUSED, RESUMED] * 3]
    events = [Tick(kind, moment, target * MINUTE, 1) for kind, moment in zip(kinds, moments, strict=False)]
    pauses = list(zip(marks[1::2], marks[2::2], strict=True))
    ran = (minute for minute in worked[bisect_left(worked, marks[0]) :] if not any(start <= minute < end for start, end in pauses))
    last = next(islice(ran, target - 1, None), None)
    state = replay(events, {1: calendar})
    assert state.due_at is not None
    if last is None:
        assert state.due_at > first + timedelta(days=DAYS), (events, state)
        return
    assert state.due_at == first + timedelta(minutes=last + 1), (events, state)
    end = marks[-1] + rng.randrange(2000)
    met = replay([*events, Tick(MET, first + timedelta(minutes=end))], {1: calendar})
    used = worked[bisect_left(worked, marks[0]) : bisect_left(worked, end)]
    minutes = sum(not any(start <= minute < stop for start, stop in pauses) for minute in used)
    assert (met.elapsed_seconds, met.is_late) == (minutes * MINUTE, minutes > target), (events, met, minutes)


def _draw_calendar(rng: random.Random):
    zone = rng.choice(ZONES)
    weekly = [_draw_intervals(rng) if rng.random() < 0.75 else [] for _ in range(7)]
    weekly[rng.randrange(5)] = [(rng.randrange(0, 600), rng.randrange(700, 1441))]
    days = {date(2025 + rng.randrange(2), rng.choice([1, 2, 3, 10, 11]), rng.randrange(1, 29)): _draw_intervals(rng) for _ in range(4)}
    return zone, weekly, days, rng.choice(["", "CN"]) if zone == "Asia/Shanghai" else ""


def _draw_intervals(rng: random.Random):
    ends = sorted(rng.sample(range(1441), 2 * rng.randrange(1, 4)))
    return list(zip(ends[::2], ends[1::2], strict=True))


def _count_minutes(zone, weekly, days, country, first: datetime) -> list[int]:
    clock, usual = ZoneInfo(zone), next(one for one in weekly if one)
    worked, lists = [], {}
    for number in range(DAYS * 1440):
        local = (first + timedelta(minutes=number)).astimezone(clock)
        day = local.date()
        if day not in lists:
            lists[day] = weekly[day.weekday()]
            if country:
                made_up = [] if day in constants.holidays else lists[day]
                lists[day] = (lists[day] or usual) if day in constants.workdays else made_up
            lists[day] = days.get(day, lists[day])
        of_day = local.hour * 60 + local.minute
        if any(start <= of_day < end for start, end in lists[day]):
            worked.append(number)
    return worked


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{prove(random.Random(2026), wanted):,} random clocks agree with a minute-by-minute count")
