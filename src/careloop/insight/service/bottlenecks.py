"""What makes cases slow: a shallow decision tree in rules, each measured again on cases that it was not found on.

A case is slow when it takes longer than a limit. Cases that are open and younger than the limit are not yet known: they are left out, and
those that are known weigh one over the chance of having been followed that long. Half of the cases find the rules; on the other half each
rule is measured, and what does not hold there is dropped, with as many questions asked as there are rules.

References
----------
Breiman, Friedman, Olshen & Stone 1984, Classification and regression trees.
Robins & Finkelstein 2000 (inverse probability of censoring weights). Newcombe 1998 (interval of a difference). Holm 1979.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from careloop.insight.errors import InputError
from careloop.insight.service.columns import Coding, Feature, Table, count_rows
from careloop.insight.stats.intervals import difference_of_shares, wilson_interval
from careloop.insight.stats.multiplicity import correct_by_holm
from careloop.insight.stats.survival import fit_survival

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
Relation = Literal["is", "is not", "at least", "below", "unknown", "known"]

LEAST_CASES = 200
_LEAST_LEAF = 20
_LEAF_RATIO = 0.03
_DEPTHS = (1, 2, 3, 4)
_FOLDS = 5
_ERROR_RATE = 0.05
_LEAST_HELD = 20


class Condition(NamedTuple):
    """One part of a rule: the column, how it relates, and the word or number (None for known and unknown)."""

    column: str
    relation: Relation
    value: str | float | None


class Told(NamedTuple):
    """1 − squared error of the tree ÷ that of saying the same share for every case, on held-back cases, with its 95 % interval.

    0 is no better than the share alone, 1 is all foretold; below 0 is worse.
    """

    ratio: float
    low: float
    high: float


@dataclass(frozen=True)
class Rule:
    """A combination under which cases are slow, as it was on the cases that it was not found on.

    Attributes
    ----------
    conditions : tuple of Condition
        All of them hold; the word `columns.OTHER` stands for all rare words, `columns.GAP` for none.
    n, n_slow : int
        Held-back cases under the rule, and how many of them were slow.
    share, low, high : float
        Slow share with its 95 % interval, 0–1.
    rest_share : float
        Slow share of the other held-back cases.
    difference, difference_low, difference_high : float
        Share minus rest share, with its 95 % interval.
    p_value : float
        Of no difference, corrected for the number of rules (Holm), 0–1.
    explained_ratio : float
        Of all slow held-back cases, how many are under the rule, 0–1.
    found_share : float
        Slow share on the cases that it was found on: usually higher than what holds.
    rows : tuple of int
        Held-back cases under the rule, as places in the rows given.
    """

    conditions: tuple[Condition, ...]
    n: int
    n_slow: int
    share: float
    low: float
    high: float
    rest_share: float
    difference: float
    difference_low: float
    difference_high: float
    p_value: float
    explained_ratio: float
    found_share: float
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Bottlenecks:
    """What was found.

    Attributes
    ----------
    rules : tuple of Rule
        Those that hold, most slow cases first.
    n_dropped : int
        Rules that did not hold on the held-back cases.
    depth : int
        Of the tree, 0 when cross-validation found that no column helps.
    slow_seconds : float
        From which time on a case is slow.
    n_found, n_held, n_unknown : int
        Cases that rules were found on, measured on, and not yet known.
    slow_share : float
        Of held-back cases, 0–1.
    told : Told
        How much better the tree foretells held-back cases than their share of slow ones alone.
    """

    rules: tuple[Rule, ...]
    n_dropped: int
    depth: int
    slow_seconds: float
    n_found: int
    n_held: int
    n_unknown: int
    slow_share: float
    told: Told


def find_bottlenecks(
    table: Table, seconds: ArrayLike, has_ended: ArrayLike, *, slow_seconds: float | None = None, seed: int = 0
) -> Bottlenecks:
    """Return the rules that tell slow cases.

    Parameters
    ----------
    table : mapping of str to sequence, each of length n_cases
        Such as category, channel, team, hour, weekday, waiting-for.
    seconds : array_like, shape (n_cases,)
        How long each case took, or has taken so far.
    has_ended : array_like of bool, shape (n_cases,)
    slow_seconds : float or None
        The limit; the time that a quarter of the cases exceed when left out.
    seed : int
        Of the halves.

    Raises
    ------
    InputError
        When shapes differ, or fewer than 200 cases are known, or hardly any or hardly all are slow.
    """
    times, ended = np.asarray(seconds, dtype=np.float64), np.asarray(has_ended, dtype=bool)
    n = count_rows(table)
    if times.shape != (n,) or ended.shape != (n,):
        raise InputError(f"{n} cases, {times.shape} times and {ended.shape} endings; give one of each for every case.")
    limit = _quarter(times, ended) if slow_seconds is None else float(slow_seconds)
    is_known = ended | (times > limit)
    is_slow = times > limit
    if is_known.sum() < LEAST_CASES or min(is_slow[is_known].sum(), (~is_slow)[is_known].sum()) < 2 * _LEAST_LEAF:
        raise InputError(
            f"{int(is_known.sum())} cases are known, {int(is_slow.sum())} of them slow; not enough data to say what makes cases slow."
        )
    weights = _weigh(times, ended, limit)
    halves = np.random.default_rng(seed).permutation(n) % 2 == 0
    find, held = np.flatnonzero(is_known & halves), np.flatnonzero(is_known & ~halves)
    least = max(_LEAST_LEAF, int(_LEAF_RATIO * len(find)))
    coding = Coding.learn({name: [values[place] for place in find.tolist()] for name, values in table.items()}, least_count=least)
    coding, joined = coding.with_every_word(), coding.join_rare(table)
    features = coding.apply(table)
    depth = _choose_depth(features[find], is_slow[find], weights[find], least)
    overall = float(np.average(is_slow[find], weights=weights[find]))
    grown, chances = [], np.full(len(held), overall)
    if depth:
        fitted = _tree(depth, least).fit(features[find], is_slow[find], sample_weight=weights[find])
        grown, chances = _read(fitted.tree_, coding.features), fitted.predict_proba(features[held])[:, 1]
    leaves = [(_say_what_is_left(conditions, coding.words), share) for conditions, share in grown]
    suspects = [(conditions, share) for conditions, share in leaves if share > overall]
    found = [_measure(conditions, share, joined, (is_slow, held)) for conditions, share in suspects]
    rules = _keep(found, is_slow[held])
    return Bottlenecks(
        tuple(sorted(rules, key=lambda rule: -rule.n_slow)),
        len(suspects) - len(rules),
        depth,
        limit,
        len(find),
        len(held),
        int((~is_known).sum()),
        float(is_slow[held].mean()),
        _compare(chances, overall, is_slow[held]),
    )


def holds(conditions: Sequence[Condition], table: Table) -> Bools:
    """Return which rows fulfil all conditions, shape (n_rows,)."""
    inside = np.ones(count_rows(table), dtype=bool)
    for column, relation, value in conditions:
        values = table[column]
        known = np.array([one is not None and not (isinstance(one, float) and math.isnan(one)) for one in values], dtype=bool)
        if relation in ("is", "is not"):
            same = np.array([("" if one is None else str(one)) == value for one in values], dtype=bool)
            inside &= same if relation == "is" else ~same
        elif relation in ("known", "unknown"):
            inside &= known if relation == "known" else ~known
        else:
            numbers = np.array([float(one) if there else np.nan for one, there in zip(values, known, strict=True)])
            assert isinstance(value, float)
            with np.errstate(invalid="ignore"):
                inside &= known & ((numbers >= value) if relation == "at least" else (numbers < value))
    return inside


def _quarter(times: Doubles, ended: Bools) -> float:
    limit = fit_survival(times, ended).quantile(0.75)
    if limit is None:
        raise InputError("Fewer than three quarters of the cases are known to have ended; say from which time on a case is slow.")
    return limit


def _weigh(times: Doubles, ended: Bools, limit: float) -> Doubles:
    """Return one over the chance of having been followed until the case ended or passed the limit."""
    cut_off = fit_survival(times, ~ended)
    until = np.minimum(times, limit)
    places = np.searchsorted(cut_off.times, until, side="left") - 1
    chances = np.where(places < 0, 1.0, cut_off.survival[np.maximum(places, 0)] if len(cut_off.times) else 1.0)
    return np.asarray(np.minimum(1 / np.maximum(chances, 0.05), 20.0))


def _choose_depth(features: Doubles, is_slow: Bools, weights: Doubles, least: int) -> int:
    """Return the depth whose cross-validated log-loss is least, the shallowest within one standard error of it; 0 for no tree."""
    folds = list(StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(features, is_slow))
    losses = []
    for depth in (0, *_DEPTHS):
        loss = np.zeros(len(is_slow))
        for inside, outside in folds:
            chances = np.full(len(outside), np.average(is_slow[inside], weights=weights[inside]))
            if depth:
                tree = _tree(depth, least).fit(features[inside], is_slow[inside], sample_weight=weights[inside])
                chances = tree.predict_proba(features[outside])[:, 1]
            chances = np.clip(chances, 0.01, 0.99)
            loss[outside] = -np.where(is_slow[outside], np.log(chances), np.log(1 - chances))
        losses.append(loss)
    means = [float(np.average(loss, weights=weights)) for loss in losses]
    best = int(np.argmin(means))
    for depth in range(best):
        gain = losses[depth] - losses[best]
        if np.average(gain, weights=weights) <= float(gain.std()) / len(gain) ** 0.5:
            return depth
    return best


def _tree(depth: int, least: int) -> Any:
    return DecisionTreeClassifier(max_depth=depth, min_samples_leaf=least, random_state=0)


def _compare(chances: Doubles, overall: float, is_slow: Bools) -> Told:
    """Return what the chances tell beyond the overall share; the interval is that of a ratio of sums over cases."""
    plain, ours = (is_slow - overall) ** 2, (is_slow - chances) ** 2
    total, n = float(plain.sum()), len(is_slow)
    ratio = 1 - float(ours.sum()) / total
    residuals = plain - ours - ratio * plain
    half = float(norm.isf(0.025)) * math.sqrt(n / (n - 1) * float(residuals @ residuals)) / total
    return Told(ratio, ratio - half, ratio + half)


def _read(tree: Any, names: Sequence[Feature]) -> list[tuple[tuple[Condition, ...], float]]:
    """Return each leaf's conditions and slow share."""
    leaves: list[tuple[tuple[Condition, ...], float]] = []
    waiting: list[tuple[int, tuple[Condition, ...]]] = [(0, ())]
    while waiting:
        node, conditions = waiting.pop()
        if tree.children_left[node] < 0:
            counts = tree.value[node][0]
            leaves.append((_tidy(conditions), float(counts[1] / counts.sum())))
            continue
        feature, threshold = names[tree.feature[node]], float(tree.threshold[node])
        below, above = _split(feature, threshold)
        waiting.append((int(tree.children_left[node]), (*conditions, below)))
        waiting.append((int(tree.children_right[node]), (*conditions, above)))
    return leaves


