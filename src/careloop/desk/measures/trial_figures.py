"""What one outcome shows of a comparison's groups: figures with intervals, differences, effect sizes, the test that may be looked at daily.

Numbers in, numbers out: no row is read here.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.desk.measures.trial_looks import MEAN, SHARE, TIME, Pair, Rows, finite, look_at_pairs
from careloop.insight.errors import InputError
from careloop.insight.stats import (
    Effect,
    Moments,
    adjust_mean,
    adjust_share,
    cohens_h,
    compare_means_unequal,
    compare_shares,
    compare_survival,
    correct_by_holm,
    difference_of_means,
    difference_of_shares,
    eta_squared,
    fit_cox,
    fit_survival,
    hedges_g,
    mean_interval,
    median_interval,
    omega_squared,
    wilson_interval,
)
from careloop.insight.stats.regression import list_redundant

FORMS = {"SATISFACTION": MEAN, "REOPENED": SHARE, "REPEAT": SHARE, "ANSWERED": SHARE, "RESOLUTION": TIME, "RESPONSE": TIME}
WELCH, CHI_SQUARED, LOG_RANK = "WELCH", "CHI_SQUARED", "LOG_RANK"
RATINGS = (1.0, 5.0)


@dataclass(frozen=True)
class ArmFigure:
    """A group's figure: average rating, share, or median seconds; None where it cannot be told."""

    arm: int
    n: int
    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Contrast:
    """A group beside the one it is compared with. For times difference, effect and interval are a hazard ratio (above 1: sooner over).

    `p` is of one look, `corrected_p` for all differences of the comparison; `always_p`, its interval and `visible` hold however often one
    looks and for all pairs of groups at once. `adjusted` is the difference with channel and kind held, None where it cannot be told.
    """

    arm: int
    control: int
    difference: float | None
    low: float | None
    high: float | None
    effect: float | None
    effect_low: float | None
    effect_high: float | None
    p: float | None
    always_low: float | None
    always_high: float | None
    always_p: float
    visible: float | None
    verdict: str
    adjusted: tuple[float, float, float] | None = None
    corrected_p: float | None = None


@dataclass(frozen=True)
class Overall:
    """Whether three or more groups are alike at all, by one look; the share of all scatter between them (eta², and omega² without chance).

    `spread_ratio` is the largest standard deviation over the smallest of averages; None where it does not matter or cannot be told.
    """

    test: str
    p: float
    eta: Effect | None = None
    omega: float | None = None
    spread_ratio: float | None = None


@dataclass(frozen=True)
class OutcomeResult:
    """One outcome: its groups' figures, their differences from the one they are compared with, all pairs, whether they differ at all.

    `counted` tells how many tell something: cases, answers, or times that are over. `history` has, after so many exposures, the first
    difference and its interval that holds however often one looks (not for times).
    """

    outcome: str
    form: str
    figures: list[ArmFigure]
    contrasts: list[Contrast]
    pairs: list[Pair]
    overall: Overall | None = None
    counted: int = 0
    history: list[tuple[int, float, float, float]] = field(default_factory=list)


def judge_outcome(outcome: str, rows: Rows, ratios: Sequence[float], control: int, planned: float) -> OutcomeResult:
    """Everything about one outcome of groups that get these parts."""
    form, n_arms = FORMS[outcome], len(ratios)
    figures = [_figure(form, arm, *rows.of(arm)) for arm in range(n_arms)]
    pairs, history = look_at_pairs(form, rows, ratios, control, planned)
    contrasts = [_contrast(form, rows, pair) for pair in pairs if pair.second == control]
    overall = _overall(form, [rows.of(arm) for arm in range(n_arms)]) if n_arms > 2 else None
    return OutcomeResult(outcome, form, figures, contrasts, pairs, overall, int(rows.ended.sum()), history)


def put_right(results: list[OutcomeResult]) -> list[OutcomeResult]:
    """The same with p-values for all differences of all outcomes together (Holm)."""
    known = [one.p for result in results for one in result.contrasts if one.p is not None]
    right = iter(correct_by_holm(known).tolist())
    return [
        replace(result, contrasts=[replace(one, corrected_p=next(right) if one.p is not None else None) for one in result.contrasts])
        for result in results
    ]


def _figure(form: str, arm: int, values: NDArray[np.float64], ended: NDArray[np.bool_]) -> ArmFigure:
    n = len(values)
    if not n:
        return ArmFigure(arm, 0, None, None, None)
    if form == MEAN:
        moments = Moments.of(values)
        return ArmFigure(arm, n, moments.mean, *mean_interval(*moments, bounds=RATINGS))
    if form == SHARE:
        return ArmFigure(arm, n, float(values.mean()), *wilson_interval(float(values.sum()), n))
    curve = fit_survival(values, ended)
    return ArmFigure(arm, n, curve.quantile(0.5), *median_interval(curve))


