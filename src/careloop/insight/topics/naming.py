"""What a topic is about: the words that tell it from the others, how well they belong together, and typical texts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from careloop.insight.text.distinction import compare_counts
from careloop.insight.topics.vectors import Matrix

_PRIOR_WEIGHT = 200.0
_NAME_WORDS = 3


class TopicWords(NamedTuple):
    """The most telling words of a topic with their z scores, most telling first, and their coherence (−1 … 1)."""

    words: tuple[str, ...]
    scores: tuple[float, ...]
    coherence: float

    @property
    def name(self) -> str:
        """The three most telling words."""
        return " · ".join(self.words[:_NAME_WORDS])


def find_topic_words(presence: sp.csr_matrix, labels: NDArray[np.int64], words: tuple[str, ...], *, most: int = 10) -> list[TopicWords]:
    """Return the telling words of each topic 0 … max(labels).

    Of two words that nearly always stand together both are kept: readers know topics by company.
    """
    n_topics = int(labels.max(initial=-1)) + 1
    members = sp.csr_matrix(
        (np.ones((labels >= 0).sum(), np.float32), (labels[labels >= 0], np.flatnonzero(labels >= 0))), (n_topics, len(labels))
    )
    written = np.asarray((members @ presence).todense(), dtype=np.float64)
    _, scores = compare_counts(written, written.sum(axis=0) - written, prior_weight=_PRIOR_WEIGHT)
    found = []
    for topic in range(n_topics):
        order = [one for one in np.argsort(-scores[topic], kind="stable")[:most] if written[topic, one] > 0]
        found.append(
            TopicWords(tuple(words[one] for one in order), tuple(scores[topic, order].tolist()), measure_coherence(presence, order))
        )
    return found


def measure_coherence(presence: sp.csr_matrix, columns: list[int]) -> float:
    """Return the mean normalised pointwise mutual information of all pairs of the words, −1 (never together) … 1 (always); 0 for one word.

    References
    ----------
    Bouma, "Normalized (Pointwise) Mutual Information in Collocation Extraction", GSCL 2009.
    """
    if len(columns) < 2:
        return 0.0
    n_texts = presence.shape[0]
    chosen = presence[:, columns]
    together = np.asarray((chosen.T @ chosen).todense(), dtype=np.float64) / n_texts
    alone = np.diag(together)
    first, second = np.triu_indices(len(columns), 1)
    joint = together[first, second]
    with np.errstate(divide="ignore", invalid="ignore"):
        npmi = np.log(joint / (alone[first] * alone[second])) / -np.log(joint)
    return float(np.where(joint > 0, np.nan_to_num(npmi, nan=1.0), -1.0).mean())


def choose_examples(
    probabilities: Matrix, lengths: NDArray[np.int64], labels: NDArray[np.int64], *, most: int = 3
) -> list[tuple[int, ...]]:
    """Return rows of typical texts for each topic: likely members of common length, surest first."""
    examples = []
    for topic in range(int(labels.max(initial=-1)) + 1):
        rows = np.flatnonzero(labels == topic)
        usual = np.abs(np.log1p(lengths[rows]) - np.median(np.log1p(lengths[rows]))) if len(rows) else np.zeros(0)
        order = np.argsort(usual * 0.2 - probabilities[rows, topic], kind="stable")
        examples.append(tuple(rows[order[:most]].tolist()))
    return examples
