"""How much more or less a solution helps than the library's others: a factor for its probability."""

from collections.abc import Mapping
from typing import NamedTuple

USUAL_JUDGED = 10  # judgements as which the library's average counts, so that a first no does not bury a solution
LEAST_WORTH, MOST_WORTH = 0.5, 2.0


class Judged(NamedTuple):
    """How often a solution has helped, of how many times that are judged."""

    n_helped: int
    n: int


def worth_of(judged: Mapping[int, Judged]) -> dict[int, float]:
    """Each solution's share of help over the library's, 1 where nothing is known; both drawn towards the average.

    A solution that never helped in 10 judgements while the others help counts half, however clearly words speak for it.
    """
    n_helped, n = sum(one.n_helped for one in judged.values()), sum(one.n for one in judged.values())
    if n_helped == 0:
        return {}
    usual = n_helped / n
    worth = {}
    for key, one in judged.items():
        share = (one.n_helped + USUAL_JUDGED * usual) / (one.n + USUAL_JUDGED)
        worth[key] = round(min(MOST_WORTH, max(LEAST_WORTH, share / usual)), 4)
    return worth
