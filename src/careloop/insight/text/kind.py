"""What a contact is about: consultation, complaint, refund, suggestion, praise or something else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.artefacts import load
from careloop.insight.text.ngrams import Floats, NgramTable, length_of
from careloop.insight.text.sequences import Sequences

CHINESE, ENGLISH = "kind_zh", "kind_en"
_LEAST_DOUBT = 1e-4
_EDGE = 1.001  # how far the likeliest kind stays ahead of the next, at least
_USUAL_LENGTH = 2.5  # logarithm of a dozen words
_MOST_SENTIMENT = 4.0  # log-odds; beyond this a text is as positive or negative as can be


@dataclass(frozen=True, slots=True)
class KindJudgement:
    """Kinds of a batch.

    Attributes
    ----------
    probabilities : ndarray of float32, shape (n_texts, 6)
        Calibrated, in the order of `types.KINDS`; each row sums to 1.
    weights : ndarray of float32, shape (n_codes,)
        What each character (Chinese) or word (English) added to the log-odds of the text's likeliest kind; none when it was not asked for.
    """

    probabilities: Floats
    weights: Floats


@dataclass(frozen=True, slots=True)
class KindModel:
    """A softmax over n-grams and the sentiment already found; columns 1–6 of the table are the kinds."""

    table: NgramTable
    sentiment_weights: Floats
    bias: Floats
    calibration: Floats  # what `describe_certainty` is weighed with, shape (4,)
    least_probability: float  # below it the model abstains
    version: str

    def judge(self, sequences: Sequences, sentiment_logits: Floats, *, is_explained: bool = True) -> KindJudgement:
        """Return the kind of every text of a batch, given the log-odds of being positive; unexplained, without the weights."""
        ngrams = self.table.find(sequences)
        sums = self.table.sum(ngrams)
        length = length_of(sums)
        scores = sums[:, 1:] / length[:, None] + bound_sentiment(sentiment_logits) @ self.sentiment_weights + self.bias
        probabilities = calibrate(softmax(scores), np.diff(sequences.starts), self.calibration)
        if not is_explained:
            return KindJudgement(probabilities, np.zeros(0, dtype=np.float32))
        spread = self.table.spread(ngrams, probabilities.argmax(axis=1) + 1, len(sequences.codes))
        weights = self.calibration[1] * spread / np.repeat(length, np.diff(sequences.starts))
        return KindJudgement(probabilities, np.asarray(weights, dtype=np.float32))


def bound_sentiment(logits: Floats) -> Floats:
    """Return the two features made from the log-odds of being positive, shape (n_texts, 2): towards praise, towards complaint; 0–1."""
    ratio = np.clip(logits / np.float32(_MOST_SENTIMENT), -1, 1)
    return np.stack([np.maximum(ratio, 0), np.maximum(-ratio, 0)], axis=1)


def softmax(scores: Floats) -> Floats:
    """Return probabilities from scores, row by row."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


def describe_certainty(probabilities: Floats, lengths: NDArray[np.int64]) -> Floats:
    """Return what tells whether the likeliest kind is right, shape (n_texts, 4): 1, its log-odds, log length of the text, and its square.

    The length takes part because a long text says several things, and is less often of the kind that its words add up to.
    """
    best = np.clip(probabilities.max(axis=1), _LEAST_DOUBT, 1 - _LEAST_DOUBT)
    length = np.log1p(lengths, dtype=np.float32) - np.float32(_USUAL_LENGTH)
    return np.stack([np.ones_like(best), np.log(best / (1 - best)), length, length**2], axis=1)


def calibrate(probabilities: Floats, lengths: NDArray[np.int64], weights: Floats) -> Floats:
    """Return probabilities whose largest is as high as it was right on texts kept back; which kind is the likeliest stays."""
    rows, best = np.arange(len(probabilities)), probabilities.argmax(axis=1)
    wanted = 1 / (1 + np.exp(-describe_certainty(probabilities, lengths) @ weights))
    others = probabilities.copy()
    others[rows, best] = 0
    rest = np.maximum(others.sum(axis=1), np.float32(_LEAST_DOUBT))
    second = others.max(axis=1) / rest
    wanted = np.maximum(wanted, _EDGE * second / (1 + second))  # the likeliest kind stays the likeliest
    calibrated = others * ((1 - wanted) / rest)[:, None]
    calibrated[rows, best] = wanted
    return np.asarray(calibrated / calibrated.sum(axis=1, keepdims=True), dtype=np.float32)


@cache
def load_kind(name: str) -> KindModel:
    """Return the shipped model `CHINESE` or `ENGLISH`."""
    artefact = load(name)
    settings = artefact.settings
    return KindModel(
        table=artefact.table(),
        sentiment_weights=np.asarray(settings["sentiment_weights"], dtype=np.float32),
        bias=np.asarray(settings["bias"], dtype=np.float32),
        calibration=np.asarray(settings["calibration"], dtype=np.float32),
        least_probability=float(settings["least_probability"]),
        version=artefact.version,
    )
