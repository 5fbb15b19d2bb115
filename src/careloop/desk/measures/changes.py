"""How much something changed from before to after, of people who were seen on both sides."""

from dataclasses import dataclass

from careloop.desk.measures.columns import Integers
from careloop.insight.stats import Moments, difference_of_means, mean_interval

BeforeAfter = tuple[Integers, Integers]  # of the same people in the same order


@dataclass(frozen=True)
class Change:
    """Averages of `n` people before and after, and the average change with its 95 % interval."""

    n: int
    before: float | None = None
    after: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None


def change_of(seen: BeforeAfter) -> Change:
    """The average change of each person."""
    before, after = seen
    if not len(before):
        return Change(0)
    moments = Moments.of(after - before)
    low, high = mean_interval(moments.n, moments.total, moments.total_of_squares) if moments.n > 1 else (None, None)
    return Change(moments.n, float(before.mean()), float(after.mean()), moments.mean, low, high)


def difference_of_changes(first: BeforeAfter, second: BeforeAfter) -> tuple[float, float, float] | None:
    """By how much the average changes differ, with the interval; None where fewer than two were seen on either side."""
    one, other = (Moments.of(after - before) for before, after in (first, second))
    if min(one.n, other.n) < 2:
        return None
    return (one.mean - other.mean, *difference_of_means(one, other))