def _split(feature: Feature, threshold: float) -> tuple[Condition, Condition]:
    if feature.is_gap:
        return Condition(feature.column, "known", None), Condition(feature.column, "unknown", None)
    if feature.value is not None:
        return Condition(feature.column, "is not", feature.value), Condition(feature.column, "is", feature.value)
    return Condition(feature.column, "below", threshold), Condition(feature.column, "at least", threshold)


def _tidy(conditions: Sequence[Condition]) -> tuple[Condition, ...]:
    """Return conditions without those that others of the same column already say."""
    kept: list[Condition] = []
    for one in conditions:
        others = [other for other in conditions if other.column == one.column and other is not one]
        if one.relation == "is not" and any(other.relation == "is" for other in others):
            continue
        if one.relation in ("below", "at least"):
            assert isinstance(one.value, float)
            limits = [float(other.value) for other in others if other.relation == one.relation and isinstance(other.value, float)]
            if any(limit < one.value if one.relation == "below" else limit > one.value for limit in limits):
                continue
        kept.append(one)
    return tuple(sorted(set(kept), key=lambda one: (one.column, one.relation, str(one.value))))


def _say_what_is_left(conditions: tuple[Condition, ...], words: Mapping[str, Sequence[str]]) -> tuple[Condition, ...]:
    """Return conditions in which a column that is none of its words but one is that one."""
    told: list[Condition] = []
    for column in dict.fromkeys(one.column for one in conditions):
        own = [one for one in conditions if one.column == column]
        ruled_out = {one.value for one in own if one.relation == "is not"}
        left = [word for word in words.get(column, ())[1:] if word not in ruled_out]
        told += [Condition(column, "is", left[0])] if ruled_out and len(left) == 1 else own
    return tuple(told)


