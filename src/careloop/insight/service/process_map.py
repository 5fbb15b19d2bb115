"""The way of cases as a map: states, the steps between them, how often and how long; from rows of case, activity and time.

A case that is still open has stayed in its state at least until now: such stays are censored, not left out. The median stay in a state is
that of the product-limit curve. The median time of a step (state to state) weighs each observed step by one over the chance of not having
been cut off before it, so that slow steps, which are cut off more often, count fully.

References
----------
van der Aalst 2016, Process mining, chapter 6 (directly-follows graph).
Robins & Finkelstein 2000, Correcting for noncompliance and dependent censoring … (inverse probability of censoring weights).
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from careloop.insight.errors import InputError
from careloop.insight.stats.intervals import median_interval, wilson_interval
from careloop.insight.stats.survival import fit_survival

Doubles = NDArray[np.float64]


class State(NamedTuple):
    """An activity or state.

    Attributes
    ----------
    name : str
    n_cases, n_visits : int
        Cases that were ever in it, and how often all together; more visits than cases are returns.
    n_starts, n_ends, n_open : int
        Cases that began in it, that ended (closed) in it, and that are in it now.
    median_seconds, low_seconds, high_seconds : float or None
        Stay until the next step with its 95 % interval, open ones censored; None when fewer than half are known to have moved on.
    """

    name: str
    n_cases: int
    n_visits: int
    n_starts: int
    n_ends: int
    n_open: int
    median_seconds: float | None
    low_seconds: float | None
    high_seconds: float | None


class Step(NamedTuple):
    """A handover from one state to the next.

    Attributes
    ----------
    source, target : str
    n : int
        How often.
    share, low, high : float
        Of the steps out of the source with its 95 % interval, 0–1.
    median_seconds : float
        From arrival in the source to arrival in the target.
    """

    source: str
    target: str
    n: int
    share: float
    low: float
    high: float
    median_seconds: float


@dataclass(frozen=True)
class ProcessMap:
    """States by visits and steps by number, most first; the number of cases, and of those that came back to a state."""

    states: tuple[State, ...]
    steps: tuple[Step, ...]
    n_cases: int
    n_with_returns: int


def draw_map(
    cases: Sequence[Hashable],
    activities: Sequence[str],
    seconds: ArrayLike,
    *,
    now: float | None = None,
    open_cases: Collection[Hashable] = (),
) -> ProcessMap:
    """Return the map.

    Parameters
    ----------
    cases : sequence, length n_rows
        Which case each row belongs to.
    activities : sequence of str, length n_rows
        The state entered.
    seconds : array_like, shape (n_rows,)
        When, in seconds from any origin. Rows need no order; of rows at the same time the one given first comes first.
    now : float or None
        Until when open cases are known, on the same clock; needed when there are any.
    open_cases : collection
        Cases that are not over.

    Raises
    ------
    InputError
        When lengths differ, a time is not finite, or cases are open and `now` is missing or earlier than their last row.
    """
    times = np.asarray(seconds, dtype=np.float64)
    if not len(cases) == len(activities) == len(times):
        raise InputError(f"{len(cases)} cases, {len(activities)} activities and {len(times)} times; give one of each a row.")
    if not np.isfinite(times).all():
        raise InputError("A time is missing or not finite; leave such rows out.")
    names, states = np.unique(np.array([str(one) for one in activities], dtype=str), return_inverse=True)
    known: dict[Hashable, int] = {}
    numbers = np.array([known.setdefault(one, len(known)) for one in cases], dtype=np.int64)
    order = np.lexsort((np.arange(len(times)), times, numbers))
    numbers, states, times = numbers[order], states[order], times[order]
    is_open = np.array([one in open_cases for one in known], dtype=bool)
    return _count(names, _Rows(numbers, states, times, is_open), now)


@dataclass(frozen=True)
class _Rows:
    """Rows in order of case and time; `is_open` has one entry a case."""

    cases: NDArray[np.int64]
    states: NDArray[np.int64]
    times: Doubles
    is_open: NDArray[np.bool_]


def _count(names: NDArray[np.str_], rows: _Rows, now: float | None) -> ProcessMap:
    n = len(rows.times)
    moves = np.zeros(n, dtype=bool)
    moves[:-1] = rows.cases[1:] == rows.cases[:-1]
    stays = np.zeros(n)
    stays[:-1] = np.where(moves[:-1], rows.times[1:] - rows.times[:-1], 0.0)
    is_open = ~moves & rows.is_open[rows.cases] if n else moves
    if is_open.any():
        if now is None or now < rows.times[is_open].max():
            raise InputError("Some cases are open: say until when they are known (`now`), not before their last row.")
        stays[is_open] = now - rows.times[is_open]
    begins = np.ones(n, dtype=bool)
    begins[1:] = ~moves[:-1]
    found: list[State] = []
    steps: list[Step] = []
    for place, name in enumerate(names):
        here = rows.states == place
        told = here & (moves | is_open)
        curve = fit_survival(stays[told], moves[told])
        n_visits, n_starts, n_ends, n_open = (int((here & one).sum()) for one in (here, begins, ~moves & ~is_open, is_open))
        n_cases = len(np.unique(rows.cases[here]))
        found.append(State(str(name), n_cases, n_visits, n_starts, n_ends, n_open, curve.quantile(0.5), *median_interval(curve)))
        steps += _steps_from(place, names, rows, (moves, is_open, stays))
    visits = {(int(case), int(state)) for case, state in zip(rows.cases, rows.states, strict=True)}
    different = np.bincount([case for case, _ in visits], minlength=len(rows.is_open)) if visits else np.zeros(0)
    returned = np.bincount(rows.cases, minlength=len(rows.is_open)) > different
    return ProcessMap(
        tuple(sorted(found, key=lambda one: (-one.n_visits, one.name))),
        tuple(sorted(steps, key=lambda one: (-one.n, one.source, one.target))),
        len(rows.is_open),
        int(returned.sum()),
    )


def _steps_from(
    place: int, names: NDArray[np.str_], rows: _Rows, known: tuple[NDArray[np.bool_], NDArray[np.bool_], Doubles]
) -> list[Step]:
    moves, is_open, stays = known
    leaves = np.flatnonzero((rows.states == place) & moves)
    told = (rows.states == place) & (moves | is_open)
    cut_off = fit_survival(stays[told], is_open[told])
    targets = rows.states[leaves + 1]
    steps = []
    for target in np.unique(targets):
        taken = stays[leaves[targets == target]]
        weights = np.array([1 / max(_before(cut_off.times, cut_off.survival, one), 1e-9) for one in taken])
        median = _weighted_median(taken, weights)
        low, high = wilson_interval(len(taken), len(leaves))
        steps.append(Step(str(names[place]), str(names[target]), len(taken), len(taken) / len(leaves), low, high, median))
    return steps


def _before(times: Doubles, survival: Doubles, time: float) -> float:
    """Return the chance of not having been cut off before a time."""
    place = int(np.searchsorted(times, time, side="left")) - 1
    return 1.0 if place < 0 else float(survival[place])


def _weighted_median(values: Doubles, weights: Doubles) -> float:
    """Return the middle of the two values around half of the weight, as the median of equally weighted values is."""
    order = np.argsort(values, kind="stable")
    values, shares = values[order], np.cumsum(weights[order]) / weights.sum()
    low = int(np.searchsorted(shares, 0.5 - 1e-12))
    high = int(np.searchsorted(shares, 0.5 + 1e-12))
    return float((values[low] + values[min(high, len(values) - 1)]) / 2)