def _contrast(form: str, rows: Rows, pair: Pair) -> Contrast:
    arms = pair.first, pair.second
    first, second = rows.of(arms[0]), rows.of(arms[1])
    difference: tuple[float | None, ...] = (None, None, None)
    effect: tuple[float | None, ...] = (None, None, None)
    if form == TIME:
        difference = effect = _hazard_ratio(rows, arms, is_adjusted=False) or (None, None, None)
    elif len(first[0]) and len(second[0]):
        difference, effect = _of_shares(first[0], second[0]) if form == SHARE else _of_means(first[0], second[0])
    return Contrast(
        arm=arms[0],
        control=arms[1],
        difference=finite(difference[0]),
        low=finite(difference[1]),
        high=finite(difference[2]),
        effect=finite(effect[0]),
        effect_low=finite(effect[1]),
        effect_high=finite(effect[2]),
        p=_test(form, [first, second]),
        always_low=pair.low,
        always_high=pair.high,
        always_p=pair.p,
        visible=pair.visible,
        verdict=pair.verdict,
        adjusted=_adjusted(form, rows, arms),
    )


def _of_shares(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    one, other = (float(first.sum()), float(len(first))), (float(second.sum()), float(len(second)))
    return (one[0] / one[1] - other[0] / other[1], *difference_of_shares(one, other)), cohens_h(one, other)


def _of_means(first: NDArray[np.float64], second: NDArray[np.float64]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    one, other = Moments.of(first), Moments.of(second)
    effect = hedges_g(one, other) if min(one.n, other.n) > 1 else (math.nan, math.nan, math.nan)
    return (one.mean - other.mean, *difference_of_means(one, other)), tuple(effect)


def _test(form: str, groups: list[tuple[Any, Any]]) -> float | None:
    """The p-value of one look; None when it cannot be told."""
    try:
        if form == TIME:
            return compare_survival(groups).p
        if form == SHARE:
            return compare_shares([(float(values.sum()), len(values)) for values, _ended in groups]).p
        return compare_means_unequal([Moments.of(values) for values, _ended in groups]).p
    except InputError:
        return None


def _overall(form: str, groups: list[tuple[Any, Any]]) -> Overall | None:
    p = _test(form, groups)
    if p is None or form == TIME:
        return None if p is None else Overall(LOG_RANK, p)
    moments = [Moments.of(values) for values, _ended in groups]
    spreads = [math.sqrt(one.variance) for one in moments]
    try:
        eta, omega = eta_squared(moments), omega_squared(moments)
    except InputError:
        return Overall(CHI_SQUARED if form == SHARE else WELCH, p)
    if form == SHARE:
        return Overall(CHI_SQUARED, p, eta, omega)
    return Overall(WELCH, p, eta, omega, max(spreads) / min(spreads))


def _adjusted(form: str, rows: Rows, arms: tuple[int, int]) -> tuple[float, float, float] | None:
    """The difference with the columns held: least squares, logistic regression, or proportional hazards."""
    if not rows.names:
        return None
    if form == TIME:
        return _hazard_ratio(rows, arms, is_adjusted=True)
    chosen, columns, names = _held(rows, arms)
    if not names:
        return None
    is_arm = rows.arms[chosen] == arms[0]
    try:
        adjust = adjust_mean if form == MEAN else adjust_share
        found = adjust(rows.values[chosen], is_arm, columns, names=names)
    except InputError:
        return None
    return found.effect, found.low, found.high


def _held(rows: Rows, arms: tuple[int, int]) -> tuple[NDArray[np.int64], NDArray[np.float64], list[str]]:
    """The rows of two groups, and the columns that vary in both and do not follow from others."""
    chosen = np.flatnonzero(np.isin(rows.arms, arms))
    counts = np.array([np.bincount(rows.sorts[rows.arms == arm], minlength=len(rows.marks)) for arm in arms])
    n, hits = counts.sum(axis=1, keepdims=True), counts @ rows.marks
    varies = np.flatnonzero(((hits > 0) & (hits < n)).all(axis=0))
    names = [rows.names[place] for place in varies]
    gone = set(list_redundant(rows.marks[np.ix_(counts.sum(axis=0) > 0, varies)], names)) if names else set()
    kept = [place for place, name in zip(varies, names, strict=True) if name not in gone]
    return chosen, np.ascontiguousarray(rows.marks[:, kept])[rows.sorts[chosen]], [rows.names[place] for place in kept]


def _hazard_ratio(rows: Rows, arms: tuple[int, int], *, is_adjusted: bool) -> tuple[float, float, float] | None:
    chosen = np.flatnonzero(np.isin(rows.arms, arms))
    table = (rows.arms[chosen] == arms[0]).astype(np.float64)[:, None]
    if is_adjusted:
        chosen, columns, names = _held(rows, arms)
        if not names:
            return None
        table = np.column_stack([table, columns])
    try:
        model = fit_cox(rows.values[chosen], rows.ended[chosen], table, is_checked=False)
    except InputError:
        return None
    low, high = model.intervals()[0].tolist()
    return float(model.ratios[0]), low, high
