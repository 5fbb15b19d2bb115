"""Satisfaction of all who were invited, from those who answered.

Who was invited is known, with traits (channel, kind, wait …). Answers are weighted so that those who answered look like all who were
invited; what is left of the difference in the traits is taken out by regression (doubly robust: right when either the weights or the
regression are right). That repairs what known traits explain and nothing else, so the range is told, too: if the silent were all at the
worst or the best, and if their odds of being satisfied differed from what their traits say by a factor.

References
----------
Särndal, Swensson & Wretman 1992, Model assisted survey sampling, chapter 6 (regression estimator).
Deville & Särndal 1992, Calibration estimators in survey sampling (raking).
Robins, Rotnitzky & Zhao 1994, Estimation of regression coefficients when some regressors are not always observed.
Kish 1965, Survey sampling, section 11.7 (effective sample size of weights).
Manski 1990, Nonparametric bounds on treatment effects.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit
from scipy.stats import norm, t

from careloop.insight.errors import InputError
from careloop.insight.service.columns import OTHER, Coding, Table, count_rows
from careloop.insight.stats.intervals import wilson_interval
from careloop.insight.stats.regression import fit_logistic, list_redundant

Doubles = NDArray[np.float64]
Answered = NDArray[np.bool_]
Method = Literal["cells", "raking", "probability"]

LEAST_IN_CELL = 5  # answers; smaller cells are joined
LARGEST_WEIGHT = 5.0  # times the mean
SILENT_ODDS = 2.0
_LEAST_ANSWERS = 5
_LEAST_CHANCE = 0.02
_FOLDS = 5
_RIDGE = 1.0
_RAKING_ROUNDS = 500


@dataclass(frozen=True)
class ResponseWeights:
    """What each answer counts.

    Attributes
    ----------
    weights : ndarray of float64, shape (n_answered,)
        Mean 1, in the order of those who answered.
    method : {"cells", "raking", "probability"}
    n_trimmed : int
        Weights that were cut to `LARGEST_WEIGHT` times the mean.
    """

    weights: Doubles
    method: Method
    n_trimmed: int

    @property
    def effective_n(self) -> float:
        """Number of equally weighted answers that would be as sure (Kish), 0–n_answered."""
        return float(self.weights.sum() ** 2 / (self.weights**2).sum()) if len(self.weights) else 0.0

    @property
    def design_effect(self) -> float:
        """By how much the weights widen the variance, ≥ 1."""
        return len(self.weights) / self.effective_n if len(self.weights) else 1.0


@dataclass(frozen=True)
class Satisfaction:
    """A mean score or share of all who were invited.

    Attributes
    ----------
    value, low, high : float
        Weighted for who answered, with its 95 % interval; in the unit of the scores.
    plain : float
        Mean of the answers as they came.
    n_invited, n_answered : int
    effective_n, design_effect : float
        Of the weights.
    n_trimmed : int
    bounds : (float, float)
        If all who were silent were at the worst, at the best.
    sensitivity : (float, float)
        If the odds of the silent were `SILENT_ODDS` times worse, better than their traits say; the mean within its range counts as a
        chance.
    method : {"cells", "raking", "probability"}
    """

    value: float
    low: float
    high: float
    plain: float
    n_invited: int
    n_answered: int
    effective_n: float
    design_effect: float
    n_trimmed: int
    bounds: tuple[float, float]
    sensitivity: tuple[float, float]
    method: Method


def weigh_answers(traits: Table, answered: ArrayLike, *, method: Method = "probability", seed: int = 0) -> ResponseWeights:
    """Return what each answer counts so that answers stand for all who were invited.

    Parameters
    ----------
    traits : mapping of str to sequence, each of length n_invited
        What is known of everyone. “cells” joins all columns, “raking” fits each column's shares, both of words (numbers count as
        words: cut them into ranges first); “probability” also takes numbers.
    answered : array_like of bool, shape (n_invited,)
    method : {"cells", "raking", "probability"}
        Post-stratification; iterative proportional fitting; one over the response probability by cross-fitted logistic regression.
    seed : int
        Of the folds.

    Raises
    ------
    InputError
        When shapes differ or fewer than five answered.
    """
    spoke = _check(traits, answered)
    columns = [_join_small(np.array([str(value) for value in values], dtype=object), spoke) for values in traits.values()]
    if method == "cells":
        joined = _join_small(np.array(["\x1f".join(row) for row in zip(*columns, strict=True)], dtype=object), spoke)
        weights = _rake([joined], spoke)
    elif method == "raking":
        weights = _rake(columns, spoke)
    else:
        weights = 1 / foretell_answering(traits, spoke, seed)[spoke]
    return _trim(weights, method)


def estimate_satisfaction(
    scores: ArrayLike, weights: ResponseWeights, traits: Table, answered: ArrayLike, *, scale: tuple[float, float] = (0.0, 1.0)
) -> Satisfaction:
    """Return the mean score of all who were invited, its interval, and how far the silent could move it.

    Parameters
    ----------
    scores : array_like, shape (n_answered,)
        Of those who answered, in their order; yes and no as 1 and 0 make a share.
    weights : ResponseWeights
        From `weigh_answers` for the same traits and answers.
    traits : mapping of str to sequence, each of length n_invited
    answered : array_like of bool, shape (n_invited,)
    scale : (float, float)
        The worst and the best score possible.

    Raises
    ------
    InputError
        When shapes differ, fewer than five answered, or a score is off the scale.
    """
    spoke = _check(traits, answered)
    worst, best = scale
    given = np.asarray(scores, dtype=np.float64)
    if given.shape != (int(spoke.sum()),) or weights.weights.shape != given.shape:
        raise InputError(f"{given.shape} scores and {weights.weights.shape} weights for {int(spoke.sum())} answers; give one for each.")
    if not np.isfinite(given).all() or given.min() < worst or given.max() > best:
        raise InputError(f"A score is missing or outside the scale {worst:g} to {best:g}; give scores on the scale.")
    value, error = _correct(given, weights.weights, traits, spoke)
    value = min(max(value, worst), best)
    low, high = _interval(given, value, error, weights.effective_n, scale)
    n, n_silent, said = len(spoke), int((~spoke).sum()), float(given.sum())
    silent = (value * n - said) / n_silent if n_silent else value
    shifted = [(said + n_silent * _shift(silent, scale, factor)) / n for factor in (1 / SILENT_ODDS, SILENT_ODDS)]
    return Satisfaction(
        value,
        low,
        high,
        float(given.mean()),
        n,
        len(given),
        weights.effective_n,
        weights.design_effect,
        weights.n_trimmed,
        ((said + n_silent * worst) / n, (said + n_silent * best) / n),
        (shifted[0], shifted[1]),
        weights.method,
    )


def _check(traits: Table, answered: ArrayLike) -> Answered:
    spoke = np.asarray(answered, dtype=bool)
    n = count_rows(traits)
    if spoke.shape != (n,):
        raise InputError(f"{spoke.shape} answers were told for {n} invited; say for each of them whether they answered.")
    if spoke.sum() < _LEAST_ANSWERS:
        raise InputError(f"{int(spoke.sum())} answers are not enough data; {_LEAST_ANSWERS} or more can be weighted.")
    return spoke


def _join_small(labels: NDArray[np.object_], spoke: Answered) -> NDArray[np.object_]:
    """Return labels in which those with too few answers are one, together with the next smallest when it is still too small."""
    names, places = np.unique(labels.astype(str), return_inverse=True)
    counts = np.bincount(places[spoke], minlength=len(names))
    order = np.argsort(counts, kind="stable")
    n_small = int((counts < LEAST_IN_CELL).sum())
    while 0 < n_small < len(names) and counts[order[:n_small]].sum() < LEAST_IN_CELL:
        n_small += 1
    joined = np.isin(places, order[:n_small])
    return np.where(joined, OTHER, labels.astype(str)).astype(object)


def _rake(columns: list[NDArray[np.object_]], spoke: Answered) -> Doubles:
    """Return weights under which each column's shares among the answers are those among all invited."""
    weights = np.ones(int(spoke.sum()))
    margins = []
    for labels in columns:
        names, places = np.unique(labels.astype(str), return_inverse=True)
        margins.append((places[spoke], np.bincount(places, minlength=len(names)) * spoke.mean()))
    for _ in range(_RAKING_ROUNDS):
        furthest = 0.0
        for places, wanted in margins:
            found = np.bincount(places, weights=weights, minlength=len(wanted))
            factors = np.where(found > 0, wanted / np.where(found > 0, found, 1), 1.0)
            weights = weights * factors[places]
            furthest = max(furthest, float(np.abs(factors - 1).max()))
        if furthest < 1e-10:
            break
    return weights


