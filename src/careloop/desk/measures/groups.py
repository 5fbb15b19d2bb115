"""Groups beside each other without being fooled by small ones: each is drawn towards the whole by as much as it is uncertain."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binom

from careloop.desk.measures.queries import Table
from careloop.desk.measures.rules.definitions import DOWN, MEAN, MEASURES, SHARE, UP, Measure
from careloop.desk.measures.rules.values import Figure, add_up, figure_of
from careloop.insight.stats.intervals import Moments
from careloop.insight.stats.shrinkage import Shrunk, funnel_of_means, funnel_of_shares, shrink_means, shrink_shares

WITHIN, OUTSIDE = 0.95, 0.998
BETTER, WORSE, NOT_SHOWN = "BETTER", "WORSE", ""


@dataclass(frozen=True)
class Standing:
    """A group: its own figure, the one drawn towards the whole with its interval, how much of that is its own (0–1), and what is shown.

    `verdict` says that it lies outside of what chance alone makes of a group of its size in 998 of 1,000 cases; "" that this is not shown.
    """

    group: Any
    own: Figure
    drawn: Figure
    own_ratio: float
    verdict: str


@dataclass(frozen=True)
class Comparison:
    """All groups by their drawn figures, best first, and between which ends chance alone leaves groups of these sizes."""

    key: str
    whole: Figure
    standings: list[Standing]
    funnel: list[tuple[int, float, float, float, float]]  # size, the ends of 95 % and of 99.8 %


def compare_groups(table: Table, key: str) -> Comparison | None:
    """The groups of a table by a share or a mean, without what belongs to none; None for fewer than two or another form of measure."""
    measure, rows = MEASURES[key], [row for row in table.rows if row.figures[key].n and row.group not in {0, "", None}]
    if measure.form not in {SHARE, MEAN} or len(rows) < 2:
        return None
    figures = [row.figures[key] for row in rows]
    whole = figure_of(measure, add_up(one.sums for one in figures))
    drawn, limits = _shares(figures) if measure.form == SHARE else _means(figures, measure.scale, measure.lowest, measure.highest)
    standings = [
        Standing(row.group, figure, drawn_one, float(own_ratio), _verdict(figure, measure, whole, limits))
        for row, figure, drawn_one, own_ratio in zip(rows, figures, _figures(drawn, figures), drawn.own_ratios, strict=True)
    ]
    sign = -1 if measure.better == UP else 1
    standings.sort(key=lambda one: (sign * (one.drawn.value or 0), -one.own.n))
    sizes = sorted({*_even_sizes(max(one.n for one in figures))})
    return Comparison(key, whole, standings, [(size, *limits(size, WITHIN), *limits(size, OUTSIDE)) for size in sizes])


Limits = Callable[[int, float], tuple[float, float]]


def _shares(figures: list[Figure]) -> tuple[Shrunk, Limits]:
    hits, n = [one.sums.total for one in figures], [one.n for one in figures]
    whole = sum(hits) / sum(n)

    def limits(size: int, confidence: float) -> tuple[float, float]:
        low, high = funnel_of_shares(whole, [size], confidence=confidence)
        return float(low[0]), float(high[0])

    return shrink_shares(hits, n), limits


def _means(figures: list[Figure], scale: int, lowest: float | None, highest: float | None) -> tuple[Shrunk, Limits]:
    moments = [Moments(one.n, one.sums.total / scale, one.sums.squares / scale**2) for one in figures]
    together = Moments(sum(one.n for one in moments), sum(one.total for one in moments), sum(one.total_of_squares for one in moments))
    bounds = (lowest, highest) if lowest is not None and highest is not None else None

    def limits(size: int, confidence: float) -> tuple[float, float]:
        low, high = funnel_of_means(together, [size], confidence=confidence)
        least, most = bounds or (-np.inf, np.inf)
        return max(float(low[0]), least), min(float(high[0]), most)

    return shrink_means(moments, bounds=bounds), limits


def _figures(drawn: Shrunk, own: list[Figure]) -> list[Figure]:
    columns = zip(drawn.values, drawn.lows, drawn.highs, own, strict=True)
    return [Figure(float(value), _finite(low), _finite(high), one.n) for value, low, high, one in columns]


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _verdict(figure: Figure, measure: Measure, whole: Figure, limits: Limits) -> str:
    """Whether chance makes so much in fewer than 1 of 500 groups of this size; shares are counted: a few trials have no smooth ends."""
    if figure.value is None or measure.better not in {UP, DOWN}:
        return NOT_SHOWN
    if measure.form == SHARE:
        hits, n, share = figure.sums.total, figure.n, whole.value or 0.0
        is_high, is_low = (float(tail) < (1 - OUTSIDE) / 2 for tail in (binom.sf(hits - 1, n, share), binom.cdf(hits, n, share)))
    else:
        low, high = limits(figure.n, OUTSIDE)
        is_high, is_low = figure.value > high, figure.value < low
    if not (is_high or is_low):
        return NOT_SHOWN
    return BETTER if is_high == (measure.better == UP) else WORSE


def _even_sizes(largest: int) -> list[int]:
    """Up to 24 sizes from 1 to the largest, closer together where the funnel is steep."""
    return sorted({max(1, round(largest * (step / 24) ** 2)) for step in range(1, 25)} | {1})
