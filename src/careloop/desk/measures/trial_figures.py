"""What one outcome shows of a comparison's groups: figures with intervals, differences, effect sizes, the test that may be looked at daily.

Numbers in, numbers out: no row is read here.
"""

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError
from careloop.insight.stats import (
    Look,
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
    fit_cox,
    fit_survival,
    follow_p,
    hedges_g,
    look_at_means,
    look_at_shares,
    look_at_times,
    mean_interval,
    median_interval,
    wilson_interval,
)
from careloop.insight.stats.regression import list_redundant

MEAN, SHARE, TIME = "MEAN", "SHARE", "TIME"
FORMS = {"SATISFACTION": MEAN, "REOPENED": SHARE, "REPEAT": SHARE, "ANSWERED": SHARE, "RESOLUTION": TIME, "RESPONSE": TIME}
RATINGS = (1.0, 5.0)
CHECKPOINTS = 40
MORE, LESS, NOT_SHOWN, TOO_FEW = "MORE", "LESS", "NOT_SHOWN", "TOO_FEW"
CALLED = 0.05


@dataclass(frozen=True)
class Rows:
    """What was seen, in the order of exposure: the group's place, the value (rating, 0 or 1, seconds), whether a time is over, the sort.

    `marks` says of each sort (a channel with a kind) which of the named columns are 1, the others being 0.
    """

    arms: NDArray[np.int64]
    values: NDArray[np.float64]
    ended: NDArray[np.bool_]
    sorts: NDArray[np.int64]
    marks: NDArray[np.float64]
    names: tuple[str, ...]

    def of(self, arm: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Values and endings of one group."""
        return self.values[self.arms == arm], self.ended[self.arms == arm]


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
    looks. `adjusted` is the difference with channel and kind held, None where it cannot be told.
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
class OutcomeResult:
    """One outcome: its groups' figures and their differences; `overall_p` tells whether three or more groups are alike, and `counted` how
    many tell something: cases, answers, or times that are over.

    `history` has, after so many exposures, the first difference and its interval that holds however often one looks (not for times).
    """

    outcome: str
    form: str
    figures: list[ArmFigure]
    contrasts: list[Contrast]
    overall_p: float | None = None
    counted: int = 0
    history: list[tuple[int, float, float, float]] = field(default_factory=list)


def judge_outcome(outcome: str, rows: Rows, n_arms: int, control: int, planned: float) -> OutcomeResult:
    """Everything about one outcome."""
    form = FORMS[outcome]
    figures = [_figure(form, arm, *rows.of(arm)) for arm in range(n_arms)]
    contrasts: list[Contrast] = []
    history: list[tuple[int, float, float, float]] = []
    for arm in range(n_arms):
        if arm == control:
            continue
        looks = _looks(form, rows, arm, control, planned)
        contrasts.append(_contrast(form, rows, (arm, control), looks[-1][1], follow_p(look for _n, look in looks)[-1]))
        if not history and form != TIME:
            history = [(n, look.difference, look.low, look.high) for n, look in looks if math.isfinite(look.low)]
    overall = _test(form, [rows.of(arm) for arm in range(n_arms)]) if n_arms > 2 else None
    counted = int(rows.ended.sum())
    return OutcomeResult(outcome, form, figures, contrasts, overall, counted, history)


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


def _looks(form: str, rows: Rows, arm: int, control: int, planned: float) -> list[tuple[int, Look]]:
    """What one would have seen after so many exposures, up to now; of times only now."""
    both = np.flatnonzero((rows.arms == arm) | (rows.arms == control))
    if form == TIME:
        return [(len(both), look_at_times(rows.of(arm), rows.of(control), planned=planned))]
    is_arm, values = rows.arms[both] == arm, rows.values[both]
    stops = sorted({*np.linspace(0, len(both), CHECKPOINTS + 1).astype(int).tolist()})
    found = []
    for stop in stops:
        first, second = values[:stop][is_arm[:stop]], values[:stop][~is_arm[:stop]]
        if form == MEAN:
            look = look_at_means(Moments.of(first), Moments.of(second), planned=planned)
        else:
            look = look_at_shares((int(first.sum()), len(first)), (int(second.sum()), len(second)), planned=planned)
        found.append((stop, look))
    return found


def _contrast(form: str, rows: Rows, arms: tuple[int, int], look: Look, always_p: float) -> Contrast:
    first, second = rows.of(arms[0]), rows.of(arms[1])
    difference: tuple[float | None, ...] = (None, None, None)
    effect: tuple[float | None, ...] = (None, None, None)
    if form == TIME:
        difference = effect = _hazard_ratio(rows, arms, is_adjusted=False) or (None, None, None)
    elif len(first[0]) and len(second[0]):
        difference, effect = _of_shares(first[0], second[0]) if form == SHARE else _of_means(first[0], second[0])
    shown = [math.exp(one) if form == TIME and math.isfinite(one) else one for one in (look.low, look.high, look.visible)]
    return Contrast(
        arm=arms[0],
        control=arms[1],
        difference=_finite(difference[0]),
        low=_finite(difference[1]),
        high=_finite(difference[2]),
        effect=_finite(effect[0]),
        effect_low=_finite(effect[1]),
        effect_high=_finite(effect[2]),
        p=_test(form, [first, second]),
        always_low=_finite(shown[0]),
        always_high=_finite(shown[1]),
        always_p=always_p,
        visible=_finite(shown[2]),
        verdict=_verdict(look, always_p),
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


def _verdict(look: Look, always_p: float) -> str:
    if not math.isfinite(look.low):
        return TOO_FEW
    if always_p >= CALLED:
        return NOT_SHOWN
    return MORE if look.difference > 0 else LESS


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


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
