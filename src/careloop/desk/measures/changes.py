"""How much something changed from before to after, of people who were seen on both sides."""

from collections.abc import Sequence
from dataclasses import dataclass

from careloop.insight.stats import Moments, difference_of_means, mean_interval

Pairs = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class Change:
    """Averages of `n` people before and after, and the average change with its 95 % interval."""

    n: int
    before: float | None = None
    after: float | None = None
    change: float | None = None
    low: float | None = None
    high: float | None = None


def change_of(pairs: Pairs) -> Change:
    """The change of what is given as (before, after) of each."""
    if not pairs:
        return Change(0)
    before, after = (sum(pair[side] for pair in pairs) / len(pairs) for side in (0, 1))
    moments = _moments(pairs)
    low, high = mean_interval(moments.n, moments.total, moments.total_of_squares) if moments.n > 1 else (None, None)
    return Change(len(pairs), before, after, moments.mean, low, high)


def difference_of_changes(first: Pairs, second: Pairs) -> tuple[float, float, float] | None:
    """By how much the average changes differ, with the interval; None where fewer than two were seen on either side."""
    if min(len(first), len(second)) < 2:
        return None
    one, other = _moments(first), _moments(second)
    return (one.mean - other.mean, *difference_of_means(one, other))


def _moments(pairs: Pairs) -> Moments:
    return Moments.of([after - before for before, after in pairs])
