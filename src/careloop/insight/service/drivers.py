"""Which waits, topics and actions move satisfaction: how many points for one unit more, with intervals, and what cannot be told.

Least squares with errors that hold for unequal scatter and for customers who answer several times (a share as outcome is a linear
probability model: its coefficients are points).
Very long waits are cut at the 95th percentile, or a few cases would decide. Everything is asked at once, so each effect is with the others
held, and intervals and p-values are those for as many questions as were asked (Bonferroni, Holm). These are regressions on what happened:
an effect here says what goes with satisfaction, a randomised comparison says what causes it.

References
----------
Angrist & Pischke 2009, Mostly harmless econometrics, section 3.4 (linear probability). Dunn 1961 (simultaneous intervals). Holm 1979.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from careloop.insight.errors import InputError
from careloop.insight.service.columns import Coding, Feature, Table, count_rows
from careloop.insight.stats.multiplicity import correct_by_holm
from careloop.insight.stats.regression import fit_linear, list_redundant

Doubles = NDArray[np.float64]
Reason = Literal["never varies", "too few", "follows from others"]

LEAST_ANSWERS = 60
LEAST_WITH = 15  # customers with, and without, something
_ANSWERS_A_TERM = 5
_CUT_RATIO = 0.95
_ERROR_RATE = 0.05


@dataclass(frozen=True, slots=True)
class Effect:
    """How satisfaction moves with something, the rest held.

    Attributes
    ----------
    column : str
    value : str or None
        Of words: the value, compared with `base`; None for one unit more of a number.
    base : str or None
    is_gap : bool
        Whether it is “not known” that is compared with known.
    estimate, low, high : float
        Points of the outcome, with an interval that holds for all effects together (95 %).
    p_value : float
        Corrected for the number of effects (Holm), 0–1.
    n_with : int
        Answers with the value; for numbers, all of which it is known.
    cut_at : float or None
        Numbers above were counted as this.
    is_shown : bool
        Whether the effect can be told from none.
    """

    column: str
    value: str | None
    base: str | None
    is_gap: bool
    estimate: float
    low: float
    high: float
    p_value: float
    n_with: int
    cut_at: float | None
    is_shown: bool


class Untold(NamedTuple):
    """What could not be asked, and why."""

    column: str
    value: str | None
    reason: Reason
    n_with: int


@dataclass(frozen=True)
class Drivers:
    """What moves satisfaction.

    Attributes
    ----------
    effects : tuple of Effect
        Those that are shown first, each part by size over one standard deviation of the column.
    untold : tuple of Untold
    n : int
        Answers.
    explained_ratio : float
        R²: how much of the differences between answers this tells, 0–1.
    """

    effects: tuple[Effect, ...]
    untold: tuple[Untold, ...]
    n: int
    explained_ratio: float


def find_drivers(table: Table, scores: ArrayLike, *, weights: ArrayLike | None = None, customers: ArrayLike | None = None) -> Drivers:
    """Return the effects of all columns on the scores.

    Parameters
    ----------
    table : mapping of str to sequence, each of length n_answers
        Numbers (hours of waiting, touches), yes/no (late, reopened) or words (kind, topic, channel), None where not known.
    scores : array_like, shape (n_answers,)
        Satisfaction, in the unit in which effects are told (points of 1–5, or 0 and 100).
    weights : array_like, shape (n_answers,), optional
        What each answer counts (`service.response_weights`).
    customers : array_like, shape (n_answers,), optional
        Who gave each answer: answers of one customer go together, and what only few customers have cannot be told.

    Raises
    ------
    InputError
        When shapes differ, a score is not finite, or fewer than 60 answers were given.
    """
    outcome = np.asarray(scores, dtype=np.float64)
    n = count_rows(table)
    if outcome.shape != (n,) or not np.isfinite(outcome).all():
        raise InputError(f"{outcome.shape} scores for {n} rows, or one is not finite; give one score for each row.")
    if n < LEAST_ANSWERS:
        raise InputError(f"{n} answers are not enough data; {LEAST_ANSWERS} or more can tell what moves satisfaction.")
    coding = Coding.learn(table, least_count=LEAST_WITH)
    joined = coding.join_rare(table)
    features, cuts = _cut(coding, coding.apply(joined))
    givers = np.arange(n) if customers is None else np.asarray(customers)
    if givers.shape != (n,):
        raise InputError(f"{givers.shape} customers for {n} rows; name one for each row.")
    asked, untold = _choose(coding, features, givers)
    untold += _list_rare(coding, table)
    if not asked:
        return Drivers((), tuple(untold), n, 0.0)
    chosen, names = features[:, asked], [coding.features[place].name for place in asked]
    fit = fit_linear(chosen, outcome, names=names, weights=weights, clusters=customers, level=1 - _ERROR_RATE / len(asked))
    corrected = correct_by_holm([term.p_value for term in fit.terms[1:]])
    effects = []
    for at, place in enumerate(asked):
        feature, term, column = coding.features[place], fit.terms[at + 1], chosen[:, at]
        n_with = int(column.sum()) if _is_mark(feature, column) else int(np.sum([value is not None for value in table[feature.column]]))
        base = None if feature.value is None else coding.words[feature.column][0]
        told = (term.estimate, term.low, term.high, float(corrected[at]), n_with, cuts.get(place), bool(corrected[at] <= _ERROR_RATE))
        effects.append((Effect(feature.column, feature.value, base, feature.is_gap, *told), abs(term.estimate) * float(column.std())))
    ordered = sorted(effects, key=lambda one: (not one[0].is_shown, -one[1]))
    return Drivers(tuple(effect for effect, _ in ordered), tuple(untold), n, fit.explained_ratio)


def _cut(coding: Coding, features: Doubles) -> tuple[Doubles, dict[int, float]]:
    """Return the matrix with long tails cut, and where each number was cut."""
    cut, cuts = features.copy(), {}
    for place, feature in enumerate(coding.features):
        column = features[:, place]
        if _is_mark(feature, column):
            continue
        limit = float(np.quantile(column, _CUT_RATIO))
        if limit < column.max() and limit > column.min():
            cut[:, place], cuts[place] = np.minimum(column, limit), limit
    return cut, cuts


def _is_mark(feature: Feature, column: Doubles) -> bool:
    """Whether a column says yes or no."""
    return feature.value is not None or feature.is_gap or bool(np.isin(column, (0, 1)).all())


def _choose(coding: Coding, features: Doubles, givers: NDArray[np.generic]) -> tuple[list[int], list[Untold]]:
    """Return the columns that can be asked together, and the others with the reason; `givers` names who gave each answer."""
    n, asked = len(givers), list[int]()
    untold: list[Untold] = []
    for place, feature in enumerate(coding.features):
        column = features[:, place]
        n_with = int(column.sum()) if _is_mark(feature, column) else n
        if column.min() == column.max():
            untold.append(Untold(feature.column, feature.value, "never varies", n_with))
        elif _is_mark(feature, column) and min(len(np.unique(givers[column == mark])) for mark in (0, 1)) < LEAST_WITH:
            untold.append(Untold(feature.column, feature.value, "too few", n_with))
        else:
            asked.append(place)
    names = [coding.features[place].name for place in asked]
    redundant = set(list_redundant(features[:, asked], names))
    for place in [place for place in asked if coding.features[place].name in redundant]:
        feature, column = coding.features[place], features[:, place]
        n_with = int(column.sum()) if _is_mark(feature, column) else n
        untold.append(Untold(feature.column, feature.value, "follows from others", n_with))
    left = [place for place in asked if coding.features[place].name not in redundant]
    room = max(n // _ANSWERS_A_TERM, 1)
    for place in left[room:]:
        untold.append(Untold(coding.features[place].column, coding.features[place].value, "too few", n))
    return left[:room], untold


def _list_rare(coding: Coding, table: Table) -> list[Untold]:
    """Return the words that were joined with others because too few answers have them."""
    found = []
    for name, kept in coding.words.items():
        written = [("" if value is None else str(value)) for value in table[name]]
        for word in sorted(set(written) - set(kept)):
            found.append(Untold(name, word, "too few", written.count(word)))
        if len(kept) == 1 and not set(written) - set(kept):
            found.append(Untold(name, kept[0], "never varies", len(written)))
    return found


def tell_points(effect: Effect, *, units: float = 1.0) -> tuple[float, float, float]:
    """Return estimate, low and high for several units more, as words want them (a day instead of an hour: 24)."""
    low, high = sorted((effect.low * units, effect.high * units))
    return effect.estimate * units, low, high