def foretell_answering(traits: Table, answered: Answered, seed: int) -> Doubles:
    """Return everybody's chance of answering, at least 2 %, by a logistic regression that did not see them; shape (n_invited,).

    Parameters
    ----------
    traits : mapping of str to sequence, each of length n_invited
    answered : ndarray of bool, shape (n_invited,)
    seed : int
        Of the folds.
    """
    features = Coding.learn(traits, least_count=LEAST_IN_CELL).apply(traits, is_scaled=True)
    varied = features[:, features.std(axis=0) > 0]
    folds = np.random.default_rng(seed).permutation(len(answered)) % _FOLDS
    chances = np.full(len(answered), answered.mean())
    for fold in range(_FOLDS):
        inside = folds != fold
        kept = _independent(varied[inside])
        if len(kept) and 0 < answered[inside].mean() < 1 and inside.sum() > len(kept) + 1:
            names = [str(place) for place in kept]
            fit = fit_logistic(varied[inside][:, kept], answered[inside], names=names, ridge=_RIDGE)
            chances[~inside] = expit(fit.foretell(varied[~inside][:, kept]))
    return np.asarray(np.maximum(chances, _LEAST_CHANCE))


def _independent(features: Doubles) -> list[int]:
    redundant = set(list_redundant(features, [str(place) for place in range(features.shape[1])]))
    return [place for place in range(features.shape[1]) if str(place) not in redundant]


