"""A second look at what the chain found: whole stretches, with their edges, surroundings, rivals, and what examples were called so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.entities.chains import Candidates, Doubles
from careloop.insight.text.entities.layout import ALONE, FIRST, LAST, Codes, Layout, Places, mix

_BUCKETS = 1 << 18
_COST = 0.5
_FOLDS = 3
_STRENGTH, _WEAKER = 0.3, 0.3  # of one n-gram, and of figures beside the chain's own
_LEVELS = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97)
_FEWEST = 30  # candidates of either kind; with fewer the chain alone decides
_USUAL_THRESHOLD = 0.35
_LONGEST = 12  # units that are told apart


@dataclass(frozen=True, slots=True)
class Judge:
    """A logistic model over candidates.

    Attributes
    ----------
    weights : ndarray of float32, shape (n_buckets + n_figures,)
    bias : float
    threshold : float
        Probability from which on a candidate counts; chosen for the best F1 on folds that the model did not see.
    """

    weights: NDArray[np.float32]
    bias: float
    threshold: float

    def judge(self, features: Any) -> Doubles:
        """Return the probability of every candidate, given what `describe_candidates` returned."""
        return np.asarray(1 / (1 + np.exp(-np.clip(features @ self.weights + self.bias, -30, 30))), dtype=np.float64)


def learn_judge(features: Any, is_right: NDArray[np.bool_], text: Places, n_entities: int) -> Judge:
    """Return a judge learnt from candidates in texts that the chain behind them did not see.

    Parameters
    ----------
    features : sparse matrix, shape (n_candidates, n_features)
    is_right : ndarray of bool, shape (n_candidates,)
    text : ndarray of int64, shape (n_candidates,)
    n_entities : int
        Entities in all the texts, those that are no candidates among them.
    """
    n_right = int(is_right.sum())
    if min(n_right, len(is_right) - n_right) < _FEWEST:
        weights = np.zeros(features.shape[1], dtype=np.float32)
        weights[_BUCKETS] = 1.0  # the chain's own log-odds
        return Judge(weights, 0.0, _USUAL_THRESHOLD)
    probabilities = np.zeros(len(is_right))
    for fold in range(_FOLDS):
        held = text % _FOLDS == fold
        if held.any() and len(np.unique(is_right[~held])) == 2:
            probabilities[held] = _fit(features[~held], is_right[~held]).judge(features[held])
    judge = _fit(features, is_right)
    return Judge(judge.weights, judge.bias, _choose_threshold(probabilities, is_right, n_entities))


def _fit(features: Any, is_right: NDArray[np.bool_]) -> Judge:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=_COST, solver="liblinear", random_state=0).fit(features, is_right)
    return Judge(model.coef_[0].astype(np.float16).astype(np.float32), float(model.intercept_[0]), 0.5)


def _choose_threshold(probabilities: Doubles, is_right: NDArray[np.bool_], n_entities: int) -> float:
    order = np.argsort(-probabilities, kind="stable")
    f1 = 2 * np.cumsum(is_right[order]) / (np.arange(1, len(order) + 1) + n_entities)
    return float(np.clip(probabilities[order[int(f1.argmax())]], 0.1, 0.9))


def describe_candidates(
    layout: Layout, candidates: Candidates, names: Codes, counts: Sequence[Mapping[str, int]], types: Sequence[str], likely: Any
) -> Any:
    """Return the features of candidates, sparse, shape (n_candidates, n_features).

    Parameters
    ----------
    layout : Layout
    candidates : Candidates
    names : ndarray of uint64, shape (n_candidates,)
        Codes of the candidates as they are written.
    counts : sequence of mapping, length n_candidates
        In how many examples the same name was of which type.
    types : sequence of str, length n_types
    likely : ndarray of float32, shape (n_texts, n_types)
        Probability that a text has an entity of a type.
    """
    same = np.array([one.get(types[kind], 0) for one, kind in zip(counts, candidates.type.tolist(), strict=True)], dtype=np.int64)
    others = np.array(
        [max((n for name, n in one.items() if name != types[kind]), default=0) for one, kind in zip(counts, candidates.type, strict=True)],
        dtype=np.int64,
    )
    theme = likely[candidates.text, candidates.type].astype(np.float64)
    rival, other_rival, all_rivals = _find_rivals(candidates)
    templates = _describe_written(layout, candidates, names)
    known, known_else = _code(np.minimum(same, 4)), _code(np.minimum(others, 3))
    chance, spoken = _to_level(candidates.probability), _to_level(theme)
    templates += [
        (known, known_else), (spoken,), (spoken, known, known_else),
        (chance,), (chance, _to_level(rival)), (chance, _to_level(other_rival)), (known, chance),
    ]  # fmt: skip
    kind = _code(candidates.type + 1)
    codes = [mix(200 + number, kind, *template) for number, template in enumerate(templates)]
    codes += [mix(300 + number, *template) for number, template in enumerate(templates[:6])]
    buckets = (np.stack(codes, axis=1) % np.uint64(_BUCKETS)).astype(np.int64)
    n_candidates, n_codes = buckets.shape
    bounds = np.arange(0, n_candidates * n_codes + 1, n_codes)
    hashed = sparse.csr_matrix((np.full(buckets.size, _STRENGTH), buckets.ravel(), bounds), shape=(n_candidates, _BUCKETS))
    is_type = np.eye(len(types))[candidates.type]
    own = _to_log_odds(candidates.probability)[:, None]
    weaker = [_to_log_odds(one)[:, None] * _WEAKER for one in (rival, other_rival, np.minimum(all_rivals, 0.99), theme)]
    figures = np.hstack([own, is_type, is_type * own * _WEAKER, *weaker, np.log1p(same)[:, None], np.log1p(others)[:, None]])
    return sparse.hstack([hashed, sparse.csr_matrix(figures)], format="csr")


def _describe_written(layout: Layout, candidates: Candidates, names: Codes) -> list[tuple[Codes, ...]]:
    """Return what stands in and around candidates, the first six telling names themselves."""
    top = layout.firsts[candidates.text]
    first, last = top + candidates.first, top + candidates.last
    length = np.minimum(candidates.last - candidates.first, _LONGEST)
    unit, long = layout.unit, _code(length + 1)
    starts, ends = layout.within[first], layout.within[last]
    begins_word, ends_word = (starts == FIRST) | (starts == ALONE), (ends == LAST) | (ends == ALONE)
    edges = (_code(begins_word + 1), _code(ends_word + 1))
    head, tail = unit[first], unit[last]
    head2, tail2 = np.where(length >= 1, unit[first + 1], 0), np.where(length >= 1, unit[last - 1], 0)
    tail3 = np.where(length >= 2, unit[np.maximum(last - 2, 0)], 0)
    before, after = unit[first - 1], unit[last + 1]
    word_before = np.where(begins_word, layout.word_before[first], layout.word[first])
    word_after = np.where(ends_word, layout.word_after[last], layout.word[last])
    tag_before = np.where(begins_word, layout.tag_before[first], layout.tag[first])
    tag_after = np.where(ends_word, layout.tag_after[last], layout.tag[last])
    return [
        (names,), (head,), (tail,), (head, head2), (tail2, tail), (tail3, tail2, tail),
        (long,), (long, *edges), (before,), (after,), (unit[first - 2], before), (after, unit[last + 2]), (before, after),
        (word_before,), (word_after,), (layout.word[first],), (layout.word[last],), (layout.tag[first], layout.tag[last], *edges),
        (tag_before, tag_after), (layout.quote[first], layout.quote[last]), (layout.quote[first - 1], layout.quote[last + 1]),
        (head, long), (tail, long), (long, layout.shape[first], layout.shape[last]),
    ]  # fmt: skip


def _find_rivals(candidates: Candidates) -> tuple[Doubles, Doubles, Doubles]:
    """Return, of the candidates that overlap each, the highest probability of its own type, of other types, and the sum of all."""
    n_candidates = len(candidates.text)
    same, other, total = np.zeros(n_candidates), np.zeros(n_candidates), np.zeros(n_candidates)
    most = int(np.unique(candidates.text, return_counts=True)[1].max(initial=0))
    for step in range(1, most):
        here, there = slice(0, n_candidates - step), slice(step, n_candidates)
        overlap = (candidates.text[here] == candidates.text[there]) & (candidates.first[there] <= candidates.last[here])
        is_same = candidates.type[here] == candidates.type[there]
        for one, rival in ((here, there), (there, here)):
            chance = candidates.probability[rival] * overlap
            same[one] = np.maximum(same[one], chance * is_same)
            other[one] = np.maximum(other[one], chance * ~is_same)
            total[one] += chance
    return same, other, total


def _code(figures: NDArray[Any]) -> Codes:
    return figures.astype(np.uint64)


def _to_level(probabilities: Doubles) -> Codes:
    return _code(np.digitize(probabilities, _LEVELS))


def _to_log_odds(probabilities: Doubles) -> Doubles:
    bounded = np.clip(probabilities, 1e-3, 1 - 1e-3)
    return np.asarray(np.log(bounded / (1 - bounded)), dtype=np.float64)
