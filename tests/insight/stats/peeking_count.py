"""How often a comparison without a difference is called one when it is looked at daily.

`python -m tests.insight.stats.peeking_count [comparisons] [kind …]` prints a table: shares, averages and
ratings, small and skewed ones among them, looked at daily for a year; times every third day (a tenth of the
comparisons, as each look sorts all of them); all ten pairs of five groups every week.
The tests run it with few comparisons.
"""

import sys
from collections.abc import Callable
from itertools import combinations

import numpy as np

from careloop.insight.stats.intervals import Moments
from careloop.insight.stats.multiplicity import correct_by_holm
from careloop.insight.stats.sequential import look_at_means, look_at_shares, look_at_times

DAYS = 365
LEAST_ERRORS = 2.4  # nothing is called below √(2 ln 20) = 2.45 standard errors: on such days nobody needs to look closer
# share of successes, cases a day, part held out, planned size
SHARES = [
    (0.5, 6, 0.5, 600),
    (0.05, 6, 0.5, 600),
    (0.9, 20, 0.1, 2000),
    (0.02, 40, 0.2, 5000),
    (0.8, 3, 0.5, 100),
    (0.02, 1, 0.5, 60),
    (0.97, 1, 0.2, 60),
    (0.98, 20, 0.05, 200),
]
# standard deviation of the logarithm of lognormal times (2 is as skewed as resolution times), cases a day, part held out, planned size
MEANS = [
    (0.0, 6, 0.5, 600),
    (0.5, 20, 0.1, 2000),
    (1.0, 10, 0.3, 1000),
    (2.0, 20, 0.5, 3000),
    (2.0, 1, 0.5, 60),
    (1.0, 1, 0.2, 60),
    (1.0, 20, 0.05, 200),
    (2.0, 20, 0.05, 200),
]
# part of ratings that are 5, the others evenly 1–4; as above
RATINGS = [(0.85, 1, 0.2, 60), (0.95, 20, 0.05, 200), (0.95, 20, 0.1, 2000), (0.98, 20, 0.05, 200), (0.4, 6, 0.5, 600)]
# as for ratings; of those held back 70 % are 5 where of the others 85 % are, and the reverse: what is called is there
DIFFERENT = [(0.85, 1, 0.5, 300), (0.85, 1, 0.2, 300), (0.7, 1, 0.2, 300), (0.85, 4, 0.05, 300), (0.7, 4, 0.05, 300)]
FIVE = [(0.3, 10, 0.2, 2000), (0.05, 3, 0.2, 500)]  # as for shares; the part is each group's

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
    shares = [(one + 1) / (n + 2) for one, n in zip(won, tried, strict=True)]
    spread = sum(share * (1 - share) / (n + 2) for share, n in zip(shares, tried, strict=True))
    days = np.flatnonzero(np.abs(shares[0] - shares[1]) > LEAST_ERRORS * np.sqrt(spread))
    looks = zip(*(one[days].tolist() for one in (won[0], tried[0], won[1], tried[1])), strict=True)
    return any(look_at_shares((a, m), (b, n), planned=planned).p < 0.05 for a, m, b, n in looks)


def calls_mean(rng: np.random.Generator, case: tuple[float, int, float, int]) -> bool:
    """Whether one comparison of averages is called on any day; a deviation of 0 stands for normal values."""
    skew = case[0]
    return calls_average(rng, case, lambda n: rng.lognormal(0, skew, n) if skew else rng.normal(0, 1, n))


def calls_rating(rng: np.random.Generator, case: tuple[float, int, float, int], *, held: float | None = None) -> bool:
    """Whether one comparison of ratings is called on any day; `held` is the part of 5 in the group that goes without, where it differs."""
    parts = [case[0], case[0] if held is None else held]
    return calls_average(rng, case, lambda n: _ratings(rng, parts.pop(0), n))


def sees_rating(rng: np.random.Generator, case: tuple[float, int, float, int]) -> bool:
    """Whether ratings of which 85 % are 5 are told from those of which 70 % are."""
    return calls_rating(rng, case, held=0.7 if case[0] > 0.8 else 0.85)


def _ratings(rng: np.random.Generator, best: float, n: int) -> np.ndarray:
    return np.where(rng.random(n) < best, 5.0, rng.integers(1, 5, n))


def calls_average(rng: np.random.Generator, case: tuple[float, int, float, int], draw: Callable[[int], np.ndarray]) -> bool:
    """Whether one comparison of averages of what is drawn is called on any day."""
    _shape, a_day, held_out, planned = case
    arms = []
    for counts in _arms(rng, a_day, held_out):
        values = draw(counts.sum())
        ends = np.cumsum(counts)
        totals, squares = (np.concatenate(([0.0], np.cumsum(one)))[ends] for one in (values, values**2))
        arms.append((ends, totals, squares))
    with np.errstate(all="ignore"):
        means = [totals / ends for ends, totals, _squares in arms]
        spread = sum((squares - totals**2 / ends) / (ends - 1) / ends for ends, totals, squares in arms)
        days = np.flatnonzero(~(np.abs(means[0] - means[1]) <= LEAST_ERRORS * np.sqrt(spread)))
    looked = [[Moments(*row) for row in zip(*(column[days].tolist() for column in arm), strict=True)] for arm in arms]
    return any(look_at_means(one, other, planned=planned).p < 0.05 for one, other in zip(*looked, strict=True))


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


def calls_any_pair(rng: np.random.Generator, case: tuple[float, int, float, int]) -> bool:
    """Whether any of the ten pairs of five groups is called in any week, put right for all pairs."""
    base, a_day, part, planned = case
    tried = np.cumsum(rng.poisson(7 * a_day * part, (DAYS // 7, 5)), axis=0)
    won = np.cumsum(rng.binomial(np.diff(tried, axis=0, prepend=0), base), axis=0)
    lowest = np.ones(10)
    for week in range(len(tried)):
        groups = list(zip(won[week].tolist(), tried[week].tolist(), strict=True))
        looks = [look_at_shares(one, other, planned=2 * part * planned) for one, other in combinations(groups, 2)]
        lowest = np.minimum(lowest, [look.p for look in looks])
    return bool(correct_by_holm(lowest).min() < 0.05)


def count_false_calls(kind: str, place: int, *, comparisons: int, seed: int) -> float:
    """Return the share of comparisons without a difference that were called, 0–1."""
    rng = np.random.default_rng(seed)
    calls, cases = KINDS[kind]
    return sum(calls(rng, cases[place]) for _ in range(comparisons)) / comparisons


KINDS = {
    "shares": (calls_share, SHARES),
    "averages": (calls_mean, MEANS),
    "ratings": (calls_rating, RATINGS),
    "ratings that differ": (sees_rating, DIFFERENT),
    "five groups": (calls_any_pair, FIVE),
    "times": (calls_time, TIMES),
}
PARTS = {"times": 10}


if __name__ == "__main__":
    chosen = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    for kind in sys.argv[2:] or KINDS:
        comparisons = chosen // PARTS.get(kind, 1)
        for place, case in enumerate(KINDS[kind][1]):
            found = count_false_calls(kind, place, comparisons=comparisons, seed=1)
            print(f"{kind:20} {case!s:28} called {found:.4f} of {comparisons}", flush=True)