def _trim(weights: Doubles, method: Method) -> ResponseWeights:
    scaled = weights / weights.mean()
    large = scaled > LARGEST_WEIGHT
    cut = np.minimum(scaled, LARGEST_WEIGHT)
    return ResponseWeights(cut / cut.mean(), method, int(large.sum()))


def _correct(scores: Doubles, weights: Doubles, traits: Table, spoke: Answered) -> tuple[float, float]:
    """Return the weighted mean, corrected by a weighted regression on the traits, and its standard error."""
    coding = Coding.learn(traits, least_count=LEAST_IN_CELL)
    features = np.column_stack([np.ones(len(spoke)), coding.apply(traits, is_scaled=True)])
    roots = np.sqrt(weights)
    inside = features[spoke] * roots[:, None]
    n_used = int(np.linalg.matrix_rank(inside))
    if n_used >= len(scores) / 2:  # too few answers for a regression: the mean alone
        features, inside, n_used = features[:, :1], inside[:, :1], 1
    estimates = np.linalg.lstsq(inside, scores * roots, rcond=None)[0]
    told = features @ estimates
    residuals = scores - told[spoke]
    value = float(told.mean() + (weights * residuals).sum() / weights.sum())
    of_answers = (weights**2 * residuals**2).sum() / weights.sum() ** 2 * len(scores) / max(len(scores) - n_used, 1)
    return value, math.sqrt(of_answers + float(told.var()) / len(spoke))


def _interval(scores: Doubles, value: float, error: float, effective_n: float, scale: tuple[float, float]) -> tuple[float, float]:
    """Return a 95 % interval: Wilson's with as many rows as are as sure for a share, Student's for scores, never off the scale."""
    worst, best = scale
    share = (value - worst) / (best - worst)
    if error <= 0 or share <= 0 or share >= 1 or np.isin(scores, scale).all():
        as_sure = share * (1 - share) / ((error / (best - worst)) ** 2) if error > 0 and 0 < share < 1 else effective_n
        low, high = wilson_interval(share * as_sure, as_sure, z=float(norm.ppf(0.975)))
        return worst + low * (best - worst), worst + high * (best - worst)
    half = float(t.ppf(0.975, max(effective_n - 1, 1))) * error
    return max(worst, value - half), min(best, value + half)


def _shift(mean: float, scale: tuple[float, float], factor: float) -> float:
    """Return a mean of the silent after its odds within the scale are multiplied."""
    worst, best = scale
    share = min(max((mean - worst) / (best - worst), 0.0), 1.0)
    moved = share * factor / (1 - share + share * factor)
    return worst + moved * (best - worst)
