"""How sums become a value with its interval."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from math import sqrt

from careloop.desk.analysis.intervals import Z95, rate_of, student_quantile
from careloop.desk.measures.rules.definitions import COUNT, MEAN, RATE, SHARE, Measure


@dataclass(frozen=True)
class Sums:
    """What facts add up to: how many count, the sum of their values (of hits, for a share) and of the values' squares.

    For a rate `n` is the tasks done and `total` the seconds worked.
    """

    n: int = 0
    total: int = 0
    squares: int = 0

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(self.n + other.n, self.total + other.total, self.squares + other.squares)


@dataclass(frozen=True)
class Figure:
    """One number: its value, its 95 % interval and the number of facts behind it; None where that cannot be told."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    sums: Sums = field(default_factory=Sums)

    def __bool__(self) -> bool:
        return self.value is not None


NOTHING = Figure(None, None, None, 0)


def figure_of(measure: Measure, sums: Sums) -> Figure:
    """The value of any measure but a median."""
    if measure.form == COUNT:
        return Figure(float(sums.n), None, None, sums.n, sums)
    if measure.form == SHARE:
        rate = rate_of(sums.total, sums.n)
        return Figure(rate.share, rate.low, rate.high, sums.n, sums)
    if measure.form == MEAN:
        return _mean(measure, sums)
    if measure.form == RATE:
        return _rate(sums)
    raise ValueError(f"{measure.key} is a {measure.form}; sums give the value of a count, share, mean or rate.")


def _mean(measure: Measure, sums: Sums) -> Figure:
    """The average with Student's interval, within the range of possible values.

    Where all values are the same, Student's has no width: then as many others as Wilson's upper end of none of n may lie at either end.
    """
    n, scale = sums.n, measure.scale
    if n == 0:
        return NOTHING
    average = sums.total / n
    if n == 1:
        return Figure(average / scale, None, None, n, sums)
    if n * sums.squares == sums.total**2 and measure.lowest is not None and measure.highest is not None:
        value, others = average / scale, rate_of(0, n).high or 0.0
        return Figure(value, value - others * (value - measure.lowest), value + others * (measure.highest - value), n, sums)
    half = student_quantile(n - 1) * sqrt(max(0, n * sums.squares - sums.total**2) / (n * (n - 1)) / n)
    low, high = (average - half) / scale, (average + half) / scale
    low = low if measure.lowest is None else max(float(measure.lowest), low)
    high = high if measure.highest is None else min(float(measure.highest), high)
    return Figure(average / scale, low, high, n, sums)


def _rate(sums: Sums) -> Figure:
    """Tasks an hour, with Byar's approximation of the Poisson interval.

    References
    ----------
    Breslow & Day (1987), Statistical methods in cancer research II, 69.
    """
    if sums.total <= 0:
        return Figure(None, None, None, sums.n, sums)
    hours, done = sums.total / 3600, sums.n
    low = 0.0 if done == 0 else done * (1 - 1 / (9 * done) - Z95 / (3 * sqrt(done))) ** 3
    more = done + 1
    high = more * (1 - 1 / (9 * more) + Z95 / (3 * sqrt(more))) ** 3
    return Figure(done / hours, max(0.0, low) / hours, high / hours, done, sums)


def fold_day(day: int, unit: str) -> int:
    """The first day (as an ordinal) of the week (Monday) or month that holds a day; the day itself for days."""
    if unit == "week":
        return day - (day - 1) % 7
    if unit == "month":
        return date.fromordinal(day).replace(day=1).toordinal()
    return day


def list_days(first: int, last: int, unit: str) -> list[int]:
    """The first days of all weeks, months or days between two days, both included, in order."""
    days, day = [], fold_day(first, unit)
    while day <= last:
        days.append(day)
        day = fold_day(day + {"week": 7, "month": 31}.get(unit, 1), unit)
    return days


def add_up(parts: Iterable[Sums]) -> Sums:
    """All together."""
    total = Sums()
    for one in parts:
        total += one
    return total


def period_before(since: date, until: date) -> tuple[date, date]:
    """The period of the same length that ends the day before."""
    length = until - since
    return since - length - timedelta(days=1), since - timedelta(days=1)
