"""How often nominal 95 % intervals hold the truth: `python -m tests.insight.stats.coverage_count [draws]` prints a table.

Not a test by itself; the tests run it with few draws.
"""

import sys
from collections.abc import Callable

import numpy as np

from careloop.insight.stats import fit_survival, wilson_interval
from careloop.insight.stats.intervals import (
    Moments,
    difference_of_means,
    difference_of_shares,
    mean_interval,
    median_interval,
    rate_interval,
)
from careloop.insight.stats.shrinkage import shrink_means, shrink_shares

Draw = Callable[[np.random.Generator], tuple[float | None, float | None]]
RATING_SHARES = np.array([0.08, 0.07, 0.15, 0.3, 0.4])
RATINGS = np.arange(1, 6)
MEDIAN_HOURS, CENSORED_HOURS = 10.0, 30.0


def draw_share(rng: np.random.Generator) -> tuple[float, float]:
    """A share of 70 % of 40."""
    return wilson_interval(rng.binomial(40, 0.7), 40)


def draw_mean(rng: np.random.Generator) -> tuple[float, float]:
    """The average of 40 ratings from 1 to 5."""
    return mean_interval(*Moments.of(rng.choice(RATINGS, 40, p=RATING_SHARES)), bounds=(1, 5))


def draw_rate(rng: np.random.Generator) -> tuple[float, float]:
    """Eight a week, counted for one week."""
    return rate_interval(int(rng.poisson(8)), 1)


def draw_median(rng: np.random.Generator) -> tuple[float | None, float | None]:
    """The median of 80 exponential times, of which those still open at a random moment are censored."""
    times, ends = rng.exponential(MEDIAN_HOURS / np.log(2), 80), rng.uniform(0, 2 * CENSORED_HOURS, 80)
    return median_interval(fit_survival(np.minimum(times, ends), times <= ends))


def draw_restricted_mean(rng: np.random.Generator) -> tuple[float, float]:
    """The mean up to 20 hours of the same."""
    times, ends = rng.exponential(MEDIAN_HOURS / np.log(2), 80), rng.uniform(0, 2 * CENSORED_HOURS, 80)
    return fit_survival(np.minimum(times, ends), times <= ends).restricted_mean(20)[1:]


def draw_shares(rng: np.random.Generator) -> tuple[float, float]:
    """80 % of 60 against 65 % of 90."""
    return difference_of_shares((rng.binomial(60, 0.8), 60), (rng.binomial(90, 0.65), 90))


def draw_means(rng: np.random.Generator) -> tuple[float, float]:
    """Averages of 30 and 60 values whose spreads differ by a factor of three."""
    return difference_of_means(Moments.of(rng.normal(3, 3, 30)), Moments.of(rng.normal(2, 1, 60)))


def draw_drawn_shares(rng: np.random.Generator) -> list[tuple[float, float]]:
    """Twelve groups of 1 to 59 whose true shares differ, drawn towards the whole; ends as distances from the truth."""
    sizes, shares = rng.integers(1, 60, 12), 1 / (1 + np.exp(-1 - 0.6 * rng.normal(size=12)))
    drawn = shrink_shares(rng.binomial(sizes, shares), sizes)
    return list(zip(drawn.lows - shares, drawn.highs - shares, strict=True))


def draw_drawn_means(rng: np.random.Generator) -> list[tuple[float, float]]:
    """Twelve groups whose true averages differ by half of what values scatter."""
    sizes, means = rng.integers(1, 60, 12), 3 + 0.6 * rng.normal(size=12)
    drawn = shrink_means([Moments.of(rng.normal(mean, 1.2, n)) for mean, n in zip(means, sizes, strict=True)])
    return list(zip(drawn.lows - means, drawn.highs - means, strict=True))


SCALE = MEDIAN_HOURS / float(np.log(2))
CASES: dict[str, tuple[float, Draw]] = {
    "share": (0.7, draw_share),
    "mean of ratings": (float(RATINGS @ RATING_SHARES), draw_mean),
    "rate": (8.0, draw_rate),
    "median": (MEDIAN_HOURS, draw_median),
    "restricted mean": (SCALE * (1 - float(np.exp(-20 / SCALE))), draw_restricted_mean),
    "difference of shares": (0.15, draw_shares),
    "difference of means": (1.0, draw_means),
}


GROUPED = {"drawn shares": draw_drawn_shares, "drawn averages": draw_drawn_means}


def count_grouped_coverage(name: str, *, draws: int, seed: int) -> float:
    """Return the share of all groups whose interval holds their truth."""
    rng = np.random.default_rng(seed)
    found = [low <= 0 <= high for _ in range(draws) for low, high in GROUPED[name](rng)]
    return sum(found) / len(found)


def count_coverage(name: str, *, draws: int, seed: int) -> float:
    """Return the share of draws whose interval holds the truth; an end that is not reached is not missed."""
    truth, draw = CASES[name]
    rng = np.random.default_rng(seed)
    found = [draw(rng) for _ in range(draws)]
    return sum((low is None or low <= truth) and (high is None or truth <= high) for low, high in found) / draws


if __name__ == "__main__":
    chosen = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    for case in CASES:
        print(f"{case:24} {count_coverage(case, draws=chosen, seed=1):.4f} of {chosen}")
    for case in GROUPED:
        print(f"{case:24} {count_grouped_coverage(case, draws=chosen // 12, seed=1):.4f} of {chosen // 12 * 12}")
