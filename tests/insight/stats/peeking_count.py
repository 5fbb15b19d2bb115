"""How often a comparison without a difference is called one when it is looked at daily.

`python -m tests.insight.stats.peeking_count [comparisons]` prints a table: shares, averages
and times, each looked at daily for a year.
The tests run it with few comparisons.
"""

import sys

import numpy as np

from careloop.insight.stats.intervals import Moments
from careloop.insight.stats.sequential import look_at_means, look_at_shares, look_at_times

DAYS = 365
# share of successes, cases a day, part held out, planned size
SHARES = [
    (0.5, 6, 0.5, 600),
    (0.05, 6, 0.5, 600),
    (0.9, 20, 0.1, 2000),
    (0.02, 40, 0.2, 5000),
    (0.8, 3, 0.5, 100),
]
# standard deviation of the logarithm of lognormal times (2 is as skewed as resolution times), cases a day, part held out, planned size
MEANS = [(0.0, 6, 0.5, 600), (0.5, 20, 0.1, 2000), (1.0, 10, 0.3, 1000), (2.0, 20, 0.5, 3000)]


TIMES = [(1.0, 3, 0.5, 400), (1.5, 6, 0.1, 1000)]  # as for averages


def _arms(rng: np.random.Generator, a_day: int, held_out: float) -> tuple[np.ndarray, np.ndarray]:
    numbers = rng.poisson(a_day, DAYS)
    held = rng.binomial(numbers, held_out)
    return numbers - held, held


def calls_share(rng: np.random.Generator, case: tuple[float, int, float, int], *, difference: float = 0.0) -> bool:
    """Whether one comparison of shares is called on any day."""
    base, a_day, held_out, planned = case
    counts = _arms(rng, a_day, held_out)
    won = [np.cumsum(rng.binomial(count, share)) for count, share in zip(counts, (base + difference, base), strict=True)]
    tried = [np.cumsum(count) for count in counts]
    looks = zip(won[0].tolist(), tried[0].tolist(), won[1].tolist(), tried[1].tolist(), strict=True)
    return any(look_at_shares((a, m), (b, n), planned=planned).p < 0.05 for a, m, b, n in looks)


def calls_mean(rng: np.random.Generator, case: tuple[float, int, float, int]) -> bool:
    """Whether one comparison of averages is called on any day; a deviation of 0 stands for normal values."""
    skew, a_day, held_out, planned = case
    arms = []
    for counts in _arms(rng, a_day, held_out):
        values = rng.lognormal(0, skew, counts.sum()) if skew else rng.normal(0, 1, counts.sum())
        ends = np.cumsum(counts)
        totals, squares = (np.concatenate(([0.0], np.cumsum(one)))[ends] for one in (values, values**2))
        arms.append([Moments(*row) for row in zip(ends.tolist(), totals.tolist(), squares.tolist(), strict=True)])
    return any(look_at_means(one, other, planned=planned).p < 0.05 for one, other in zip(*arms, strict=True))


def calls_time(rng: np.random.Generator, case: tuple[float, int, float, int]) -> bool:
    """Whether one comparison of times with open ends is called on any day; looked at every third day, as each look sorts them all."""
    skew, a_day, held_out, planned = case
    begun = np.sort(rng.uniform(0, DAYS, rng.poisson(a_day * DAYS)))
    took, held = rng.lognormal(1, skew, len(begun)), rng.random(len(begun)) < held_out
    for day in range(3, DAYS, 3):
        seen = begun <= day
        spans, over = np.minimum(took, day - begun)[seen], (took <= day - begun)[seen]
        arms = [(spans[held[seen] == arm], over[held[seen] == arm]) for arm in (False, True)]
        if look_at_times(*arms, planned=planned).p < 0.05:
            return True
    return False


def count_false_calls(kind: str, place: int, *, comparisons: int, seed: int) -> float:
    """Return the share of comparisons without a difference that were called, 0–1."""
    rng = np.random.default_rng(seed)
    calls, cases = KINDS[kind]
    return sum(calls(rng, cases[place]) for _ in range(comparisons)) / comparisons


KINDS = {"shares": (calls_share, SHARES), "averages": (calls_mean, MEANS), "times": (calls_time, TIMES)}


if __name__ == "__main__":
    chosen = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    for kind, (_calls, cases) in KINDS.items():
        for place, case in enumerate(cases):
            print(f"{kind:9} {case!s:28} called {count_false_calls(kind, place, comparisons=chosen, seed=1):.4f} of {chosen}", flush=True)
