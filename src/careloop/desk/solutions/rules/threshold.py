"""From which probability on replies may go out by themselves, so that a promised precision is kept: derived from held-back cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv  # scipy.stats takes a second to import, and every process reads this file

AVERAGE, AT_LEAST = "AVERAGE", "AT_LEAST"  # the promise is met on average, or its lower bound is
MANNERS = (AVERAGE, AT_LEAST)
DOUBT = 0.1  # at least: how likely a threshold may be chosen whose true precision is below the promise
SLACK, SLACK_DOUBT = 0.02, 0.2  # on average: how far, and with which doubt, the true precision may be below the promise
LEAST_ANSWERED = 30  # held-back cases that an average stands on
STEP = 1.5  # at least: from one tried number of answers to the next
LEAST_PROMISE, MOST_PROMISE = 0.8, 0.995
HALVES = 20
_Z = 1.959963984540054


@dataclass(frozen=True)
class HeldBack:
    """One held-back case: how likely the best solution was (0 where the ranking abstains), and whether it was the right one."""

    probability: float
    is_right: bool


@dataclass(frozen=True)
class Checked:
    """What thresholds of one half of the held-back cases did on the other half: answered of seen, right of answered, over all halvings."""

    n_seen: int = 0
    n_answered: int = 0
    n_right: int = 0

    @property
    def precision(self) -> float | None:
        """Which share of the answers was right."""
        return self.n_right / self.n_answered if self.n_answered else None


@dataclass(frozen=True)
class Derived:
    """What held-back cases say; `threshold` is None while they are too few or too doubtful. Precision with its 95 % interval."""

    threshold: float | None
    n: int
    n_answered: int
    n_right: int
    needed: int

    @property
    def answered_ratio(self) -> float:
        """Which share of the held-back cases would have been answered."""
        return self.n_answered / self.n if self.n else 0.0

    @property
    def precision(self) -> float | None:
        """Which share of the answers was right."""
        return self.n_right / self.n_answered if self.n_answered else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the precision."""
        return interval_of(self.n_right, self.n_answered)

    @property
    def is_enough(self) -> bool:
        """Whether there are cases enough for any threshold to be found."""
        return self.n >= self.needed


def derive(rows: Sequence[HeldBack], promise: float, manner: str = AVERAGE, doubt: float = DOUBT) -> Derived:
    """The threshold that answers most while the promised precision is kept.

    On average (AVERAGE): the lowest at which the held-back answers keep the promise with one more that is wrong (so that the choice of
    the threshold is not rewarded; Angelopoulos et al. 2022, Conformal risk control). New answers then have that precision, too, give or
    take chance. Chance is bounded: with a doubt of 20 % the true precision is at most two points lower (Clopper-Pearson).

    At least (AT_LEAST): a few numbers of answers, each half as many again as the one before, are tried; that many of the most likely
    cases must hold the promise at the lower Clopper-Pearson bound, whose doubt is divided by the number of tries (Bonferroni). So the
    chosen threshold's true precision is below the promise with a probability of at most `doubt`, whatever the ranking is like.
    """
    if not LEAST_PROMISE <= promise <= MOST_PROMISE:
        raise ValueError(f"The promised precision is {promise}; expected {LEAST_PROMISE} to {MOST_PROMISE}.")
    if manner not in MANNERS:
        raise ValueError(f"The promise is kept {manner!r}; expected one of {', '.join(MANNERS)}.")
    ranked = sorted((row for row in rows if row.probability > 0), key=lambda row: -row.probability)
    probabilities = np.array([row.probability for row in ranked])
    right = np.cumsum([row.is_right for row in ranked], dtype=np.int64)
    if manner == AVERAGE:
        place, needed = _lowest_on_average(probabilities, right, promise), max(LEAST_ANSWERED, _fewest(promise, DOUBT))
    else:
        place, needed = _lowest_at_least(probabilities, right, promise, doubt), _fewest(promise, doubt)
    if place is None:
        return Derived(None, len(rows), 0, 0, needed)
    return Derived(float(probabilities[place]), len(rows), place + 1, int(right[place]), needed)


def check_on_halves(rows: Sequence[HeldBack], promise: float, manner: str = AVERAGE, *, repeats: int = HALVES) -> Checked:
    """Derive the threshold from a random half of the rows and count what it does on the other half, some times over.

    The halves are the same for the same rows. Those that find no threshold answer nothing.
    """
    generator = np.random.default_rng(0)
    n_seen = n_answered = n_right = 0
    for _ in range(repeats):
        order = generator.permutation(len(rows))
        first, second = order[: len(rows) // 2], order[len(rows) // 2 :]
        threshold = derive([rows[place] for place in first], promise, manner).threshold
        n_seen += len(second)
        if threshold is not None:
            answered = [rows[place] for place in second if rows[place].probability >= threshold]
            n_answered += len(answered)
            n_right += sum(row.is_right for row in answered)
    return Checked(n_seen, n_answered, n_right)


def lower_bound(n_right: int, n: int, doubt: float) -> float:
    """The one-sided Clopper-Pearson bound: the true share is below it with a probability of at most `doubt`."""
    return float(betaincinv(n_right, n - n_right + 1, doubt)) if n_right else 0.0


def interval_of(n_right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; (0, 1) of nothing."""
    if n == 0:
        return 0.0, 1.0
    ratio, width = n_right / n, _Z * _Z / n
    centre = (ratio + width / 2) / (1 + width)
    half = _Z / (1 + width) * sqrt(ratio * (1 - ratio) / n + width / (4 * n))
    return max(0.0, min(ratio, centre - half)), min(1.0, max(ratio, centre + half))


def _lowest_on_average(probabilities: NDArray[np.float64], right: NDArray[np.int64], promise: float) -> int | None:
    """The last place of the ranked cases down to which the answers keep the promise on average; equal probabilities stay together."""
    if not len(right):
        return None
    n = np.arange(1, len(right) + 1)
    is_last = np.append(probabilities[1:] != probabilities[:-1], True)
    bound = betaincinv(np.maximum(right, 1), n - right + 1, SLACK_DOUBT)
    is_kept = (right >= promise * (n + 1)) & (bound >= promise - SLACK) & (n >= max(LEAST_ANSWERED, _fewest(promise, DOUBT)))
    places = np.flatnonzero(is_last & is_kept)
    return int(places[-1]) if len(places) else None


def _lowest_at_least(probabilities: NDArray[np.float64], right: NDArray[np.int64], promise: float, doubt: float) -> int | None:
    """The last place of the ranked cases down to which the answers keep the promise on the lower bound."""
    sizes = _sizes(len(right), promise, doubt)
    best = None
    for size in sizes:
        place = int(np.flatnonzero(probabilities == probabilities[size - 1])[-1])
        if lower_bound(int(right[place]), place + 1, doubt / len(sizes)) >= promise:
            best = place
    return best


def _fewest(promise: float, doubt: float) -> int:
    """The fewest answers that can hold a promise, all of them being right."""
    return ceil(log(doubt) / log(promise))


def _sizes(n: int, promise: float, doubt: float) -> list[int]:
    """The numbers of answers that are tried: the more of them, the more each must show."""
    steps: list[int] = []
    for tries in range(1, n + 1):
        first = _fewest(promise, doubt / tries)
        if first > n:
            return steps[1 - tries :] if steps else []
        steps = _steps(first, n)
        if len(steps) <= tries:
            break
    return steps


def _steps(first: int, n: int) -> list[int]:
    found, size = [], float(first)
    while ceil(size) < n:
        found.append(ceil(size))
        size *= STEP
    return [*found, n]
