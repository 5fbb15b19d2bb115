"""Learning a chain: its likelihood climbed in small batches of texts, features dropped at random, the last passes' weights averaged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.entities.chains import Chain, Columns, Doubles, find_rows, run, to_matrix
from careloop.insight.text.entities.layout import Places

_PASSES, _MOST_PASSES = 8, 20
_TEXTS_SEEN = 16_000  # at least, all passes together
_SMALLEST_BATCH, _BATCH, _BATCHES = 8, 64, 30  # texts, and the fewest batches a pass
_STEP = 0.05
_DROPPED = 0.5  # of the features, at random: what is left must do without the others
_SHRINK = 1e-6
_SQUARES, _PAIR_SQUARES = 1e-4, 1e-2  # what the sums of squared gradients start from


@dataclass(frozen=True, slots=True)
class TaggedTexts:
    """Texts whose units have features and tags.

    Attributes
    ----------
    columns : ndarray of int32, shape (n_rows, n_features)
        The features of units, 0 for one that is not known.
    tags : ndarray of int64, shape (n_rows,)
    firsts, lengths : ndarray of int64, shape (n_texts,)
        Where the units of each text stand.
    n_columns, n_tags : int
    """

    columns: Columns
    tags: NDArray[np.int64]
    firsts: Places
    lengths: Places
    n_columns: int
    n_tags: int


def learn_chain(tagged: TaggedTexts, texts: Places, *, seed: int) -> Chain:
    """Return a chain learnt from some texts.

    Parameters
    ----------
    tagged : TaggedTexts
    texts : ndarray of int64
        Numbers of the texts to learn from.
    seed : int
        Of the order of texts and of the features dropped.

    References
    ----------
    Lafferty, McCallum & Pereira 2001, "Conditional Random Fields"; Duchi, Hazan & Singer 2011, "Adaptive Subgradient Methods"; Wang et
    al. 2013, "Feature Noising for Log-Linear Structured Prediction".
    """
    random = np.random.default_rng(seed)
    climb = _Climb(tagged.n_columns, tagged.n_tags)
    texts = texts[tagged.lengths[texts] > 0]
    n_passes = int(np.clip(-(-_TEXTS_SEEN // max(len(texts), 1)), _PASSES, _MOST_PASSES))
    batch = int(np.clip(len(texts) // _BATCHES, _SMALLEST_BATCH, _BATCH))
    n_averaged = n_passes // 2
    weights, transitions = np.zeros_like(climb.weights), np.zeros_like(climb.transitions)
    for turn in range(n_passes):
        random.shuffle(texts)
        for begin in range(0, len(texts), batch):
            chosen = texts[begin : begin + batch]
            rows = find_rows(tagged.firsts[chosen], tagged.lengths[chosen])
            seen = tagged.columns[rows]
            seen[random.random(seen.shape, dtype=np.float32) < _DROPPED] = 0
            climb.step(seen, tagged.tags[rows], tagged.lengths[chosen])
        if turn >= n_passes - n_averaged:
            weights += climb.weights / n_averaged
            transitions += climb.transitions / n_averaged
    return Chain(weights, transitions)


class _Climb:
    """Weights while they are learnt."""

    def __init__(self, n_columns: int, n_tags: int) -> None:
        self.weights = np.zeros((n_columns, n_tags), dtype=np.float32)
        self.transitions = np.zeros((n_tags, n_tags))
        self._squares = np.full((n_columns, n_tags), _SQUARES, dtype=np.float32)
        self._pair_squares = np.full((n_tags, n_tags), _PAIR_SQUARES)

    def step(self, columns: Columns, tags: NDArray[np.int64], lengths: Places) -> None:
        """Take one step towards the tags of a batch of texts, on the features that it has."""
        used, numbers = np.unique(columns, return_inverse=True)
        if used[0] != 0:
            used, numbers = np.append(0, used), numbers + 1
        features = to_matrix(numbers.reshape(columns.shape).astype(np.int32), weight=1 / (1 - _DROPPED), width=len(used))
        own = self.weights[used]
        gradient, pairs = _find_gradient(features @ own, tags, lengths, self.transitions)
        slope = features.T @ gradient + _SHRINK * len(lengths) * own
        squares = self._squares[used] + slope**2
        self._squares[used] = squares
        self.weights[used] = own - _STEP * slope / np.sqrt(squares)
        self._pair_squares += pairs**2
        self.transitions -= _STEP * pairs / np.sqrt(self._pair_squares)


def _find_gradient(
    scores: NDArray[np.float32], tags: NDArray[np.int64], lengths: Places, transitions: Doubles
) -> tuple[NDArray[np.float32], Doubles]:
    """Return expected minus actual counts, of tags at units, shape (n_units, n_tags), and of pairs of tags, shape (n_tags, n_tags)."""
    passed = run(scores, lengths, transitions)
    is_unit, follows = passed.is_unit, passed.is_unit[:, 1:]
    expected = passed.forward[is_unit] * passed.backward[is_unit]
    expected /= expected.sum(axis=1, keepdims=True)
    expected[np.arange(len(tags)), tags] -= 1
    arriving = passed.emissions[:, 1:] * passed.backward[:, 1:] / passed.scale[:, 1:, None]
    pairs = (passed.forward[:, :-1][follows].T @ arriving[follows]) * passed.transitions
    is_first = np.zeros(len(tags), dtype=bool)
    is_first[np.cumsum(lengths) - lengths] = True
    np.subtract.at(pairs, (tags[np.flatnonzero(~is_first) - 1], tags[~is_first]), 1)
    return expected.astype(np.float32), pairs
