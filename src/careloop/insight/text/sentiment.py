"""Positive or negative, how surely, and which words say so: one linear model for Chinese characters, one for English words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.artefacts import load
from careloop.insight.text.ngrams import Floats, Ngrams, NgramTable, length_of
from careloop.insight.text.sequences import Sequences

CHINESE, ENGLISH = "sentiment_zh", "sentiment_en"
_PRODUCT, _GOOD, _BAD = 1, 2, 3  # columns of the tables; 0 is the squared scale
MOST_LOGIT = 5.0  # 0.993: no held-back rows bear out more than that
_SOFTENING = 15.0  # of sums of valence, as in VADER: x / sqrt(x² + 15)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Sentiment of a batch.

    Attributes
    ----------
    logits : ndarray of float32, shape (n_texts,)
        Calibrated log-odds of being positive.
    is_known : ndarray of bool, shape (n_texts,)
        False where the model knows nothing in the text.
    weights : ndarray of float32, shape (n_codes,)
        What each character (Chinese) or word (English) added to the log-odds; none when it was not asked for.
    """

    logits: Floats
    is_known: NDArray[np.bool_]
    weights: Floats


class Judge(Protocol):
    """Anything that tells sentiment."""

    def judge(self, sequences: Sequences, *, is_explained: bool = True) -> Judgement:
        """Return the sentiment of every text of a batch; unexplained, without the weights."""


@dataclass(frozen=True, slots=True)
class SentimentModel:
    """A table of n-gram weights, three weights for summed valence (English), and the calibration."""

    table: NgramTable
    valence_weights: Floats
    slope: float
    bias: float
    neutral_half_width: float  # of the probability around 0.5 within which a text counts as neutral
    version: str

    def judge(self, sequences: Sequences, *, is_explained: bool = True) -> Judgement:
        """Return the sentiment of every text of a batch; unexplained, without the weights."""
        ngrams = self.table.find(sequences)
        sums = self.table.sum(ngrams)
        scores = sums[:, _PRODUCT] / length_of(sums)
        if len(self.valence_weights):
            scores = scores + soften_valence(sums[:, _GOOD], sums[:, _BAD]) @ self.valence_weights
        logits = np.clip(np.float32(self.slope) * scores + np.float32(self.bias), -MOST_LOGIT, MOST_LOGIT)
        weights = self._weigh(ngrams, sequences, sums) if is_explained else np.zeros(0, dtype=np.float32)
        return Judgement(np.asarray(logits, dtype=np.float32), sums[:, 0] > 0, weights)

    def _weigh(self, ngrams: list[Ngrams], sequences: Sequences, sums: Floats) -> Floats:
        weights = self._spread(ngrams, sequences, _PRODUCT) / np.repeat(length_of(sums), np.diff(sequences.starts))
        if len(self.valence_weights):
            weights = weights + self._spread_valence(ngrams, sequences, sums)
        return np.asarray(weights * self.slope, dtype=np.float32)

    def _spread(self, ngrams: list[Ngrams], sequences: Sequences, column: int) -> Floats:
        columns = np.full(len(sequences), column, dtype=np.int64)
        return self.table.spread(ngrams, columns, len(sequences.codes))

    def _spread_valence(self, ngrams: list[Ngrams], sequences: Sequences, sums: Floats) -> Floats:
        good, bad = (self._spread(ngrams, sequences, column) for column in (_GOOD, _BAD))
        lengths = np.diff(sequences.starts)
        roots = [np.sqrt(total**2 + _SOFTENING) for total in (sums[:, _GOOD] - sums[:, _BAD], sums[:, _GOOD], sums[:, _BAD])]
        parts = [part / np.repeat(root, lengths) for part, root in zip((good - bad, good, bad), roots, strict=True)]
        return np.asarray(np.stack(parts, axis=1) @ self.valence_weights, dtype=np.float32)


def soften_valence(good: Floats, bad: Floats) -> Floats:
    """Return the three features made from the sums of good and bad valence, shape (n_texts, 3), each within −1…1.

    References
    ----------
    Hutto & Gilbert 2014, VADER: the normalisation of the compound score.
    """
    totals = np.stack([good - bad, good, bad], axis=1)
    return np.asarray(totals / np.sqrt(totals**2 + np.float32(_SOFTENING)), dtype=np.float32)


def hash_word(word: str) -> int:
    """Return the code by which the English models know a word."""
    return crc32(word.encode("utf-8"))


@cache
def load_sentiment(name: str) -> SentimentModel:
    """Return the shipped model `CHINESE` or `ENGLISH`."""
    artefact = load(name)
    settings = artefact.settings
    return SentimentModel(
        table=artefact.table(),
        valence_weights=np.asarray(settings["valence_weights"], dtype=np.float32),
        slope=float(settings["slope"]),
        bias=float(settings["bias"]),
        neutral_half_width=float(settings["neutral_half_width"]),
        version=artefact.version,
    )
