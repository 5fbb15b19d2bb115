"""When a house works: weekly intervals in its zone, and days that differ."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence

Interval = tuple[int, int]  # minutes of the local day, 0–1440, the end not included
DAY_MINUTES = 1440
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIME = re.compile(r"^(\d{1,2}):(\d{2})$")


@dataclass(frozen=True)
class Hours:
    """Working hours: seven lists of intervals, Monday first, and `days` that have other intervals (none: closed)."""

    zone: str
    weekly: tuple[tuple[Interval, ...], ...]
    days: Mapping[date, tuple[Interval, ...]] = field(default_factory=dict)

    def on(self, day: date) -> tuple[Interval, ...]:
        """The intervals of one local day."""
        return self.days.get(day, self.weekly[day.weekday()])

    def usual(self) -> tuple[Interval, ...]:
        """The intervals of the first weekday that has any: what a make-up working day has."""
        return next((intervals for intervals in self.weekly if intervals), ())


def check_hours(zone: str, weekly: Sequence[Iterable[Interval]], days: Mapping[date, Iterable[Interval]] | None = None) -> Hours:
    """Return the hours with sorted intervals; InvalidInput for an unknown zone, overlapping intervals, or no working time at all."""
    if zone not in available_timezones():
        sentence = Sentence("There is no time zone “{zone}”; expected a name such as Asia/Shanghai or Europe/Berlin.", zone=zone[:60])
        raise InvalidInput(sentence, field="zone")
    ZoneInfo(zone)
    if len(weekly) != len(WEEKDAYS):
        raise InvalidInput(f"{len(weekly)} weekdays were given; expected seven, Monday first.", field="weekly")
    checked = tuple(check_intervals(intervals, name) for intervals, name in zip(weekly, WEEKDAYS, strict=True))
    if not any(checked):
        sentence = Sentence("The calendar has no working time; give at least one weekday an interval such as 09:00–18:00.")
        raise InvalidInput(sentence, field="weekly")
    return Hours(zone, checked, {day: check_intervals(intervals, day.isoformat()) for day, intervals in (days or {}).items()})


def check_intervals(intervals: Iterable[Interval], name: str) -> tuple[Interval, ...]:
    """Return one day's intervals in order; InvalidInput when one is empty, outside the day, or overlaps the one before."""
    ordered = tuple(sorted((int(start), int(end)) for start, end in intervals))
    for start, end in ordered:
        if not 0 <= start < end <= DAY_MINUTES:
            given = f"{show_minute(start)}–{show_minute(end)}"
            sentence = Sentence("{name}: {given} is no interval; it ends after it begins, between 00:00 and 24:00.", name=name, given=given)
            raise InvalidInput(sentence, field="weekly")
    for (_, end), (start, later) in pairwise(ordered):
        if start < end:
            other = f"{show_minute(start)}–{show_minute(later)}"
            sentence = Sentence(
                "{name}: what ends at {end} overlaps {other}; join or part them.", name=name, end=show_minute(end), other=other
            )
            raise InvalidInput(sentence, field="weekly")
    return ordered


def read_intervals(text: str, name: str) -> tuple[Interval, ...]:
    """Read “09:00-12:00, 13:00-18:00”; blank is closed, and “22:00-06:00” is refused with what to write instead."""
    found = []
    for part in filter(None, (part.strip() for part in re.split(r"[,，;；、]", text))):
        ends = [read_minute(one.strip()) for one in re.split(r"[-–—~至]", part, maxsplit=1)]
        if len(ends) != 2 or None in ends:
            sentence = Sentence("{name}: “{given}” is no interval; expected one such as 09:00-18:00.", name=name, given=part[:40])
            raise InvalidInput(sentence, field="weekly")
        start, end = ends
        if start is not None and end is not None and end <= start:
            raise InvalidInput(
                Sentence(
                    "{name}: “{given}” ends before it begins; for work past midnight write {start}-24:00 here "
                    "and 00:00-{end} on the next day.",
                    name=name,
                    given=part[:40],
                    start=show_minute(start),
                    end=show_minute(end),
                ),
                field="weekly",
            )
        found.append((start, end))
    return check_intervals([(start or 0, end or 0) for start, end in found], name)


def read_minute(text: str) -> int | None:
    """Minutes of the day from “9:30”; None when it is no time of day."""
    found = _TIME.match(text)
    if found is None:
        return None
    minute = int(found[1]) * 60 + int(found[2])
    return minute if int(found[2]) < 60 and minute <= DAY_MINUTES else None


def show_minute(minute: int) -> str:
    """“09:30” from minutes of the day."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def show_intervals(intervals: Iterable[Interval]) -> str:
    """“09:00–12:00, 13:00–18:00”, empty when closed."""
    return ", ".join(f"{show_minute(start)}–{show_minute(end)}" for start, end in intervals)
