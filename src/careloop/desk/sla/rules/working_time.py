"""Working time measured and added: an index of a calendar's working intervals in UTC with their running sum.

A moment is worked when the wall clock of the zone then shows a time inside an interval of that local day. So an hour that daylight saving
skips is not counted, and one that it repeats counts twice.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence
from careloop.desk.sla.rules.holiday_years import NO_HOLIDAYS, HolidayYear
from careloop.desk.sla.rules.hours import Hours, Interval

Seconds = NDArray[np.int64]
MINUTE, DAY = 60, 86_400
MOST_YEARS = 32  # a deadline farther away is refused
_STEP = 6 * 3600  # between looks at the zone's offset; no zone changed twice within it


class BeyondSpan(Exception):
    """A time before or after what an index covers."""


class WorkingTime:
    """The working intervals of some local days; times are whole seconds since 1970 (UTC).

    Two look-ups by bisection answer anything: 0.3 µs a deadline in arrays, about 1 µs alone.
    """

    def __init__(self, hours: Hours, first: date, last: date) -> None:
        found = list(_find_intervals(hours, first, last))
        self.starts: Seconds = np.array([start for start, _ in found], dtype=np.int64)
        self.ends: Seconds = np.array([end for _, end in found], dtype=np.int64)
        self.after: Seconds = np.cumsum(self.ends - self.starts)
        self.before: Seconds = self.after - (self.ends - self.starts)
        zone = ZoneInfo(hours.zone)
        self.first, self.last = second_of(_midnight(first, zone)), second_of(_midnight(last + timedelta(days=1), zone))
        self._starts, self._ends, self._after = self.starts.tolist(), self.ends.tolist(), self.after.tolist()

    def position(self, at: int) -> int:
        """Working seconds from the beginning of the span to a moment."""
        if not self.first <= at <= self.last:
            raise BeyondSpan(at)
        place = bisect_right(self._starts, at) - 1
        if place < 0:
            return 0
        return int(self._after[place] - max(self._ends[place] - at, 0))

    def moment(self, position: int) -> int:
        """The first moment at which that many working seconds have passed since the beginning of the span."""
        place = bisect_left(self._after, position)
        if place == len(self._after):
            raise BeyondSpan(position)
        return int(self._ends[place] - (self._after[place] - position))

    def add(self, starts: Seconds, seconds: Seconds) -> Seconds:
        """Deadlines of many clocks, shape (n,): the first moment at which `seconds` of working time have passed since `starts`."""
        if len(starts) and not self.first <= starts.min() <= starts.max() <= self.last:
            raise BeyondSpan(int(starts.max()))
        places = np.searchsorted(self.starts, starts, side="right") - 1
        known = np.maximum(places, 0)
        positions = np.where(places < 0, 0, self.after[known] - np.maximum(self.ends[known] - starts, 0)) + seconds
        places = np.searchsorted(self.after, positions, side="left")
        if len(places) and places.max() == len(self.after):
            raise BeyondSpan(int(positions.max()))
        return np.asarray(self.ends[places] - (self.after[places] - positions), dtype=np.int64)


@dataclass(frozen=True)
class Deadline:
    """When it is due; provisional when a year on the way has holidays that are not announced yet."""

    at: datetime
    is_provisional: bool


class WorkingCalendar:
    """Hours with the holidays of their country, looked up year by year, and an index that grows as far as it is asked.

    Parameters
    ----------
    hours
        Weekly intervals and days entered by hand; the latter win over holidays and make-up days.
    holidays_of
        The country's year.
    confirmed_years
        Years whose days somebody has entered by hand; they are not provisional.
    """

    def __init__(
        self, hours: Hours, holidays_of: Callable[[int], HolidayYear] = lambda _: NO_HOLIDAYS, confirmed_years: frozenset[int] = frozenset()
    ) -> None:
        self.hours, self.confirmed_years = hours, confirmed_years
        self._holidays_of = holidays_of
        self._zone = ZoneInfo(hours.zone)
        self._index = WorkingTime(hours, date(2000, 1, 1), date(2000, 1, 1))
        self._first_year, self._last_year = MAXYEAR, MINYEAR

    def add(self, start: datetime, seconds: int) -> Deadline:
        """The first moment at which `seconds` (> 0) of working time have passed since `start`."""
        if seconds <= 0:
            raise InvalidInput(
                Sentence("A target of {seconds} seconds was given; a target is more than 0.", seconds=seconds), field="target"
            )
        at, year = second_of(start), start.astimezone(self._zone).year
        for last_year in (year + 1, year + 4, year + MOST_YEARS):
            try:
                index = self._cover(year, last_year)
                due = datetime.fromtimestamp(index.moment(index.position(at) + seconds), UTC)
            except BeyondSpan:
                continue
            return Deadline(due, self.is_provisional(start, due))
        sentence = Sentence(
            "Nothing is due within {years} years on this calendar; lower the target or add working hours.", years=MOST_YEARS
        )
        raise InvalidInput(sentence, field="target")

    def measure(self, start: datetime, end: datetime) -> int:
        """Working seconds between two moments; 0 when the second is not after the first."""
        if end <= start:
            return 0
        index = self._cover(start.astimezone(self._zone).year, end.astimezone(self._zone).year)
        return index.position(second_of(end)) - index.position(second_of(start))

    def is_provisional(self, start: datetime, end: datetime) -> bool:
        """Whether a year between the two moments has holidays that are not announced and not entered by hand."""
        years = range(start.astimezone(self._zone).year, end.astimezone(self._zone).year + 1)
        return any(year not in self.confirmed_years and not self._holidays_of(year).is_published for year in years)

    def index(self, first_year: int, last_year: int) -> WorkingTime:
        """The index of some whole years; for many deadlines at once."""
        return WorkingTime(self._hours_of(range(first_year, last_year + 1)), date(first_year, 1, 1), date(last_year, 12, 31))

    def _cover(self, first_year: int, last_year: int) -> WorkingTime:
        if first_year < self._first_year or last_year > self._last_year:
            self._first_year, self._last_year = min(first_year, self._first_year), max(last_year, self._last_year)
            self._index = self.index(self._first_year, self._last_year)
        return self._index

    def _hours_of(self, years: range) -> Hours:
        days: dict[date, tuple[Interval, ...]] = {}
        for year in years:
            found = self._holidays_of(year)
            days |= dict.fromkeys(found.closed, ())
            days |= {day: self.hours.weekly[day.weekday()] or self.hours.usual() for day in found.make_up}
        return replace(self.hours, days=days | dict(self.hours.days))


def second_of(moment: datetime) -> int:
    """Whole seconds since 1970 (UTC), fractions cut off."""
    return (moment.astimezone(UTC) - _EPOCH) // _SECOND


_EPOCH, _SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _find_intervals(hours: Hours, first: date, last: date) -> Iterator[tuple[int, int]]:
    """Working intervals in UTC seconds, in order, neighbours joined."""
    zone = ZoneInfo(hours.zone)
    begin, end = second_of(_midnight(first, zone)), second_of(_midnight(last + timedelta(days=1), zone))
    open_start, open_end = 0, -1
    for segment_start, segment_end, offset in _find_segments(zone, begin, end):
        for start, stop in _find_local(hours, segment_start + offset, segment_end + offset):
            if start - offset == open_end:
                open_end = stop - offset
                continue
            if open_end > open_start:
                yield open_start, open_end
            open_start, open_end = start - offset, stop - offset
    if open_end > open_start:
        yield open_start, open_end


def _find_segments(zone: ZoneInfo, begin: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Stretches (start, end, offset) of UTC seconds with one offset of the zone each."""

    def offset_at(second: int) -> int:
        offset = datetime.fromtimestamp(second, zone).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())

    start, offset = begin, offset_at(begin)
    for look in [*range(begin + _STEP, end, _STEP), end]:
        later = offset_at(look)
        if later == offset:
            continue
        low, high = look - _STEP, look
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset_at(middle) == offset else (low, middle)
        yield start, high, offset
        start, offset = high, later
    if start < end:
        yield start, end, offset


def _find_local(hours: Hours, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Working intervals inside a stretch of local seconds (since 1970 on the wall clock)."""
    for number in range(begin // DAY, (end - 1) // DAY + 1):
        for first, last in hours.on(date(1970, 1, 1) + timedelta(days=number)):
            start, stop = max(number * DAY + first * MINUTE, begin), min(number * DAY + last * MINUTE, end)
            if start < stop:
                yield start, stop
