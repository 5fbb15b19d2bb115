"""What a contact is about: consultation, complaint, refund, suggestion, praise or something else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from careloop.insight.text.artefacts import load
from careloop.insight.text.ngrams import Floats, NgramTable, length_of
from careloop.insight.text.sequences import Sequences

CHINESE, ENGLISH = "kind_zh", "kind_en"
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
    temperature: float
    least_probability: float  # below it the model abstains
    version: str

    def judge(self, sequences: Sequences, sentiment_logits: Floats, *, is_explained: bool = True) -> KindJudgement:
        """Return the kind of every text of a batch, given the log-odds of being positive; unexplained, without the weights."""
        ngrams = self.table.find(sequences)
        sums = self.table.sum(ngrams)
        length = length_of(sums)
        scores = sums[:, 1:] / length[:, None] + bound_sentiment(sentiment_logits) @ self.sentiment_weights + self.bias
        probabilities = softmax(scores / np.float32(self.temperature))
        if not is_explained:
            return KindJudgement(probabilities, np.zeros(0, dtype=np.float32))
        spread = self.table.spread(ngrams, probabilities.argmax(axis=1) + 1, len(sequences.codes))
        weights = spread / np.repeat(length * np.float32(self.temperature), np.diff(sequences.starts))
        return KindJudgement(probabilities, np.asarray(weights, dtype=np.float32))


def bound_sentiment(logits: Floats) -> Floats:
    """Return the two features made from the log-odds of being positive, shape (n_texts, 2): towards praise, towards complaint; 0–1."""
    ratio = np.clip(logits / np.float32(_MOST_SENTIMENT), -1, 1)
    return np.stack([np.maximum(ratio, 0), np.maximum(-ratio, 0)], axis=1)


def softmax(scores: Floats) -> Floats:
    """Return probabilities from scores, row by row."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True), dtype=np.float32)


@cache
def load_kind(name: str) -> KindModel:
    """Return the shipped model `CHINESE` or `ENGLISH`."""
    artefact = load(name)
    settings = artefact.settings
    return KindModel(
        table=artefact.table(),
        sentiment_weights=np.asarray(settings["sentiment_weights"], dtype=np.float32),
        bias=np.asarray(settings["bias"], dtype=np.float32),
        temperature=float(settings["temperature"]),
        least_probability=float(settings["least_probability"]),
        version=artefact.version,
    )
