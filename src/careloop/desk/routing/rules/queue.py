"""What it costs to let a case wait for one more hour, and so which comes first: the greatest cost per hour of work (the c·μ rule).

References
----------
Cox and Smith 1961, Queues; van Mieghem 1995, Dynamic scheduling with convex delay costs: the generalized cμ rule; Kaplan and Meier 1958,
Nonparametric estimation from incomplete observations.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp
from typing import Any

PRIORITY_WEIGHTS = {10: 0.5, 20: 1.0, 30: 2.0, 40: 4.0}
KIND_WEIGHTS = {"COMPLAINT": 1.6, "REFUND": 1.4, "CONSULTATION": 1.0, "SUGGESTION": 0.5, "PRAISE": 0.4}
MINUTES = {"COMPLAINT": 20, "REFUND": 12, "CONSULTATION": 8, "SUGGESTION": 5, "PRAISE": 3}
USUAL_MINUTES = 8
LATENESS = 8.0  # how much worse an hour is for somebody to whom we are late than for somebody who only waits
USUAL_WAIT_HOURS = 4.0
LEAST_WAIT_HOURS = 0.25
MOST_VALUE = 3.0
VALUE_WORDS = {"HIGH": 2.0, "VIP": 3.0, "GOLD": 2.0, "PLATINUM": 3.0, "高": 2.0, "高价值": 2.0, "重要": 2.0, "贵宾": 3.0}


@dataclass(frozen=True)
class Delay:
    """What one more hour costs (1.0: an hour of an ordinary enquiry with no promise), over the hours of work, and from what.

    `parts` are the factors by name with the facts that a sentence needs; multiplied they give `cost_per_hour`.
    """

    cost_per_hour: float
    minutes: int
    parts: list[dict[str, Any]]

    @property
    def score(self) -> float:
        """Cost of an hour's delay per hour of work."""
        return self.cost_per_hour * 60 / self.minutes


@dataclass(frozen=True)
class PastTimes:
    """The share (0–1) of past cases that took longer than each of some working times in seconds, ascending; `ended` of them had ended."""

    seconds: Sequence[int]
    shares: Sequence[float]
    ended: int

    def share_beyond(self, seconds: float) -> float:
        """The share that took longer than this."""
        place = bisect_right(self.seconds, seconds) - 1
        return 1.0 if place < 0 else self.shares[place]

    def late_chance(self, elapsed: float, target: float) -> float:
        """Of those that took longer than `elapsed`, the share that took longer than `target`; 1 where none took that long before."""
        still = self.share_beyond(max(elapsed, 0.0))
        return self.share_beyond(target) / still if still > 0 else 1.0


@dataclass(frozen=True)
class Late:
    """The chance (0–1) that a deadline is missed, and of how many past cases it is known (0: from the team's usual waits)."""

    chance: float
    past: int = 0


def customer_value(attributes: Mapping[str, Any]) -> float:
    """How much more a customer weighs than another, 1 to 3: `value` of the record as a number or word, else what `segment` says."""
    for name in ("value", "segment"):
        given = attributes.get(name)
        if isinstance(given, bool) or given in (None, ""):
            continue
        if isinstance(given, int | float):
            return min(max(float(given), 1.0), MOST_VALUE) if given == given else 1.0  # noqa: PLR0124  (NaN is not itself)
        if (weight := VALUE_WORDS.get(str(given).strip().upper())) is not None:
            return weight
    return 1.0


def late_chance(due_at: datetime | None, now: datetime, wait_hours: float) -> float:
    """Chance that a case is still waiting at its deadline: 1 when it is past, 0 without one.

    Waiting times are taken as exponential with the mean that the team had lately, in hours (> 0).
    """
    if due_at is None:
        return 0.0
    hours = (due_at - now).total_seconds() / 3600
    return 1.0 if hours <= 0 else exp(-hours / max(wait_hours, LEAST_WAIT_HOURS))


def cost_of_delay(  # noqa: PLR0913  (these are the facts that it depends on)
    *, priority: int, kind: str, due_at: datetime | None, value: float, now: datetime, late: Late | None = None,
    minutes: Mapping[str, int] | None = None,
) -> Delay:  # fmt: skip
    """Expected cost of one more hour, and the minutes that the work takes (`minutes` by kind replace the usual ones)."""
    late = late or Late(late_chance(due_at, now, USUAL_WAIT_HOURS))
    parts: list[dict[str, Any]] = [
        {"what": "PRIORITY", "priority": priority, "factor": PRIORITY_WEIGHTS.get(priority, 1.0)},
        {"what": "KIND", "kind": kind, "factor": KIND_WEIGHTS.get(kind, 1.0)},
        {"what": "VALUE", "factor": value},
    ]
    if due_at is not None:
        seconds = int((due_at - now).total_seconds())
        known = {"past": late.past} if late.past else {}
        factor = round(1 + LATENESS * late.chance, 3)
        parts.append({"what": "DUE", "seconds": seconds, "chance": round(late.chance, 3), **known, "factor": factor})
    cost = 1.0
    for part in parts:
        cost *= part["factor"]
    told = [part for part in parts if part["factor"] != 1.0 or part["what"] == "DUE"]
    return Delay(cost, max((minutes or {}).get(kind) or MINUTES.get(kind, USUAL_MINUTES), 1), told)
