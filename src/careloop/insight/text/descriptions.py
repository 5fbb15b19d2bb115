"""Categories without a single labelled text: what their names and descriptions say, by shared words and by meaning.

A text is compared with each category's name, its description and how customers speak of the subjects in it (`service_words`). Many texts
at once teach more: what they share is taken off, rare words count more, and the surest answers show how each category is really spoken of.
No label takes part in that, but an answer then depends on the texts that were read together (or that `adapt` was given).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.errors import InputError, ModelError
from careloop.insight.text.categories.model import FORMAT
from careloop.insight.text.encoder import Encoder, Vectors, get_bundled_encoder, normalise_rows
from careloop.insight.text.model_folder import read_arrays, write_model
from careloop.insight.text.profiles import N_BUCKETS, Profile, Texts, count_terms, find_rarity, weigh_names, weigh_texts
from careloop.insight.text.service_words import find_sayings
from careloop.insight.text.similarity.semantic import guess_centre
from careloop.insight.text.trust import TRUST, Probabilities, soften
from careloop.insight.types import Category

Floats = NDArray[np.float32]

ALGORITHM = "descriptions"
FEWEST_TO_ADAPT = 300  # texts in a batch, …
FEWEST_PER_LABEL = 10  # … and for each category, from which it learns from itself: with 300 texts of 118 categories it got no better
_TEXTS_AT_ONCE = 10_000
_LEAST_PROBABILITY = 0.5
_SAYING_WEIGHT = 0.5  # of a saying's term beside a name's own
_WORDS, _MEANINGS = 1.0, 1.5  # shares of the two scores, each in its own standard deviations
_ROUNDS = 2
_SHARPNESS = 3.0  # of the answers from which a batch teaches
_ENOUGH_TERMS = 3  # a text with fewer says less than its likeness does; one without any, nothing
_SPREAD = (0.1, 0.2)  # standard deviations of the two scores, for texts that come one by one


@dataclass(frozen=True, slots=True)
class Lesson:
    """What unlabelled texts taught.

    Attributes
    ----------
    centre : ndarray of float32, shape (n_dimensions,)
        What their vectors share.
    rarity : ndarray of float32, shape (n_buckets,)
        How rare each term is.
    spoken : Profile or None
        How the categories are really spoken of; None before anything was taught.
    spreads : tuple of float
        Standard deviations of the scores of words and meanings, by names, by `spoken`, and of their sums.
    """

    centre: Floats
    rarity: Floats
    spoken: Profile | None
    spreads: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class DescribedCategories:
    """Reads categories of which only names and descriptions are known.

    Attributes
    ----------
    labels : tuple of str
    card : dict
        Settings; there are no figures, as there is nothing to measure with.
    names : csr_matrix of float32, shape (n_labels, n_buckets)
        Terms of names and descriptions (1) and of sayings (less).
    vectors : ndarray of float32, shape (2, n_labels, n_dimensions)
        Of the names, and of the names with what customers say of them.
    lesson : Lesson
    """

    labels: tuple[str, ...]
    card: dict[str, Any]
    names: sparse.csr_matrix
    vectors: Floats
    lesson: Lesson

    def read(
        self, texts: Sequence[str], *, top: int = 0, encoder: Encoder | None = None, is_semantic: bool | None = None
    ) -> list[Category]:
        """Return one answer a text, in order.

        A batch of at least 300 texts, and 10 for each category, is first learnt from, unless the model was adapted before; its answers
        then depend on the batch.

        Parameters
        ----------
        texts : sequence of str
        top : int
            How many labels `Category.ranked` lists.
        encoder : Encoder, optional
            Must be the one that the model was made with; the bundled one when left out.
        is_semantic : bool, optional
            False forbids the encoder: only words are compared then.

        Raises
        ------
        ModelError
            When the encoder is not the one that the model was made with.
        """
        answers: list[Category] = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            batch = texts[start : start + _TEXTS_AT_ONCE]
            found = self._find(batch, encoder, is_semantic)
            is_enough = len(batch) >= max(FEWEST_TO_ADAPT, FEWEST_PER_LABEL * len(self.labels))
            model = self.learn(found) if is_enough and self.lesson.spoken is None else self
            answers += model._answer(model._judge(found), batch, top)
        return answers

    def adapt(self, texts: Sequence[str], *, encoder: Encoder | None = None, is_semantic: bool | None = None) -> DescribedCategories:
        """Return a model that learnt how the categories are spoken of in these unlabelled texts; later texts do not change it."""
        return self.learn(self._find(texts, encoder, is_semantic))

    def _find(self, texts: Sequence[str], encoder: Encoder | None, is_semantic: bool | None) -> Texts:
        if is_semantic is False:
            return Texts.find(texts, np.zeros((len(texts), self.vectors.shape[2]), dtype=np.float32))
        encoder = encoder or get_bundled_encoder()
        if encoder.name != self.card["encoder"]:
            raise ModelError(
                f"This model was made with the encoder “{self.card['encoder']}”, not “{encoder.name}”; give that one or make it again."
            )
        return Texts.find(texts, encoder.encode(texts))

    def learn(self, found: Texts) -> DescribedCategories:
        """Return what `adapt` does, for texts whose terms and vectors are there already."""
        lesson = replace(self.lesson, spoken=None)
        if found.vectors.any():
            lesson = replace(lesson, centre=found.vectors.mean(axis=0, dtype=np.float32))
        lesson = replace(lesson, rarity=find_rarity(found.terms))
        model = replace(self, lesson=lesson)
        words, meanings = model._compare(found)
        spreads = [_deviation(words), _deviation(meanings)]
        by_name = _WORDS * words / spreads[0] + _MEANINGS * meanings / spreads[1]
        total = by_name
        weighted, centred = weigh_texts(found.terms, lesson.rarity), _centre(found.vectors, lesson.centre)
        for _ in range(_ROUNDS):
            trust = np.asarray(soften(_SHARPNESS * total / _deviation(total)) ** 2, dtype=np.float32)
            spoken = Profile(_collect(weighted, trust), normalise_rows(trust.T @ centred))
            words, meanings = spoken.score_words(weighted), spoken.score_meanings(centred)
            own = [_deviation(words), _deviation(meanings)]
            by_speech = words / own[0] + 2 * meanings / own[1]
            total = by_name / _deviation(by_name) + by_speech / _deviation(by_speech)
        spreads += [*own, _deviation(by_name), _deviation(by_speech)]
        return replace(model, lesson=replace(lesson, spoken=spoken, spreads=tuple(spreads)))

    def _compare(self, found: Texts) -> tuple[Floats, Floats]:
        """Return how much texts are like the names, in words and in meaning, each of shape (n_texts, n_labels)."""
        weights = np.sqrt(self.lesson.rarity * find_rarity(self.names))
        names = Profile(weigh_names(self.names, weights), self.vectors[0])
        words = names.score_words(weigh_texts(found.terms, weights))
        centred = _centre(found.vectors, self.lesson.centre)
        meanings = sum(centred @ normalise_rows(one - one.mean(axis=0)).T for one in self.vectors)
        return words, np.asarray(meanings, dtype=np.float32)

    def score(self, found: Texts) -> Floats:
        """Return how well each category fits, shape (n_texts, n_labels), on the scale that `trust` knows; zeros without a known term."""
        lesson = self.lesson
        words, meanings = self._compare(found)
        total = _WORDS * words / lesson.spreads[0] + _MEANINGS * meanings / lesson.spreads[1]
        told = _tell(found)
        if lesson.spoken is None:
            return np.asarray(told * total, dtype=np.float32)
        weighted, centred = weigh_texts(found.terms, lesson.rarity), _centre(found.vectors, lesson.centre)
        spoken = lesson.spoken.score_words(weighted) / lesson.spreads[2] + 2 * lesson.spoken.score_meanings(centred) / lesson.spreads[3]
        return np.asarray(told * (total / lesson.spreads[4] + spoken / lesson.spreads[5]), dtype=np.float32)

    def _judge(self, found: Texts) -> Probabilities:
        probabilities = TRUST[bool(found.vectors.any()), self.lesson.spoken is not None].estimate(self.score(found))
        told = _tell(found)
        return np.asarray(told * probabilities + (1 - told) / len(self.labels))

    def _answer(self, probabilities: Probabilities, texts: Sequence[str], top: int) -> list[Category]:
        answers = []
        for row, text in zip(probabilities, texts, strict=True):
            best = int(row.argmax())
            order = np.argsort(-row, kind="stable")[:top].tolist() if top else ()
            ranked = tuple((self.labels[place], round(float(row[place]), 4)) for place in order)
            is_unsure = bool(row[best] < _LEAST_PROBABILITY) or not text.strip()
            answers.append(Category(self.labels[best], round(float(row[best]), 4), is_unsure, ranked))
        return answers

    def save(self, folder: str | Path) -> None:
        """Write card.json and model.npz into a folder, made when it is not there; a model that is there is replaced."""
        lesson, spoken = self.lesson, self.lesson.spoken
        arrays: dict[str, NDArray[Any]] = {"vectors": self.vectors.astype(np.float16), "centre": lesson.centre}
        arrays |= {"rarity": lesson.rarity.astype(np.float16), "spreads": np.array(lesson.spreads)} | _pack("names", self.names)
        if spoken is not None:
            arrays |= {"spoken_vectors": spoken.vectors.astype(np.float16)} | _pack("spoken", spoken.terms)
        write_model(folder, self.card | {"format": FORMAT, "labels": list(self.labels)}, arrays)


def load_descriptions(folder: Path, card: dict[str, Any]) -> DescribedCategories:
    """Return the model that `DescribedCategories.save` wrote; `card` is the folder's.

    Raises
    ------
    ModelError
        When its arrays are missing or damaged.
    """
    try:
        arrays = read_arrays(folder)
        spoken = None
        if "spoken_vectors" in arrays:
            spoken = Profile(_unpack("spoken", arrays), arrays["spoken_vectors"].astype(np.float32))
        lesson = Lesson(arrays["centre"], arrays["rarity"].astype(np.float32), spoken, tuple(arrays["spreads"].tolist()))
        return DescribedCategories(tuple(card["labels"]), card, _unpack("names", arrays), arrays["vectors"].astype(np.float32), lesson)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"The model in “{folder}” cannot be read ({error}); make it again.") from error


def _pack(name: str, matrix: sparse.csr_matrix) -> dict[str, NDArray[Any]]:
    weights, places, starts = matrix.data.astype(np.float16), matrix.indices.astype(np.int32), matrix.indptr
    return {f"{name}_weights": weights, f"{name}_places": places, f"{name}_starts": starts}


def _unpack(name: str, arrays: dict[str, NDArray[Any]]) -> sparse.csr_matrix:
    weights, places, starts = (arrays[f"{name}_{part}"] for part in ("weights", "places", "starts"))
    return sparse.csr_matrix((weights.astype(np.float32), places, starts), shape=(len(starts) - 1, N_BUCKETS))


def describe_categories(labels: Mapping[str, str], *, encoder: Encoder | None = None, seed: int = 0) -> DescribedCategories:
    """Return a model of categories of which only the names and, where given, descriptions are known.

    Parameters
    ----------
    labels : mapping of str to str
        Name → description; “” where there is none.
    encoder : Encoder, optional
        The bundled one when left out.
    seed : int
        Kept in the card; nothing here is random.

    Raises
    ------
    InputError
        When there are fewer than two names, or a name is blank.
    """
    if len(labels) < 2:
        raise InputError(f"There must be at least two categories to tell apart; {len(labels)} were given.", field="labels")
    if any(not name.strip() for name in labels):
        raise InputError("The name of a category is blank; give every category a name.", field="labels")
    encoder = encoder or get_bundled_encoder()
    names = tuple(labels)
    plain = [name.replace("_", " ").strip() for name in names]
    described = [f"{name} {labels[key]}".strip() for name, key in zip(plain, names, strict=True)]
    said = [find_sayings(text.lower()) for text in described]
    joined = [" ".join([text, *sayings]) for text, sayings in zip(described, said, strict=True)]
    vectors = encoder.encode([*described, *joined])
    terms = count_terms(described).maximum(_SAYING_WEIGHT * count_terms([" ".join(one) for one in said])).tocsr()
    card = {"task": "categories", "algorithm": ALGORITHM, "encoder": encoder.name, "seed": seed}
    lesson = Lesson(guess_centre(encoder), np.ones(terms.shape[1], dtype=np.float32), None, _SPREAD)
    return DescribedCategories(names, card, terms, np.stack(np.split(vectors, 2)), lesson)


def _tell(found: Texts) -> Floats:
    """Return how much each text says, 0 (no term) to 1, shape (n_texts, 1)."""
    return np.asarray(np.minimum(1, np.diff(found.terms.indptr)[:, np.newaxis] / _ENOUGH_TERMS), dtype=np.float32)


def _centre(vectors: Vectors, centre: Floats) -> Floats:
    """Return unit vectors without what all share; rows of zeros (no encoder) stay."""
    return normalise_rows(np.where(vectors.any(axis=1, keepdims=True), vectors - centre, 0))


def _collect(weighted: sparse.csr_matrix, trust: Floats) -> sparse.csr_matrix:
    """Return the terms of the texts that each category is trusted with, rows of unit length, shape (n_labels, n_buckets)."""
    used = np.unique(weighted.indices)
    collected = normalise_rows(np.asarray((weighted[:, used].T @ trust).T, dtype=np.float32))
    collected[collected < 0.003] = 0
    dense = sparse.csr_matrix(collected)
    return sparse.csr_matrix((dense.data, used[dense.indices], dense.indptr), shape=(trust.shape[1], weighted.shape[1]))


def _deviation(scores: Floats) -> float:
    return max(float(scores.std()), 1e-6)
