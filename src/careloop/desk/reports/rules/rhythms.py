"""Which days, weeks and months are over and due to be mailed: plain arithmetic with the house's zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY, WEEK, MONTH = "day", "week", "month"
CAUGHT_UP = 3  # so many periods that were missed while nothing ran are mailed afterwards


@dataclass(frozen=True)
class Period:
    """A period from its first to its last day, and the moment (UTC) from which it is due."""

    first: date
    last: date
    due_at: datetime


def due_periods(rhythm: str, hour: int, since: datetime, now: datetime, zone: tzinfo) -> list[Period]:
    """The newest periods whose moment lies after `since` and not after `now`, oldest first.

    A period is due on the day after it, at `hour` of the zone; an hour that a spring night leaves out comes an hour later, one
    that an autumn night has twice is the first.
    """
    found: list[Period] = []
    after = now.astimezone(zone).date() + timedelta(days=1)  # a day more, where the zone's day ends before the hour
    while len(found) < CAUGHT_UP:
        last = _last_day_before(rhythm, after)
        first = _first_day(rhythm, last)
        due_at = datetime.combine(last + timedelta(days=1), time(hour), zone).astimezone(UTC)
        if due_at <= since:
            break
        if due_at <= now:
            found.append(Period(first, last, due_at))
        after = first
    return found[::-1]


def newest_period(rhythm: str, today: date) -> tuple[date, date]:
    """The first and the last day of the newest period that is over on a day."""
    last = _last_day_before(rhythm, today)
    return _first_day(rhythm, last), last


def _last_day_before(rhythm: str, day: date) -> date:
    """The last day of the newest period that is over when `day` begins."""
    if rhythm == WEEK:
        return day - timedelta(days=day.weekday() + 1)
    if rhythm == MONTH:
        return day.replace(day=1) - timedelta(days=1)
    return day - timedelta(days=1)


def _first_day(rhythm: str, last: date) -> date:
    return last - timedelta(days=6) if rhythm == WEEK else last.replace(day=1) if rhythm == MONTH else last
