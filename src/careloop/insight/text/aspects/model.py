"""A model of a house's own aspects: one linear detector per aspect, one softmax for the opinion, as plain arrays beside a JSON card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.errors import ModelError
from careloop.insight.text.aspects.clauses import Clause, find_clauses
from careloop.insight.text.aspects.features import find_features
from careloop.insight.text.model_folder import read_arrays, read_card, write_model

Doubles = NDArray[np.float64]
FORMAT = 2
SHORTEST = 4.0  # added to a vector's squared length, so that one known n-gram alone does not decide like a sentence
_LEAST_PROBABILITY = 0.15  # below it an aspect is not named, even where every training text had one
_BATCH = 2000


class LearntAspect(NamedTuple):
    """An aspect found in a text.

    Attributes
    ----------
    aspect : str
        A label of the training data.
    sentiment : str
        A polarity of the training data, or “positive”, “neutral”, “negative” where it gave none.
    probability : float
        Calibrated probability that the text speaks of the aspect, 0–1.
    start, end : int
        The clause that speaks of it most clearly.
    """

    aspect: str
    sentiment: str
    probability: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Detector:
    """Linear scores of aspects.

    Attributes
    ----------
    columns : ndarray of int64, shape (n_columns,)
        The n-grams that are known.
    scales : ndarray of float32, shape (n_columns, n_aspects)
        How much an n-gram counts for an aspect, before the text's vector is brought to length 1.
    weights : ndarray of float32, shape (n_columns, n_aspects)
        Scale × learnt weight.
    bias : ndarray of float64, shape (n_aspects,)
    """

    columns: NDArray[np.int64]
    scales: NDArray[np.float32]
    weights: NDArray[np.float32]
    bias: Doubles

    def score(self, found: sparse.csr_matrix) -> Doubles:
        """Return one score per text and aspect, shape (n_texts, n_aspects)."""
        known = found[:, self.columns]
        length = np.sqrt(known @ self.scales**2 + SHORTEST)
        return np.asarray(known @ self.weights / length + self.bias, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Polarity:
    """The opinion of a clause inside its text: a softmax over both, and one bias per aspect.

    Attributes
    ----------
    names : tuple of str, length n_names
    columns : ndarray of int64, shape (n_columns,)
    weights : ndarray of float32, shape (2 · n_columns + n_aspects, n_names)
        For the clause's n-grams, the whole text's, and the aspect.
    bias : ndarray of float64, shape (n_names,)
    """

    names: tuple[str, ...]
    columns: NDArray[np.int64]
    weights: NDArray[np.float32]
    bias: Doubles

    def choose(self, features: sparse.csr_matrix) -> list[str]:
        """Return the likeliest opinion per row of `lay_out`."""
        return [self.names[best] for best in np.asarray(features @ self.weights + self.bias).argmax(axis=1)]

    def lay_out(
        self, clauses: sparse.csr_matrix, texts: sparse.csr_matrix, aspects: NDArray[np.int64], n_aspects: int
    ) -> sparse.csr_matrix:
        """Return the features of (clause, its text, aspect) triples, row by row."""
        return lay_out(clauses[:, self.columns], texts[:, self.columns], aspects, n_aspects)


def lay_out(clauses: sparse.csr_matrix, texts: sparse.csr_matrix, aspects: NDArray[np.int64], n_aspects: int) -> sparse.csr_matrix:
    """Return the features of opinions: the clause's and the text's n-grams, each at length 1, and the aspect."""
    ones = np.ones(len(aspects))
    named = sparse.csr_matrix((ones, aspects, np.arange(len(aspects) + 1)), shape=(len(aspects), n_aspects))
    return sparse.csr_matrix(sparse.hstack([_at_length_one(clauses), _at_length_one(texts), named]))


def _at_length_one(found: sparse.csr_matrix) -> sparse.csr_matrix:
    length = np.sqrt(np.maximum(np.diff(found.indptr), 1))
    return sparse.diags(1 / length) @ found


@dataclass(frozen=True, slots=True)
class AspectModel:
    """Finds learnt aspects, and the opinion on each, in any text.

    Attributes
    ----------
    aspects : tuple of str, length n_aspects
    units : tuple of str
        What n-grams are counted of.
    detector : Detector
    lines : ndarray of float64, shape (n_aspects, 5)
        What turns scores into calibrated log-odds: a slope for each sign (see `find_signs`) and a bias.
    thresholds : ndarray of float64, shape (n_aspects,)
        Least probability from which on an aspect is named.
    is_always_one : bool
        Every training text had an aspect, so the likeliest one is always named.
    polarity : Polarity or None
        None: the opinion is the shipped sentiment models'.
    card : dict
        Training data's fingerprint and figures.
    """

    aspects: tuple[str, ...]
    units: tuple[str, ...]
    detector: Detector
    lines: Doubles
    thresholds: Doubles
    is_always_one: bool
    polarity: Polarity | None
    card: dict[str, Any]

    def read(self, texts: Sequence[str]) -> list[list[LearntAspect]]:
        """Return the aspects of every text, likeliest first; none for a text that holds nothing known."""
        found: list[list[LearntAspect]] = []
        for first in range(0, len(texts), _BATCH):
            found += self._read(list(texts[first : first + _BATCH]))
        return found

    def score(self, texts: Sequence[str]) -> Doubles:
        """Return the probability that each text speaks of each aspect, shape (n_texts, n_aspects)."""
        return self._look(texts).probabilities if texts else np.zeros((0, len(self.aspects)))

    def save(self, folder: str | Path) -> None:
        """Write the model into a folder, made if it is not there."""
        arrays: dict[str, NDArray[Any]] = {
            "columns": self.detector.columns, "scales": self.detector.scales.astype(np.float16),
            "weights": self.detector.weights.astype(np.float16), "bias": self.detector.bias,
            "lines": self.lines, "thresholds": self.thresholds,
        }  # fmt: skip
        if self.polarity is not None:
            arrays |= {
                "polarity_columns": self.polarity.columns,
                "polarity_weights": self.polarity.weights.astype(np.float16),
                "polarity_bias": self.polarity.bias,
            }
        names = list(self.polarity.names) if self.polarity is not None else None
        card = self.card | {
            "format": FORMAT, "task": "aspects", "aspects": list(self.aspects), "units": list(self.units),
            "is_always_one": self.is_always_one, "polarities": names,
        }  # fmt: skip
        write_model(folder, card, arrays)

    def _look(self, texts: Sequence[str]) -> _Look:
        """Return the n-grams of texts and of their clauses, and the probability that each text speaks of each aspect."""
        features = find_features(texts, self.units)
        clauses = find_clauses(texts)
        parts = find_features([texts[one.row][one.start : one.end] for one in clauses], self.units)
        signs = find_signs(self.detector, features, parts, clauses)
        return _Look(features, clauses, parts, to_probabilities(signs, self.lines))

    def _read(self, texts: list[str]) -> list[list[LearntAspect]]:
        features, clauses, parts, probabilities = self._look(texts)
        is_named = probabilities >= self.thresholds
        is_known = np.asarray(features[:, self.detector.columns].sum(axis=1)).ravel() > 0
        if self.is_always_one and len(texts):
            is_named[np.arange(len(texts)), (probabilities / self.thresholds).argmax(axis=1)] = True
        is_named &= is_known[:, None] & (probabilities >= _LEAST_PROBABILITY)
        pairs = np.argwhere(is_named)
        chosen = self.find_best_clauses(clauses, parts, pairs)
        opinions = self._judge(texts, [clauses[place] for place in chosen], features[pairs[:, 0]], parts[chosen], pairs[:, 1])
        found: list[list[LearntAspect]] = [[] for _ in texts]
        for (row, aspect), place, opinion in zip(pairs.tolist(), chosen, opinions, strict=True):
            probability = round(float(probabilities[row, aspect]), 4)
            found[row].append(LearntAspect(self.aspects[aspect], opinion, probability, clauses[place].start, clauses[place].end))
        return [sorted(one, key=lambda item: -item.probability) for one in found]

    def find_best_clauses(self, clauses: Sequence[Clause], parts: sparse.csr_matrix, pairs: NDArray[np.int64]) -> list[int]:
        """Return, for each (text, aspect) pair, the number of the text's clause that speaks of the aspect most clearly."""
        if not len(pairs):
            return []
        sums = np.asarray(parts[:, self.detector.columns] @ self.detector.weights)
        starts = np.searchsorted([one.row for one in clauses], np.arange(clauses[-1].row + 2))
        return [int(starts[row] + sums[starts[row] : starts[row + 1], aspect].argmax()) for row, aspect in pairs.tolist()]

    def _judge(
        self, texts: list[str], clauses: list[Clause], features: sparse.csr_matrix, parts: sparse.csr_matrix, aspects: NDArray[np.int64]
    ) -> list[str]:
        if not clauses:
            return []
        if self.polarity is None:
            from careloop.insight.text.reader import read_batch

            return [reading.sentiment for reading in read_batch([texts[one.row][one.start : one.end] for one in clauses])]
        return self.polarity.choose(self.polarity.lay_out(parts, features, aspects, len(self.aspects)))