def _measure(conditions: tuple[Condition, ...], found_share: float, table: Table, held: tuple[Bools, NDArray[np.int64]]) -> Rule:
    is_slow, places = held
    inside = holds(conditions, table)[places]
    slow = is_slow[places]
    n, n_slow, rest, rest_slow = int(inside.sum()), int(slow[inside].sum()), int((~inside).sum()), int(slow[~inside].sum())
    share, rest_share = n_slow / max(n, 1), rest_slow / max(rest, 1)
    low, high = wilson_interval(n_slow, n)
    lower, upper = difference_of_shares((n_slow, n), (rest_slow, rest)) if n and rest else (-1.0, 1.0)
    pooled = (n_slow + rest_slow) / max(n + rest, 1)
    error = (pooled * (1 - pooled) * (1 / max(n, 1) + 1 / max(rest, 1))) ** 0.5
    p_value = float(norm.sf((share - rest_share) / error)) if error > 0 else 1.0  # the rule says: slower
    rows = tuple(int(place) for place in places[inside])
    explained = n_slow / max(int(slow.sum()), 1)
    return Rule(
        conditions, n, n_slow, share, low, high, rest_share, share - rest_share, lower, upper, p_value, explained, found_share, rows
    )


def _keep(rules: Sequence[Rule], slow: Bools) -> list[Rule]:
    if not rules or not slow.any():
        return []
    corrected = correct_by_holm([rule.p_value for rule in rules])
    told = [replace(rule, p_value=float(p_value)) for rule, p_value in zip(rules, corrected, strict=True)]
    return [rule for rule in told if rule.p_value <= _ERROR_RATE and rule.n >= _LEAST_HELD and rule.difference > 0]
