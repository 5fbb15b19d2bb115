"""A mixture of multinomials over words: how likely each topic writes a text's words.

References
----------
Nigam, McCallum, Thrun & Mitchell, "Text Classification from Labeled and Unlabeled Documents using EM", Machine Learning 39, 2000.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from careloop.insight.topics.vectors import Matrix

_SMOOTHING = 0.05  # pseudo-count of every word in every topic
_TEMPERATURES = np.array([1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0])
_LARGEST_SAMPLE = 5_000


@dataclass(frozen=True)
class Mixture:
    """Learnt probabilities.

    Attributes
    ----------
    word_log_likelihoods : array, shape (n_topics, n_words)
    topic_log_priors : array, shape (n_topics,)
    temperature : float
        At least 1; words of a text repeat each other, so the product of their likelihoods is too sure of itself.
    """

    word_log_likelihoods: Matrix
    topic_log_priors: Matrix
    temperature: float = 1.0

    def weigh(self, counts: sp.csr_matrix) -> Matrix:
        """Return unnormalised log-probabilities at temperature 1, shape (n_texts, n_topics)."""
        seen = _presence(counts)
        return np.asarray(seen @ self.word_log_likelihoods.T, dtype=np.float32) + self.topic_log_priors

    def assign(self, counts: sp.csr_matrix) -> NDArray[np.int64]:
        """Return the likeliest topic of each text."""
        return np.asarray(self.weigh(counts).argmax(axis=1), dtype=np.int64)

    def estimate(self, counts: sp.csr_matrix) -> Matrix:
        """Return calibrated probabilities of the topics, shape (n_texts, n_topics); rows sum to 1."""
        return _normalise(self.weigh(counts) / self.temperature)


def fit_mixture(counts: sp.csr_matrix, labels: NDArray[np.int64], n_topics: int, *, rounds: int = 0) -> Mixture:
    """Learn the topics' words from labelled texts (label −1 is left out), then go on for some rounds of expectation and maximisation."""
    kept = labels >= 0
    seen = _presence(counts[kept])
    shares = np.zeros((seen.shape[0], n_topics), dtype=np.float32)
    shares[np.arange(len(shares)), labels[kept]] = 1
    mixture = _maximise(seen, shares)
    for _ in range(rounds):
        mixture = _maximise(seen, mixture.estimate(seen))
    return mixture


def calibrate(mixture: Mixture, counts: sp.csr_matrix, *, seed: int) -> Mixture:
    """Return the mixture with the temperature at which one half of a text's words foretells best what topic the other half has.

    The probability of a topic is therefore that of finding it again from other words of the same length by the same author.
    """
    generator = np.random.default_rng(seed)
    long_enough = np.flatnonzero(np.diff(counts.indptr) >= 4)
    if not len(long_enough):
        return mixture
    chosen = counts[generator.permutation(long_enough)[:_LARGEST_SAMPLE]].copy()
    coin = generator.random(len(chosen.data)) < 0.5
    first, second = chosen.copy(), chosen.copy()
    first.data, second.data = chosen.data * coin, chosen.data * ~coin
    first.eliminate_zeros()
    second.eliminate_zeros()
    weighed, truth = mixture.weigh(first), mixture.assign(second)
    losses = [-np.log(_normalise(weighed / one)[np.arange(len(truth)), truth] + 1e-9).mean() for one in _TEMPERATURES]
    return Mixture(mixture.word_log_likelihoods, mixture.topic_log_priors, float(_TEMPERATURES[int(np.argmin(losses))]))


def _maximise(seen: sp.csr_matrix, shares: Matrix) -> Mixture:
    written = np.asarray((seen.T @ shares).T) + _SMOOTHING
    likelihoods = np.log(written / written.sum(axis=1, keepdims=True))
    priors = np.log((shares.sum(axis=0) + 1) / (len(shares) + shares.shape[1]))
    return Mixture(likelihoods.astype(np.float32), priors.astype(np.float32))


def _presence(counts: sp.csr_matrix) -> sp.csr_matrix:
    seen = counts.copy()
    seen.data = np.ones_like(seen.data)
    return seen


def _normalise(logs: Matrix) -> Matrix:
    shifted = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True), dtype=np.float32)
