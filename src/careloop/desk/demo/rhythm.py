"""When customers write and when the house answers: hours of the day, week days, opening hours, and the two waves of the quarter."""

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

DAYS = 92
HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 14, 22, 28, 24, 18, 18, 24, 26, 22, 16, 14, 16, 20, 20, 12, 6)
WEEKDAYS = {
    "shop": (11, 10, 10, 10, 10, 9, 8),
    "bank": (14, 12, 11, 11, 12, 5, 3),
    "travel": (10, 9, 9, 10, 12, 11, 10),
}
OPENS = {
    "shop": {**dict.fromkeys(range(5), (9, 18)), 5: (10, 16)},
    "bank": dict.fromkeys(range(5), (9, 17)),
    "travel": dict.fromkeys(range(7), (8, 20)),
}
MEDIAN_MINUTES = {"shop": 55, "bank": 30, "travel": 40}


@dataclass(frozen=True)
class Wave:
    """Many customers with the same matter within some days; `swells` when each day brings more than the one before."""

    scenario: str
    first_day: int
    days: int
    cases: int
    swells: bool = False


WAVES = (Wave("leaking_heater", first_day=21, days=21, cases=130, swells=True), Wave("flight_cancelled", first_day=39, days=4, cases=80))


def draw_arrival(trade: str, now: datetime, zone: tzinfo, rng: random.Random) -> datetime:
    """A moment within the last DAYS days at which a customer of this trade writes, in UTC offsets of `zone`; before `now`."""
    today = now.astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS)]
    weights = [WEEKDAYS[trade][day.weekday()] * (1.25 - 0.5 * back / DAYS) for back, day in enumerate(days)]
    return _before(rng.choices(days, weights=weights)[0], now, zone, rng)


def draw_wave_arrival(wave: Wave, now: datetime, zone: tzinfo, rng: random.Random) -> datetime:
    """The same within a wave."""
    backs = list(range(wave.first_day - wave.days + 1, wave.first_day + 1))
    weights = [wave.first_day + 2 - back if wave.swells else 1 for back in backs]
    back = rng.choices(backs, weights=weights)[0] - (1 if wave.swells else 0)
    return _before(now.astimezone(zone).date() - timedelta(days=back), now, zone, rng)


def _before(day: date, now: datetime, zone: tzinfo, rng: random.Random) -> datetime:
    hour = rng.choices(range(24), weights=HOURS)[0]
    moment = datetime.combine(day, time(hour, rng.randrange(60), rng.randrange(60)), zone)
    return moment if moment < now else moment - timedelta(days=1)


def is_working(moment: datetime, trade: str) -> bool:
    """Whether the team of this trade is at work; `moment` is told in the house's zone."""
    hours = OPENS[trade].get(moment.weekday())
    return hours is not None and hours[0] <= moment.hour < hours[1]


def at_work(moment: datetime, trade: str, rng: random.Random) -> datetime:
    """The moment itself, or some minutes after the team's next opening."""
    if is_working(moment, trade):
        return moment
    day = moment
    while True:
        hours = OPENS[trade].get(day.weekday())
        if hours is not None:
            start = day.replace(hour=hours[0], minute=0, second=0)
            if start > moment:
                return start + timedelta(minutes=rng.randint(3, 90), seconds=rng.randrange(60))
        day = (day + timedelta(days=1)).replace(hour=0, minute=0, second=0)


def answer_minutes(trade: str, rng: random.Random, *, busy: float = 1.0) -> float:
    """How long an agent needs within opening hours; `busy` stretches it."""
    return min(rng.lognormvariate(0, 0.9) * MEDIAN_MINUTES[trade] * busy, 60 * 30.0)