class _Look(NamedTuple):
    """Texts as a model sees them; probabilities of shape (n_texts, n_aspects)."""

    features: sparse.csr_matrix
    clauses: list[Clause]
    parts: sparse.csr_matrix
    probabilities: Doubles


def find_signs(detector: Detector, texts: sparse.csr_matrix, parts: sparse.csr_matrix, clauses: Sequence[Clause]) -> Doubles:
    """Return the signs that a text speaks of an aspect, shape (n_texts, n_aspects, 4).

    They are the whole text's score, the highest of its clauses', and of both the highest of another aspect: aspects vie for a text.
    """
    starts = np.searchsorted([one.row for one in clauses], np.arange(texts.shape[0]))
    own = [detector.score(texts), np.maximum.reduceat(detector.score(parts), starts, axis=0)]
    return np.stack([*own, *map(_find_highest_other, own)], axis=2)


def _find_highest_other(scores: Doubles) -> Doubles:
    first, second = np.partition(scores, -2, axis=1)[:, [-1, -2]].T[:, :, None]
    is_first = np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]
    return np.asarray(np.where(is_first, second, first), dtype=np.float64)


def to_probabilities(signs: Doubles, lines: Doubles) -> Doubles:
    """Return calibrated probabilities, shape (n_texts, n_aspects), of signs."""
    logits = (signs * lines[:, :-1]).sum(axis=2) + lines[:, -1]
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))))


def load_aspects(folder: str | Path) -> AspectModel:
    """Return the model that `AspectModel.save` wrote.

    Raises
    ------
    ModelError
        When the folder holds no model of aspects, one of another format, or a damaged one.
    """
    card, arrays = read_card(folder, task="aspects", format=FORMAT), read_arrays(folder)
    try:
        detector = Detector(arrays["columns"], arrays["scales"].astype(np.float32), arrays["weights"].astype(np.float32), arrays["bias"])
        polarity = None
        if card["polarities"] is not None:
            weights = arrays["polarity_weights"].astype(np.float32)
            polarity = Polarity(tuple(card["polarities"]), arrays["polarity_columns"], weights, arrays["polarity_bias"])
        return AspectModel(
            tuple(card["aspects"]), tuple(card["units"]), detector, arrays["lines"], arrays["thresholds"],
            bool(card["is_always_one"]), polarity, card,
        )  # fmt: skip
    except (ValueError, KeyError) as error:
        raise ModelError(f"The model of aspects in “{folder}” cannot be read ({error!r}); learn it again.") from error
