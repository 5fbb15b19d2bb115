"""Sentiment that has learnt the words of the texts at hand, without a label: the shipped model teaches on what it is sure of.

A shipped model knows opinions of many trades, but not that a pear should be crisp. In a file of some thousand texts it is sure of most;
what stands in those tells it about the words it does not know. Nothing is adapted behind anyone's back: whoever reads many texts asks for
it, and the readings' model versions say so.

References
----------
Blitzer, Dredze & Pereira, "Biographies, Bollywood, Boom-boxes and Blenders: Domain Adaptation for Sentiment Classification", ACL 2007 (the
task); the method is self-training with the features of Wang & Manning, "Baselines and Bigrams", ACL 2012.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from careloop.insight.text import sentiment
from careloop.insight.text.background import common_english_words
from careloop.insight.text.language import find_languages
from careloop.insight.text.ngrams import Floats, NgramTable, find_ngrams, length_of
from careloop.insight.text.readable import to_readable
from careloop.insight.text.sequences import Sequences, fold, read_characters, read_words
from careloop.insight.text.words import find_english_words

MOST_TEXTS = 8_000
LEAST_TEXTS = 1_000  # of a language; fewer say too little about its words
_LONGEST_TEXT = 1_000  # characters that are learnt from
_LEAST_MET = 2  # texts; an n-gram met once teaches nothing
_LEAST_OPINIONS = 100  # sure texts of the rarer sentiment
_SURE_LOGIT = 0.7  # 0.67; surer texts are easier, and teach less
_MOST_TRUST = 3.0  # weight of the surest text
_WEIGHT = 0.6  # of what was learnt beside what was shipped
_ROUNDS = 2
_STRENGTH = 3.0  # inverse of the ridge penalty
_STEPS = 25  # of L-BFGS; 60 give the same accuracy
_BITS = 18
_ORDERS = {sentiment.CHINESE: (1, 2, 3), sentiment.ENGLISH: (1, 2)}


@dataclass(frozen=True, slots=True)
class AdaptedSentiment:
    """A shipped model and what it learnt beside it."""

    shipped: sentiment.SentimentModel
    table: NgramTable
    bias: float
    scale: float  # keeps the mean strength of opinions what it was

    def judge(self, sequences: Sequences, *, is_explained: bool = True) -> sentiment.Judgement:
        """Return the sentiment of every text of a batch; unexplained, without the weights."""
        given = self.shipped.judge(sequences, is_explained=is_explained)
        ngrams = self.table.find(sequences)
        sums = self.table.sum(ngrams)
        length = length_of(sums)
        logits = (given.logits + np.float32(_WEIGHT) * (sums[:, 1] / length + np.float32(self.bias))) * np.float32(self.scale)
        clipped = np.clip(logits, -sentiment.MOST_LOGIT, sentiment.MOST_LOGIT)
        is_known = given.is_known | (sums[:, 0] > 0)
        if not is_explained:
            return sentiment.Judgement(clipped, is_known, given.weights)
        own = self.table.spread(ngrams, np.ones(len(sequences), dtype=np.int64), len(sequences.codes))
        own /= np.repeat(length, np.diff(sequences.starts))
        weights = (given.weights + np.float32(_WEIGHT) * own) * np.float32(self.scale)
        return sentiment.Judgement(clipped, is_known, weights)


@dataclass(frozen=True, slots=True)
class Adaptation:
    """How sentiment is read otherwise than by the shipped models alone.

    Attributes
    ----------
    models : dict of str to AdaptedSentiment
        Adapted models by the name of the shipped one.
    n_texts : dict of str to int
        How many texts each learnt from.
    compares_meanings : bool
        Whether the encoder's vectors have a say, too; see `careloop.insight.text.sentiment_meaning`.
    threads : int or None
        Of the encoder; None takes what the machine has.
    """

    models: dict[str, AdaptedSentiment]
    n_texts: dict[str, int]
    compares_meanings: bool = False
    threads: int | None = None

    def choose_judge(self, name: str, texts: list[str]) -> sentiment.Judge:
        """Return who judges these texts, given the name of the shipped model."""
        fast = self.models.get(name) or sentiment.load_sentiment(name)
        if not self.compares_meanings:
            return fast
        from careloop.insight.text.sentiment_meaning import add_meaning  # loads what speaks to encoders

        return add_meaning(name, fast, texts, threads=self.threads)

    @property
    def marks(self) -> tuple[tuple[str, str], ...]:
        """Return what is written behind a model's version, by the model's name: “*” for adapted, “~” for meanings."""
        meaning = "~" if self.compares_meanings else ""
        return tuple((name, "*" * (name in self.models) + meaning) for name in _ORDERS)


SHIPPED = Adaptation({}, {})


def adapt(texts: Sequence[str]) -> Adaptation:
    """Let the sentiment models learn the words of these texts.

    Parameters
    ----------
    texts : sequence of str
        The first 8,000 are used; a language with fewer than 1,000 of them, or with fewer than 100 sure texts of either sentiment, keeps its
        shipped model.

    Returns
    -------
    Adaptation
        To be given to `careloop.insight.read`.
    """
    readable = [to_readable(text[:_LONGEST_TEXT]) for text in texts[:MOST_TEXTS]]
    languages = find_languages(readable, read_characters(readable), common_english_words())
    by_language = {
        sentiment.CHINESE: [text for text, language in zip(readable, languages, strict=True) if language.name in {"zh-Hans", "zh-Hant"}],
        sentiment.ENGLISH: [text for text, language in zip(readable, languages, strict=True) if language.name == "en"],
    }
    models, n_texts = {}, {}
    for name, ones in by_language.items():
        if len(ones) < LEAST_TEXTS:
            continue
        learnt = _learn(name, _sequence(name, ones))
        if learnt is not None:
            models[name], n_texts[name] = learnt, len(ones)
    return Adaptation(models, n_texts)


def _sequence(name: str, texts: list[str]) -> Sequences:
    if name == sentiment.CHINESE:
        return fold(read_characters(texts))
    return read_words([find_english_words(text).model_words for text in texts], sentiment.hash_word)


def _learn(name: str, sequences: Sequences) -> AdaptedSentiment | None:
    shipped, orders = sentiment.load_sentiment(name), _ORDERS[name]
    given = shipped.judge(sequences, is_explained=False)
    every = _count(sequences, orders)
    every.sum_duplicates()
    buckets = np.flatnonzero(np.bincount(every.indices, minlength=every.shape[1]) >= _LEAST_MET)
    counts = every[:, buckets]
    logits = np.where(given.is_known, given.logits, 0).astype(np.float32)
    for _ in range(_ROUNDS):
        is_positive, is_negative = logits > _SURE_LOGIT, logits < -_SURE_LOGIT
        if min(is_positive.sum(), is_negative.sum()) < _LEAST_OPINIONS:
            return None
        scales = _weigh_ngrams(counts, is_positive, is_negative)
        known = is_positive | is_negative
        coefficients, bias = _fit(counts[known], scales, is_positive[known], np.minimum(np.abs(logits[known]), _MOST_TRUST))
        values = np.stack([scales**2, scales * coefficients], axis=1).astype(np.float32)
        sums = np.asarray(counts @ values, dtype=np.float32)
        logits = given.logits + np.float32(_WEIGHT) * (sums[:, 1] / length_of(sums) + np.float32(bias))
    scale = min(1.0, float(np.abs(given.logits).mean() / max(np.abs(logits).mean(), 1e-6)))
    table = np.zeros((1 << _BITS, 2), dtype=np.float32)
    table[buckets] = values
    return AdaptedSentiment(shipped, NgramTable(orders, _BITS, table), bias, scale)


def _count(sequences: Sequences, orders: tuple[int, ...]) -> sp.csr_matrix:
    """Return the counts of all orders together, shape (n_texts, 2**bits), as the table sums them."""
    total = sp.csr_matrix((len(sequences), 1 << _BITS), dtype=np.float32)
    for one in find_ngrams(sequences, orders=orders, bits=_BITS):
        total = total + one.count(_BITS)
    return total


def _weigh_ngrams(counts: sp.csr_matrix, is_positive: NDArray[np.bool_], is_negative: NDArray[np.bool_]) -> Floats:
    """Return the root of the absolute log-count ratio of each n-gram, shape (n_ngrams,)."""
    seen = counts.copy()
    seen.data = np.ones_like(seen.data)
    positive = np.asarray(seen[is_positive].sum(axis=0)).ravel() + 1
    negative = np.asarray(seen[is_negative].sum(axis=0)).ravel() + 1
    ratio = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    return np.asarray(np.sqrt(np.abs(ratio)), dtype=np.float32)


def _fit(counts: sp.csr_matrix, scales: Floats, labels: NDArray[np.bool_], trust: Floats) -> tuple[Floats, float]:
    from scipy.optimize import minimize  # a third of a second to import, and only those who learn need it

    lengths = np.sqrt(np.maximum(counts @ scales**2, 1e-12))
    features = (sp.diags(1 / lengths) @ counts @ sp.diags(scales)).astype(np.float64)
    backwards, signs = features.T.tocsr(), np.where(labels, 1.0, -1.0)

    def lose(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = signs * (features @ weights[:-1] + weights[-1])
        pull = -signs * trust / (1 + np.exp(margins))
        loss = trust @ np.logaddexp(0, -margins) + weights[:-1] @ weights[:-1] / (2 * _STRENGTH)
        return float(loss), np.append(backwards @ pull + weights[:-1] / _STRENGTH, pull.sum())

    with threadpool_limits(1):  # the vectors are short: threads would wait for one another, at six times the processor time
        found = minimize(lose, np.zeros(len(scales) + 1), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}).x
    return np.asarray(found[:-1], dtype=np.float32), float(found[-1])
