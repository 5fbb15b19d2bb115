"""`TopicModel`: divides texts into topics, names them, and tells the topic of texts that come later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError, ModelError
from careloop.insight.text.encoder import Encoder, normalise_rows
from careloop.insight.text.model_folder import read_arrays, read_card, write_model
from careloop.insight.topics.clusters import METHODS, NO_TOPIC, divide
from careloop.insight.topics.corpus import count_words, cut_texts
from careloop.insight.topics.mixture import Mixture, calibrate, fit_mixture
from careloop.insight.topics.naming import TopicWords, choose_examples, find_topic_words
from careloop.insight.topics.number import CANDIDATES, choose_number
from careloop.insight.topics.vectors import Matrix, learn_word_vectors, make_text_vectors, measure_rarity

__all__ = ["METHODS", "Topic", "TopicModel", "TopicOfText"]

_TASK, _FORMAT = "topics", 1
_MOST_TOPICS = 500
_ENCODER_WEIGHT = 1.5  # of the encoder's vectors beside the corpus's own


@dataclass(frozen=True)
class Topic:
    """One topic.

    Attributes
    ----------
    number : int
        0, 1, 2 …; the largest topic is 0 unless the model was matched to an earlier one.
    name : str
        Its three most telling words.
    words : tuple of str
        At most ten, most telling first.
    scores : tuple of float
        z scores of the words against the other topics.
    size : int
        Number of texts.
    coherence : float
        Normalised pointwise mutual information of the words, −1 … 1.
    examples : tuple of int
        Rows of typical texts.
    """

    number: int
    name: str
    words: tuple[str, ...]
    scores: tuple[float, ...]
    size: int
    coherence: float
    examples: tuple[int, ...]


class TopicOfText(NamedTuple):
    """The topic of a text, −1 when it has no known word, and the calibrated probability, 0–1."""

    topic: int
    probability: float


class TopicModel:
    """Finds topics in texts.

    Parameters
    ----------
    n_topics : int or None
        Number of topics, 1–500; None chooses it (see `topics.number`).
    method : {"mixture", "kmeans", "hdbscan", "lda", "nmf"}
    encoder : Encoder or None
        With one, the vectors that start the clusters also carry its meaning of the texts.
    seed : int
        The same texts and seed give the same topics.
    most : int
        Upper bound of a number that is chosen, 1–500; more than 80 are never chosen.

    Attributes
    ----------
    words_ : tuple of str, length n_words
        Those that tell a text's topic.
    mixture_ : Mixture
        How likely each topic writes each of them.
    corpus_ : Corpus
    labels_ : array of int, shape (n_texts,)
    probabilities_ : array, shape (n_texts, n_topics)
    topics_ : tuple of Topic
    vectors_ : array, shape (n_texts, dimensions)
        A loaded model has `words_`, `mixture_` and `topics_` only: what it was fitted to is not kept.

    Examples
    --------
    >>> model = TopicModel(n_topics=2).fit(["快递 太慢 物流", "物流 快递 破损", "屏幕 清晰 手机", "手机 屏幕 流畅"] * 10)
    >>> [topic.size for topic in model.topics_]
    [20, 20]
    """

    def __init__(
        self,
        n_topics: int | None = None,
        *,
        method: str = "mixture",
        encoder: Encoder | None = None,
        seed: int = 0,
        most: int = CANDIDATES[-1],
    ) -> None:
        self.n_topics = n_topics
        self.topics_: tuple[Topic, ...] = ()
        self.method = method
        self.encoder = encoder
        self.seed = seed
        self.most = most

    def fit(self, texts: Sequence[str]) -> TopicModel:
        """Find the topics; returns self.

        Raises
        ------
        InputError
            When the method is not known, the number of topics is out of range, or no text has a word that could name a topic.
        """
        self._check()
        self.corpus_ = count_words(cut_texts(texts))
        if not self.corpus_.words:
            raise InputError(
                f"These {len(texts):,} texts share no content words, so there are no topics to find; give more texts, or longer ones.",
                field="text",
            )
        self.words_ = self.corpus_.words
        self.vectors_ = self._make_vectors(texts)
        wanted = self.n_topics or choose_number(self.corpus_.counts, self.vectors_, seed=self.seed, most=self.most)
        labels = divide(self.method, counts=self.corpus_.counts, vectors=self.vectors_, n_topics=wanted, seed=self.seed)
        self.labels_ = _by_size(labels)
        self._describe()
        return self

    def read(self, texts: Sequence[str]) -> list[TopicOfText]:
        """Return the topic of each text, also of texts that were not there when the topics were found."""
        counts = count_words(cut_texts(texts), words=self.words_).counts
        probabilities = self.mixture_.estimate(counts)
        known = np.diff(counts.indptr) > 0
        best = probabilities.argmax(axis=1)
        return [
            TopicOfText(int(topic), float(row[topic])) if any_word else TopicOfText(NO_TOPIC, 0.0)
            for topic, row, any_word in zip(best, probabilities, known, strict=True)
        ]

    def renumber(self, order: Sequence[int], names: Sequence[str | None] = ()) -> TopicModel:
        """Give topic i the number order[i] (a permutation) and, where names[i] is not None, an earlier name; returns self."""
        new = np.array([*order, NO_TOPIC])  # the last place is read by −1
        self.labels_ = new[self.labels_]
        self._describe()
        given = {order[old]: name for old, name in enumerate(names) if name}
        self.topics_ = tuple(replace(topic, name=given.get(topic.number, topic.name)) for topic in self.topics_)
        return self

    def save(self, folder: str | Path) -> None:
        """Write what tells the topics of later texts into a folder (see `text.model_folder`), not the texts that were fitted.

        Log-likelihoods are kept in half precision: about a hundred bytes a word.
        """
        topics = [asdict(topic) | {"examples": ()} for topic in self.topics_]
        card = {"task": _TASK, "format": _FORMAT, "method": self.method, "seed": self.seed, "topics": topics, "words": self.words_}
        mixture = self.mixture_
        arrays: dict[str, NDArray[Any]] = {
            "likelihoods": mixture.word_log_likelihoods.astype(np.float16),
            "priors": mixture.topic_log_priors,
            "temperature": np.array(mixture.temperature),
        }
        write_model(folder, card, arrays)

    @classmethod
    def load(cls, folder: str | Path) -> TopicModel:
        """Return the model that `save` wrote: it reads texts and knows its topics, of which there are no examples any more.

        Raises
        ------
        ModelError
            When there is none in the folder, or it is damaged.
        """
        card, arrays = read_card(folder, task=_TASK, format=_FORMAT), read_arrays(folder)
        try:
            model = cls(len(card["topics"]), method=card["method"], seed=card["seed"])
            model.words_ = tuple(card["words"])
            model.topics_ = tuple(
                Topic(**topic | {name: tuple(topic[name]) for name in ("words", "scores", "examples")}) for topic in card["topics"]
            )
            likelihoods, priors = arrays["likelihoods"].astype(np.float32), arrays["priors"].astype(np.float32)
            model.mixture_ = Mixture(likelihoods, priors, float(arrays["temperature"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"The topics in “{folder}” cannot be read ({error!r}); find them again.") from error
        if likelihoods.shape != (len(model.topics_), len(model.words_)) or priors.shape != (len(model.topics_),):
            raise ModelError(f"The card and the arrays of the topics in “{folder}” are not of one model; find the topics again.")
        return model

    def _check(self) -> None:
        if self.method not in METHODS:
            raise InputError(f"There is no topic method “{self.method}”; choose one of {', '.join(METHODS)}.", field="method")
        if self.n_topics is not None and not 1 <= self.n_topics <= _MOST_TOPICS:
            raise InputError(f"The number of topics is 1 to {_MOST_TOPICS}, or left out; {self.n_topics} was given.", field="topics")
        if not 1 <= self.most <= _MOST_TOPICS:
            raise InputError(f"At most 1 to {_MOST_TOPICS} topics may be chosen; {self.most} was given.", field="most")

    def _make_vectors(self, texts: Sequence[str]) -> Matrix:
        presence = self.corpus_.presence
        own = make_text_vectors(self.corpus_.counts, learn_word_vectors(presence, seed=self.seed), measure_rarity(presence))
        if self.encoder is None:
            return own
        meaning = self.encoder.encode(texts)
        return normalise_rows(np.hstack([own, _ENCODER_WEIGHT * normalise_rows(meaning - meaning.mean(axis=0))]))

    def _describe(self) -> None:
        counts, labels = self.corpus_.counts, self.labels_
        n_topics = int(labels.max()) + 1
        self.mixture_: Mixture = calibrate(fit_mixture(counts, labels, n_topics), counts, seed=self.seed)
        self.probabilities_ = self.mixture_.estimate(counts)
        described = find_topic_words(self.corpus_.presence, labels, self.corpus_.words)
        examples = choose_examples(self.probabilities_, np.diff(counts.indptr).astype(np.int64), labels)
        sizes = np.bincount(labels[labels >= 0], minlength=n_topics)
        self.topics_ = tuple(_make_topic(number, described[number], int(sizes[number]), examples[number]) for number in range(n_topics))


def _make_topic(number: int, words: TopicWords, size: int, examples: tuple[int, ...]) -> Topic:
    return Topic(number, words.name, words.words, words.scores, size, words.coherence, examples)


def _by_size(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number the topics by size, largest 0, without gaps."""
    found, sizes = np.unique(labels[labels >= 0], return_counts=True)
    new = np.full(int(labels.max(initial=-1)) + 2, NO_TOPIC, dtype=np.int64)
    new[found[np.argsort(-sizes, kind="stable")]] = np.arange(len(found))
    return new[labels]
