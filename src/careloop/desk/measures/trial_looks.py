"""All pairs of a comparison's groups, looked at as often as one likes: what is shown of each, put right for how many pairs there are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from careloop.insight.stats import Look, Moments, correct_by_holm, follow_p, look_at_means, look_at_shares, look_at_times

MEAN, SHARE, TIME = "MEAN", "SHARE", "TIME"
MORE, LESS, NOT_SHOWN, TOO_FEW = "MORE", "LESS", "NOT_SHOWN", "TOO_FEW"
CALLED = 0.05
CHECKPOINTS = 40

History = list[tuple[int, float, float, float]]


@dataclass(frozen=True)
class Rows:
    """What was seen, in the order of exposure: the group's place, the value (rating, 0 or 1, seconds), whether a time is over, the sort.

    `marks` says of each sort (a channel with a kind) which of the named columns are 1, the others being 0.
    """

    arms: NDArray[np.int64]
    values: NDArray[np.float64]
    ended: NDArray[np.bool_]
    sorts: NDArray[np.int64]
    marks: NDArray[np.float64]
    names: tuple[str, ...]

    def of(self, arm: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Values and endings of one group."""
        return self.values[self.arms == arm], self.ended[self.arms == arm]


@dataclass(frozen=True)
class Pair:
    """The first group beside the second, whenever and however often one looks. Of times all are hazard ratios (above 1: sooner over).

    The intervals of all pairs hold together (each at 5 % over their number); `p` is put right for all pairs (Holm) and never rises again.
    """

    first: int
    second: int
    difference: float | None
    low: float | None
    high: float | None
    p: float
    visible: float | None
    verdict: str


def look_at_pairs(form: str, rows: Rows, ratios: Sequence[float], control: int, planned: float) -> tuple[list[Pair], History]:
    """Every pair, the group that others are compared with always second, and what one has seen of the first pair with that group."""
    named = [(second, first) if first == control else (first, second) for first, second in combinations(range(len(ratios)), 2)]
    part = {pair: 1.0 if len(named) == 1 else ratios[pair[0]] + ratios[pair[1]] for pair in named}  # of what is planned
    looked = [_looks(form, rows, pair, planned * part[pair], CALLED / len(named)) for pair in named]
    right = correct_by_holm([follow_p(look for _n, look in looks)[-1] for looks in looked]).tolist()
    pairs = [_pair(form, pair, [look for _n, look in looks], p) for pair, looks, p in zip(named, looked, right, strict=True)]
    shown = next(looks for pair, looks in zip(named, looked, strict=True) if pair[1] == control) if form != TIME else []
    return pairs, [(n, look.difference, look.low, look.high) for n, look in shown if math.isfinite(look.low)]


def finite(value: float | None) -> float | None:
    """The number, or None for one that is infinite or none."""
    return float(value) if value is not None and math.isfinite(value) else None


def _looks(form: str, rows: Rows, pair: tuple[int, int], planned: float, alpha: float) -> list[tuple[int, Look]]:
    """What one would have seen after so many exposures, up to now; of times only now."""
    if form == TIME:
        look = look_at_times(rows.of(pair[0]), rows.of(pair[1]), planned=planned, alpha=alpha)
        return [(int(np.isin(rows.arms, pair).sum()), look)]
    both = np.flatnonzero(np.isin(rows.arms, pair))
    is_first, values = rows.arms[both] == pair[0], rows.values[both]
    stops = np.unique(np.linspace(0, len(both), CHECKPOINTS + 1).astype(int))
    sides = []
    for own in (is_first, ~is_first):
        sums = [np.concatenate(([0.0], np.cumsum(column)))[stops].tolist() for column in (own, values * own, values * values * own)]
        sides.append([Moments(int(n), total, squares) for n, total, squares in zip(*sums, strict=True)])
    looks = [_look(form, first, second, planned, alpha) for first, second in zip(*sides, strict=True)]
    return list(zip(stops.tolist(), looks, strict=True))


def _look(form: str, first: Moments, second: Moments, planned: float, alpha: float) -> Look:
    if form == MEAN:
        return look_at_means(first, second, planned=planned, alpha=alpha)
    return look_at_shares((int(first.total), first.n), (int(second.total), second.n), planned=planned, alpha=alpha)


def _pair(form: str, arms: tuple[int, int], looks: Sequence[Look], p: float) -> Pair:
    """As p is the smallest of all looks, the range is what all agree on: what was shown once stays shown, and says the same."""
    look, clearest = looks[-1], max(looks, key=lambda one: one.evidence)
    is_silent = not math.isfinite(look.low)
    agreed = max(one.low for one in looks), min(one.high for one in looks)
    is_agreed = agreed[0] <= look.difference <= agreed[1]  # else it is not now what it was, and the last look stands alone
    verdict = TOO_FEW if is_silent else NOT_SHOWN if p >= CALLED else MORE if clearest.difference > 0 else LESS
    ends = (math.nan if is_silent else look.difference, *(agreed if is_agreed else (look.low, look.high)), look.visible)
    difference, low, high, visible = (finite(math.exp(one) if form == TIME and math.isfinite(one) else one) for one in ends)
    return Pair(*arms, difference, low, high, p, visible, verdict)
