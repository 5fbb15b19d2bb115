"""Efficiency: tasks done ÷ time spent, with an interval; and the communication-efficiency score of a house.

| figure | tasks done | time spent |
|---|---|---|
| communication | replies sent, whatever the kind | handling time of all cases |
| consultation | consultations solved | handling time of consultations, solved or not |
| complaint | complaints solved | handling time of complaints |
| refund | refunds and returns solved | handling time of refunds and returns |

Sums are divided, not averages of ratios: an hour counts as an hour wherever it was spent.

References
----------
Cochran 1977, Sampling techniques, chapter 6 (ratio estimator and its variance).
Zou & Donner 2008, Construction of confidence limits about effect measures: a general approach (MOVER; for the score).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t

from careloop.insight.errors import InputError
from careloop.insight.stats.intervals import rate_interval
from careloop.insight.types import KINDS

Doubles = NDArray[np.float64]
Task = Literal["communication", "consultation", "complaint", "refund"]

TASKS: tuple[Task, ...] = ("communication", "consultation", "complaint", "refund")
_HOUR = 3600.0
_LEAST_CASES = 2


class Efficiency(NamedTuple):
    """Tasks done an hour.

    Attributes
    ----------
    value : float or None
        Tasks an hour; None when no time was spent.
    low, high : float or None
        95 % interval; None when one case alone cannot tell.
    done : float
        Tasks.
    hours : float
        Time spent.
    n : int
        Cases with time or tasks.
    """

    value: float | None
    low: float | None
    high: float | None
    done: float
    hours: float
    n: int


@dataclass(frozen=True)
class Work:
    """What was done in cases within a stretch of time.

    Attributes
    ----------
    kinds : sequence of str, length n_cases
        Kind of each case (`insight.types.KINDS`).
    replies : array_like, shape (n_cases,)
        Replies sent, ≥ 0.
    solved : array_like of bool, shape (n_cases,)
        Whether it was solved within the stretch.
    seconds : array_like, shape (n_cases,)
        Handling time spent within the stretch, ≥ 0.
    """

    kinds: Sequence[str]
    replies: ArrayLike
    solved: ArrayLike
    seconds: ArrayLike


class Part(NamedTuple):
    """A part of the score: its value with interval, all 0–1 (1 is best), and what it weighs."""

    value: float | None
    low: float | None
    high: float | None
    weight: float


class Score(NamedTuple):
    """The communication-efficiency score with its interval, 0–100; None when a part that weighs something is not known."""

    value: float | None
    low: float | None
    high: float | None


def measure_efficiency(done: ArrayLike, seconds: ArrayLike) -> Efficiency:
    """Return tasks done ÷ time spent.

    Parameters
    ----------
    done : array_like, shape (n_cases,)
        Tasks done in each case, ≥ 0.
    seconds : array_like, shape (n_cases,)
        Time spent on each case, ≥ 0.

    Raises
    ------
    InputError
        When shapes differ or a value is negative or not finite.

    Examples
    --------
    >>> found = measure_efficiency([1, 1, 0], [1800, 3600, 1800])
    >>> found.value, found.hours
    (1.0, 2.0)
    """
    tasks, spent = np.asarray(done, dtype=np.float64), np.asarray(seconds, dtype=np.float64)
    if tasks.shape != spent.shape or tasks.ndim != 1:
        raise InputError(f"{tasks.shape} tasks and {spent.shape} times were given; give one of each for every case.")
    if len(tasks) and not (np.isfinite(tasks).all() and np.isfinite(spent).all() and min(tasks.min(), spent.min()) >= 0):
        raise InputError("Tasks done or time spent is negative or not finite; both are at least 0.")
    counted = (tasks > 0) | (spent > 0)
    tasks, hours = tasks[counted], spent[counted] / _HOUR
    n, total_done, total_hours = len(tasks), float(tasks.sum()), float(hours.sum())
    if total_hours <= 0:
        return Efficiency(None, None, None, total_done, 0.0, n)
    value = total_done / total_hours
    if total_done <= 0:
        return Efficiency(0.0, 0.0, rate_interval(0, total_hours)[1], 0.0, total_hours, n)
    if n < _LEAST_CASES:
        return Efficiency(value, None, None, total_done, total_hours, n)
    residuals = tasks - value * hours
    error = math.sqrt(n / (n - 1) * float(residuals @ residuals)) / total_done  # of the ratio's logarithm
    factor = math.exp(min(float(t.ppf(0.975, n - 1)) * error, 50.0))
    return Efficiency(value, value / factor, value * factor, total_done, total_hours, n)


def measure_efficiencies(work: Work) -> dict[Task, Efficiency]:
    """Return the four efficiencies of the table above.

    Raises
    ------
    InputError
        As `measure_efficiency`; also when a kind is unknown.
    """
    unknown = sorted(set(work.kinds) - set(KINDS))
    if unknown:
        raise InputError(f"“{unknown[0]}” is no kind of case; kinds are {', '.join(KINDS)}.")
    kinds, replies = np.array(work.kinds, dtype=object), np.asarray(work.replies, dtype=np.float64)
    solved, seconds = np.asarray(work.solved, dtype=np.float64), np.asarray(work.seconds, dtype=np.float64)
    if not kinds.shape == replies.shape == solved.shape == seconds.shape:
        raise InputError(f"Kinds, replies, solved and seconds have {len(kinds)}, {replies.shape}, {solved.shape}, {seconds.shape} cases.")
    found = {"communication": measure_efficiency(replies, seconds)}
    for task in TASKS[1:]:
        found[task] = measure_efficiency(solved[kinds == task], seconds[kinds == task])
    return {task: found[task] for task in TASKS}


def rate_speed(seconds: float, *, target_seconds: float) -> float:
    """Return how quick a first response is, 0–1: 2^(−seconds / target), so 1 at once, ½ at the target, ¼ at twice the target.

    Raises
    ------
    InputError
        When the time is negative or the target is not above 0.

    References
    ----------
    Ours: falls evenly on the scale of halvings, has no cliff at the target and no end.
    """
    if seconds < 0 or target_seconds <= 0:
        raise InputError(f"A response after {seconds:g} s with a target of {target_seconds:g} s cannot be rated; times are above 0.")
    return float(2 ** (-seconds / target_seconds))


def score_communication(parts: Mapping[str, Part]) -> Score:
    """Return the communication-efficiency score: 100 · Σ weight · value / Σ weight.

    The parts that a house weighs: “speed” (`rate_speed` of the median first response), “first_contact” (share of cases solved by the
    first reply, not reopened) and “satisfaction” (mean score between the worst, 0, and the best, 1). Weights are the house's. The interval
    joins those of the parts as if they were independent: each side is the root of the summed squares of weighted distances.

    Parameters
    ----------
    parts : mapping of str to Part

    Raises
    ------
    InputError
        When no part weighs anything, a weight is negative, or a value is outside 0–1.
    """
    weighing = {name: part for name, part in parts.items() if part.weight != 0}
    if not weighing or any(part.weight < 0 for part in weighing.values()):
        raise InputError("The parts of the score need weights of at least 0, one of them above 0.")
    if any(part.value is None for part in weighing.values()):
        return Score(None, None, None)
    total = sum(part.weight for part in weighing.values())
    value, below, above = 0.0, 0.0, 0.0
    for name, part in weighing.items():
        assert part.value is not None
        if not 0 <= part.value <= 1:
            raise InputError(f"The part “{name}” is {part.value:g}; parts are between 0 and 1.")
        share = part.weight / total
        low, high = (0.0 if part.low is None else part.low), (1.0 if part.high is None else part.high)
        value += share * part.value
        below += (share * (part.value - low)) ** 2
        above += (share * (high - part.value)) ** 2
    return Score(100 * value, 100 * max(0.0, value - math.sqrt(below)), 100 * min(1.0, value + math.sqrt(above)))
