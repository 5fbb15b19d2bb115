"""From which probability on replies may go out by themselves, so that a promised precision is kept: derived from held-back cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log, sqrt

from scipy.stats import beta

DOUBT = 0.1  # how likely a threshold may be chosen whose true precision is below the promise
STEP = 1.5  # from one tried number of answers to the next
LEAST_PROMISE, MOST_PROMISE = 0.8, 0.995
_Z = 1.959963984540054


@dataclass(frozen=True)
class HeldBack:
    """One held-back case: how likely the best solution was (0 where the ranking abstains), and whether the agent used it."""

    probability: float
    is_right: bool


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


def derive(rows: Sequence[HeldBack], promise: float, doubt: float = DOUBT) -> Derived:
    """The threshold that answers most while the promised precision is kept.

    A few numbers of answers, each half as many again as the one before, are tried; that many of the most likely cases must hold the
    promise at the lower Clopper-Pearson bound, whose doubt is divided by the number of tries (Bonferroni). So the chosen threshold's
    true precision is below the promise with a probability of at most `doubt`, whatever the ranking is like.
    """
    if not LEAST_PROMISE <= promise <= MOST_PROMISE:
        raise ValueError(f"The promised precision is {promise}; expected {LEAST_PROMISE} to {MOST_PROMISE}.")
    ranked = sorted((row for row in rows if row.probability > 0), key=lambda row: -row.probability)
    sizes = _sizes(len(ranked), promise, doubt)
    needed = _fewest(promise, doubt)
    best = Derived(None, len(rows), 0, 0, needed)
    for size in sizes:
        threshold = ranked[size - 1].probability
        answered = [row for row in ranked if row.probability >= threshold]
        n_right = sum(row.is_right for row in answered)
        if lower_bound(n_right, len(answered), doubt / len(sizes)) >= promise:
            best = Derived(threshold, len(rows), len(answered), n_right, needed)
    return best


def lower_bound(n_right: int, n: int, doubt: float) -> float:
    """The one-sided Clopper-Pearson bound: the true share is below it with a probability of at most `doubt`."""
    return float(beta.ppf(doubt, n_right, n - n_right + 1)) if n_right else 0.0


def interval_of(n_right: int, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share; (0, 1) of nothing."""
    if n == 0:
        return 0.0, 1.0
    ratio, width = n_right / n, _Z * _Z / n
    centre = (ratio + width / 2) / (1 + width)
    half = _Z / (1 + width) * sqrt(ratio * (1 - ratio) / n + width / (4 * n))
    return max(0.0, min(ratio, centre - half)), min(1.0, max(ratio, centre + half))


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
