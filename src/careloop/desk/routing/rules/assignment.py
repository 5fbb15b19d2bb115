"""Waiting cases given to people with room for them, with a proof of how much better any other choice could be.

Cases bid for people (an auction with prices, after Bertsekas). A person's k-th place has a cost of its own, so that work spreads; a price
is what one more case would have to offer. The prices also give an upper bound of the best total, whatever it is.

References
----------
Bertsekas 1988, The auction algorithm: a distributed relaxation method for the assignment problem.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Numbers = NDArray[np.int64]
NOBODY = -1
NEVER = -np.inf  # the benefit of a pair that must not be
TOLERANCE_RATIO = 0.01  # of the mean of the cases' best benefits: the step by which prices rise
MOST_ROUNDS = 20_000


@dataclass(frozen=True)
class Assignment:
    """What was chosen.

    Attributes
    ----------
    person_of : ndarray of int, shape (n_cases,)
        The person of each case, -1 for nobody.
    value : float
        Total benefit less the cost of the places used.
    bound : float
        No assignment has a higher value.
    prices : ndarray, shape (n_people,)
        What one more case would have to be worth for each person to take it.
    """

    person_of: Numbers
    value: float
    bound: float
    prices: Doubles

    @property
    def gap_ratio(self) -> float:
        """How much better than this the best assignment could be at most, as a share of the bound."""
        return 0.0 if self.bound <= 0 else max(self.bound - self.value, 0.0) / self.bound


def assign(benefits: Doubles, place_costs: list[Doubles], *, tolerance_ratio: float = TOLERANCE_RATIO) -> Assignment:
    """Return an assignment within `n_cases × step` of the best one.

    Parameters
    ----------
    benefits : ndarray, shape (n_cases, n_people)
        What it is worth that a person takes a case; -inf where it must not be. A case that is worth less than any place is left waiting.
    place_costs : list of n_people arrays
        The ascending costs of each person's free places; an empty array is somebody without room.
    tolerance_ratio : float
        Step of the prices as a share of the cases' mean best benefit.
    """
    n_cases, n_people = benefits.shape
    width = max((len(costs) for costs in place_costs), default=0)
    costs = np.full((n_people, width + 1), np.inf)
    for person, own in enumerate(place_costs):
        costs[person, : len(own)] = own
    room = np.array([len(own) for own in place_costs], dtype=np.int64)
    best = benefits.max(axis=1, initial=NEVER)
    usable = best[np.isfinite(best)]
    step = tolerance_ratio * float(np.abs(usable).mean()) if len(usable) else 0.0
    if not step or not width:
        return _close(benefits, costs, np.full(n_cases, NOBODY), costs[:, 0])
    person_of, bids, prices = np.full(n_cases, NOBODY), np.zeros(n_cases), costs[:, 0].copy()
    narrow = benefits.astype(np.float32)  # half the memory to go through in each round; what is lost is far below the step
    waiting = np.flatnonzero(np.isfinite(best))
    for _ in range(MOST_ROUNDS):
        if not len(waiting):
            break
        waiting = _bid(narrow, prices, person_of, bids, waiting, step)
        waiting = _accept(costs, room, prices, person_of, bids, waiting)
    return _close(benefits, costs, person_of, prices)


def _bid(benefits: NDArray[np.float32], prices: Doubles, person_of: Numbers, bids: Doubles, waiting: Numbers, step: float) -> Numbers:
    """Each waiting case offers its favourite what it can without doing worse than with the second, or gives up; returns the bidders."""
    left = benefits[waiting] - prices.astype(np.float32)
    rows = np.arange(len(waiting))
    favourite = left.argmax(axis=1)
    first = left[rows, favourite]
    left[rows, favourite] = NEVER
    second = np.maximum(left.max(axis=1), 0.0)
    wants = first > 0
    waiting, favourite = waiting[wants], favourite[wants]
    person_of[waiting] = favourite
    bids[waiting] = benefits[waiting, favourite] - second[wants] + step
    return waiting


def _accept(costs: Doubles, room: Numbers, prices: Doubles, person_of: Numbers, bids: Doubles, bidders: Numbers) -> Numbers:
    """Each person keeps the highest bids that pay for their places and says the new price; returns the cases that were turned away."""
    if not len(bidders):
        return bidders
    is_asked = np.zeros(len(prices), dtype=bool)
    is_asked[person_of[bidders]] = True
    concerned = np.flatnonzero((person_of != NOBODY) & is_asked[person_of])
    order = concerned[np.lexsort((-bids[concerned], person_of[concerned]))]
    people, starts, counts = np.unique(person_of[order], return_index=True, return_counts=True)
    rank = np.arange(len(order)) - np.repeat(starts, counts)
    offered = bids[order]
    keeps = offered >= costs[person_of[order], np.minimum(rank, costs.shape[1] - 1)]
    kept = np.add.reduceat(keeps.astype(np.int64), starts)
    keeps = rank < np.repeat(kept, counts)  # costs ascend and bids descend: those that are kept come first
    is_full = kept == room[people]
    lowest = offered[starts + np.maximum(kept, 1) - 1]
    prices[people] = np.where(is_full, np.maximum(lowest, prices[people]), np.maximum(costs[people, kept], prices[people]))
    turned_away = order[~keeps]
    person_of[turned_away] = NOBODY
    return turned_away


def _close(benefits: Doubles, costs: Doubles, person_of: Numbers, prices: Doubles) -> Assignment:
    taken = np.flatnonzero(person_of != NOBODY)
    used = np.bincount(person_of[taken], minlength=len(costs))
    paid = sum(float(costs[person, :count].sum()) for person, count in enumerate(used) if count)
    value = float(benefits[taken, person_of[taken]].sum()) - paid
    finite = np.where(np.isfinite(prices), prices, 0.0)
    for_places = np.maximum(finite[:, None] - costs, 0.0).sum()
    left = (benefits - np.where(np.isfinite(prices), prices, np.inf)).max(axis=1, initial=0.0)
    return Assignment(person_of, value, float(for_places + np.maximum(left, 0.0).sum()), prices)
