"""A linear-chain conditional random field over units: how likely each stretch of a text is an entity of each type."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.entities.annotations import LabelledSpan
from careloop.insight.text.entities.layout import Places
from careloop.insight.text.entities.units import Units

Doubles = NDArray[np.float64]
Columns = NDArray[np.int32]
_BATCH = 256  # texts whose probabilities are computed together
_LONGEST = 30  # units of an entity
_LEAST_PROBABILITY = 0.02  # of a stretch that is looked at again


class Candidates(NamedTuple):
    """Stretches of texts that may be entities, text by text, all arrays of shape (n_candidates,).

    Attributes
    ----------
    text, first, last, type : ndarray of int64
        Number of the text, first and last unit in it, number of the type.
    probability : ndarray of float64
    """

    text: Places
    first: Places
    last: Places
    type: Places
    probability: Doubles


class Passed(NamedTuple):
    """Forward and backward pass over texts of a batch, scaled; shapes (n_texts, n_units, n_tags), scale (n_texts, n_units)."""

    emissions: Doubles
    forward: Doubles
    backward: Doubles
    scale: Doubles
    transitions: Doubles
    is_unit: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Chain:
    """A trained chain; tag 0 is no entity, 2t + 1 begins one of type t, 2t + 2 goes on with it.

    Attributes
    ----------
    weights : ndarray of float32, shape (n_columns, n_tags)
        Row 0 stands for features that are not known, and is zero.
    transitions : ndarray of float64, shape (n_tags, n_tags)
    """

    weights: NDArray[np.float32]
    transitions: Doubles

    def find(self, columns: Columns, firsts: Places, lengths: Places) -> Candidates:
        """Return the stretches of texts that are entities with some probability.

        Parameters
        ----------
        columns : ndarray of int32, shape (n_rows, n_features)
            The features of units.
        firsts, lengths : ndarray of int64, shape (n_texts,)
            Where each text's units stand.
        """
        found: list[Candidates] = []
        by_length = np.argsort(lengths, kind="stable")
        for begin in range(0, len(by_length), _BATCH):
            texts = by_length[begin : begin + _BATCH]
            texts = texts[lengths[texts] > 0]
            if len(texts):
                features = to_matrix(columns[find_rows(firsts[texts], lengths[texts])], width=len(self.weights))
                passed = run(features @ self.weights, lengths[texts], self.transitions)
                found += [one._replace(text=texts[one.text]) for one in _find_likely(passed, lengths[texts])]
        return join_candidates(found)


def join_candidates(found: Sequence[Candidates]) -> Candidates:
    """Return candidates of several texts together, in order of text and place."""
    if not found:
        none = np.zeros(0, dtype=np.int64)
        return Candidates(none, none, none, none, np.zeros(0))
    text, first, last, kind = (np.concatenate([one[part] for one in found]).astype(np.int64) for part in range(4))
    order = np.lexsort((kind, last, first, text))
    return Candidates(text[order], first[order], last[order], kind[order], np.concatenate([one.probability for one in found])[order])


def find_rows(firsts: Places, lengths: Places) -> Places:
    """Return the rows of texts, one text after the other."""
    ends = np.cumsum(lengths)
    return np.asarray(np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths) + np.repeat(firsts, lengths), dtype=np.int64)


def to_matrix(columns: Columns, *, weight: float = 1.0, width: int) -> Any:
    """Return features as a sparse matrix, shape (n_rows, width); column 0 is left out."""
    is_known = columns != 0
    bounds = np.concatenate([[0], np.cumsum(is_known.sum(axis=1))])
    known = columns[is_known]
    return sparse.csr_matrix((np.full(len(known), weight, dtype=np.float32), known, bounds), shape=(len(columns), width))


def run(scores: NDArray[np.float32], lengths: Places, transitions: Doubles) -> Passed:
    """Return the forward and backward pass for the units of texts with the scores of their tags, shape (n_units, n_tags)."""
    n_tags, longest = scores.shape[1], int(lengths.max())
    is_unit = np.arange(longest) < lengths[:, None]
    emissions = np.ones((len(lengths), longest, n_tags))
    emissions[is_unit] = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = np.exp(transitions) * may_follow(n_tags)
    forward, backward = np.empty_like(emissions), np.ones_like(emissions)
    scale = np.ones((len(lengths), longest))
    reached = emissions[:, 0] * may_follow(n_tags)[0]
    for place in range(longest):
        if place:
            reached = (forward[:, place - 1] @ weights) * emissions[:, place]
        scale[:, place] = np.maximum(reached.sum(axis=1), 1e-300)
        forward[:, place] = reached / scale[:, place, None]
    for place in range(longest - 2, -1, -1):
        ahead = (backward[:, place + 1] * emissions[:, place + 1]) @ weights.T / scale[:, place + 1, None]
        backward[:, place] = np.where(is_unit[:, place + 1, None], ahead, 1.0)
    return Passed(emissions, forward, backward, scale, weights, is_unit)


def may_follow(n_tags: int) -> NDArray[np.bool_]:
    """Return which tag may follow which, shape (n_tags, n_tags): an entity goes on only where it has begun. A text begins as after 0."""
    allowed = np.ones((n_tags, n_tags), dtype=bool)
    for goes_on in range(2, n_tags, 2):
        allowed[:, goes_on] = False
        allowed[goes_on - 1 : goes_on + 1, goes_on] = True
    return allowed


def _find_likely(passed: Passed, lengths: Places) -> Iterator[Candidates]:
    """Yield likely stretches of one unit, of two, and so on."""
    emissions, forward, backward, scale, weights, _ = passed
    n_units, n_types = emissions.shape[1], (emissions.shape[2] - 1) // 2
    begins, goes_on = 2 * np.arange(n_types) + 1, 2 * np.arange(n_types) + 2
    steps = emissions[:, :, goes_on] / scale[:, :, None]
    ahead = np.zeros_like(steps)  # that a stretch goes on after a unit
    ahead[:, :-1] = steps[:, 1:] * backward[:, 1:, goes_on] * (np.arange(1, n_units) < lengths[:, None])[:, :, None]
    mass = forward[:, :, begins]
    for length in range(min(_LONGEST, n_units)):
        from_tag = begins if length == 0 else goes_on
        if length:
            previous = begins if length == 1 else goes_on
            mass = mass[:, : n_units - length] * weights[previous, goes_on] * steps[:, length:]
        ended = mass * (backward[:, length:, from_tag] - weights[from_tag, goes_on] * ahead[:, length:])
        ended *= (np.arange(length, n_units) < lengths[:, None])[:, :, None]
        text, first, kind = np.nonzero(ended > _LEAST_PROBABILITY)
        yield Candidates(text, first, first + length, kind, ended[text, first, kind])
        if (mass * backward[:, length:, from_tag]).max(initial=0.0) < _LEAST_PROBABILITY:
            break


def encode_tags(spans: Sequence[LabelledSpan], units: Units, types: Sequence[str]) -> list[int]:
    """Return the tag of every unit; a unit counts to an entity that holds it whole."""
    tags = [0] * len(units)
    remaining = list(spans)
    is_begun = False
    for place, (start, end) in enumerate(zip(units.starts, units.ends, strict=True)):
        while remaining and remaining[0].end <= start:
            remaining.pop(0)
            is_begun = False
        if remaining and remaining[0].start <= start and end <= remaining[0].end:
            tags[place] = 2 * types.index(remaining[0].type) + (2 if is_begun else 1)
            is_begun = True
    return tags
