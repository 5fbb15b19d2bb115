"""A learnt model of categories: reads texts, and travels as plain arrays beside a JSON card. Nothing in its files can execute."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import ModelError
from careloop.insight.stats import Isotonic, Temperature
from careloop.insight.text.categories.card import LEAST_NOISE
from careloop.insight.text.categories.cascade import Cascade
from careloop.insight.text.categories.features import FeatureSpace
from careloop.insight.text.categories.linear import LinearModel
from careloop.insight.text.categories.ngrams import NgramSpace
from careloop.insight.text.categories.outside import Gathering
from careloop.insight.text.categories.recipes import Model
from careloop.insight.text.categories.trees import ForestModel
from careloop.insight.text.encoder import Encoder, Vectors, encode_pieces, get_bundled_encoder
from careloop.insight.text.model_folder import read_arrays, write_model
from careloop.insight.types import Category

FORMAT = 1  # of the folder written by `save`
_TEXTS_AT_ONCE = 2_000
_LEAST_CURVE_ROWS = 500  # with fewer, one temperature is all that can be learnt of calibration
_MOST_PROBABILITY = 0.9999
_HALVED = frozenset({"sparse", "dense", "anchors", "pulls", "shares"})  # kept on disk in half precision

Doubles = NDArray[np.float64]


class Classifier(Protocol):
    """What reads categories, whether it learnt from labelled texts or from descriptions of the labels."""

    @property
    def labels(self) -> Sequence[str]:
        """The names that it may answer with."""

    @property
    def card(self) -> dict[str, Any]:
        """What it learnt from and how good it is; plain lists, strings and numbers."""

    def read(
        self, texts: Sequence[str], *, top: int = 0, encoder: Encoder | None = None, is_semantic: bool | None = None
    ) -> list[Category]:
        """Return one answer a text, in order."""

    def save(self, folder: str | Path) -> None:
        """Write the model into a folder, made when it is not there."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """From scores to probabilities.

    Attributes
    ----------
    temperature : Temperature
    curve : Isotonic
        From the likeliest label's probability to how often it is right.
    gathering : Gathering
        The label for everything else, if there is one.
    """

    temperature: Temperature
    curve: Isotonic
    gathering: Gathering

    @classmethod
    def learn(cls, scores: Doubles, classes: NDArray[np.int64], labels: Sequence[str], *, noise_ratio: float) -> Calibration:
        """Return the calibration of scores of rows that were not learnt from, shape (n_rows, n_labels).

        When `noise_ratio` of the labels are thought to be drawn at random, a right answer agrees with the label given in the rest only;
        the curve is raised by that, so that probabilities speak of the right label (Patrini et al. 2017, with one rate for all labels).
        """
        temperature = Temperature.fit(scores, classes)
        probabilities = temperature.apply(scores)
        found = probabilities.argmax(axis=1)
        if len(classes) < _LEAST_CURVE_ROWS:
            curve = Isotonic(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
        else:
            curve = Isotonic.fit(probabilities.max(axis=1), found == classes)
        most = 1 - 1 / (len(classes) + 2)  # Laplace: so many right answers in a row do not promise the next
        curve = Isotonic(curve.said, np.minimum(curve.true, most))
        if noise_ratio >= LEAST_NOISE:
            chance = float((np.bincount(classes, minlength=scores.shape[1]) / len(classes))[found].mean())
            curve = Isotonic(curve.said, np.clip((curve.true - noise_ratio * chance) / (1 - noise_ratio), 0, most))
        plain = cls(temperature, curve, Gathering(-1, np.inf))
        return replace(plain, gathering=Gathering.learn(labels, plain.apply(scores), classes))

    def apply(self, scores: Doubles) -> Doubles:
        """Return probabilities whose largest follows the curve; the others share the rest in proportion. Rows sum to 1."""
        probabilities = self.temperature.apply(scores)
        rows, best = np.arange(len(probabilities)), probabilities.argmax(axis=1)
        said = probabilities[rows, best]
        least = 1 / probabilities.shape[1]  # the best of so many cannot be less likely than that
        true = np.clip(self.curve.apply(said), least, _MOST_PROBABILITY)
        probabilities *= ((1 - true) / np.maximum(1 - said, 1e-9))[:, None]
        probabilities[rows, best] = true
        return self.gathering.apply(probabilities)


@dataclass(frozen=True, slots=True)
class Scorer:
    """One way from texts to calibrated probabilities.

    Attributes
    ----------
    space : FeatureSpace
    model : LinearModel or ForestModel
    calibration : Calibration
    shares : ndarray of float64, shape (n_labels,)
        How often each label stands in the rows learnt from: all that can be said of a text without a known word.
    """

    space: FeatureSpace
    model: Model
    calibration: Calibration
    shares: Doubles

    def judge(self, texts: Sequence[str], encode: Callable[[Sequence[str]], Vectors] | None) -> Doubles:
        """Return probabilities of labels, shape (n_texts, n_labels); rows sum to 1. `encode` makes the vectors that its space knows."""
        vectors = encode(texts) if encode is not None and self.space.has_vectors else None
        features = self.space.find(texts, vectors)
        probabilities = self.calibration.apply(self.model.score(features).astype(np.float64))
        is_empty = np.array([not text.strip() for text in texts], dtype=bool)
        if vectors is None:
            is_empty |= np.diff(features.sparse.indptr) <= 1  # the blank around a text is known of every text
        probabilities[is_empty] = self.shares
        return probabilities


@dataclass(frozen=True, slots=True)
class CategoryModel:
    """Reads categories that were learnt from labelled texts.

    Attributes
    ----------
    labels : tuple of str
    card : dict
        Data, settings and figures, all of them from rows not trained on.
    scorers : dict of str to Scorer
        “semantic” looks at n-grams and vectors, “pieces” at n-grams and the encoder's table without its layers, “fast” at n-grams alone.
        “fast” is always there, “pieces” only where it is read with.
    least_probability : float
        Below it the model abstains.
    """

    labels: tuple[str, ...]
    card: dict[str, Any]
    scorers: dict[str, Scorer]
    least_probability: float

    def read(
        self, texts: Sequence[str], *, top: int = 0, encoder: Encoder | None = None, is_semantic: bool | None = None
    ) -> list[Category]:
        """Return one answer a text, in order.

        Parameters
        ----------
        texts : sequence of str
        top : int
            How many labels `Category.ranked` lists.
        encoder : Encoder, optional
            Must be the one that the model learnt with; the bundled one when left out.
        is_semantic : bool, optional
            False forbids the encoder, True asks for it for every text; left out, the model decides by what it measured
            (`card["reads_with"]`): no text is encoded, only those that words or pieces of words leave in doubt, or all.

        Raises
        ------
        ModelError
            When the encoder is not the one that the model learnt with.
        """
        cascade = self._choose(is_semantic)
        if cascade.reading != "fast":
            encoder = self._check(encoder or get_bundled_encoder())
        answers: list[Category] = []
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            batch = texts[start : start + _TEXTS_AT_ONCE]
            answers += self._answer(self._judge(batch, cascade, encoder), batch, top)
        return answers

    def _choose(self, is_semantic: bool | None) -> Cascade:
        if len(self.scorers) == 1:
            return Cascade("semantic" if "semantic" in self.scorers else "fast", 0.0)
        if is_semantic is None:
            return Cascade(self.card["reads_with"], float(self.card.get("doubt_limit", 0.0)), self.card.get("reads_first", "fast"))
        return Cascade("semantic" if is_semantic else "fast", 0.0)

    def _judge(self, texts: Sequence[str], cascade: Cascade, encoder: Encoder | None) -> Doubles:
        encode = None if encoder is None else encoder.encode
        if cascade.reading == "semantic":
            return self.scorers["semantic"].judge(texts, encode)
        probabilities = self.scorers[cascade.first].judge(texts, None if encoder is None else partial(_encode_pieces, encoder))
        doubtful = [place for place in np.flatnonzero(cascade.find_doubtful(probabilities)).tolist() if texts[place].strip()]
        if doubtful:
            probabilities[doubtful] = self.scorers["semantic"].judge([texts[place] for place in doubtful], encode)
        return probabilities

    def _check(self, encoder: Encoder) -> Encoder:
        if encoder.name != self.card["encoder"]:
            raise ModelError(
                f"This model learnt with the encoder “{self.card['encoder']}”, not “{encoder.name}”; give that one or learn it again."
            )
        return encoder

    def _answer(self, probabilities: NDArray[np.float64], texts: Sequence[str], top: int) -> list[Category]:
        answers = []
        for row, text in zip(probabilities, texts, strict=True):
            best = int(row.argmax())
            order = np.argsort(-row, kind="stable")[:top].tolist() if top else ()
            ranked = tuple((self.labels[place], round(float(row[place]), 4)) for place in order)
            is_unsure = bool(row[best] < self.least_probability) or not text.strip()
            answers.append(Category(self.labels[best], round(float(row[best]), 4), is_unsure, ranked))
        return answers

    def save(self, folder: str | Path) -> None:
        """Write card.json and model.npz into a folder, made when it is not there; a model that is there is replaced."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, one in self.scorers.items():
            arrays |= {f"{name}_{key}": value for key, value in _pack(one).items()}
        card = self.card | {"format": FORMAT, "labels": list(self.labels), "least_probability": self.least_probability}
        write_model(folder, card, arrays)


def _encode_pieces(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    vectors = encode_pieces(encoder, texts)
    if vectors is None:
        raise ModelError(
            f"This model reads the table of pieces of the encoder “{encoder.name}”, which cannot be read here; learn the model again, "
            "or read with --semantic or --no-semantic."
        )
    return vectors


def _pack(scorer: Scorer) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {
        "buckets": scorer.space.ngrams.buckets,
        "weights": scorer.space.ngrams.weights,
        "centre": scorer.space.centre,
        "metric": scorer.space.metric.astype(np.float16),
        "temperature": np.array([scorer.calibration.temperature.value]),
        "said": scorer.calibration.curve.said,
        "true": scorer.calibration.curve.true,
        "gathering": np.array([scorer.calibration.gathering.place, scorer.calibration.gathering.limit]),
        "shares": scorer.shares,
    }
    for one in fields(scorer.model):
        value = getattr(scorer.model, one.name)
        arrays[f"model.{one.name}"] = value.astype(np.float16) if one.name in _HALVED else value
    return arrays


def _unpack(arrays: dict[str, NDArray[Any]]) -> Scorer:
    parts = {name.removeprefix("model."): value for name, value in arrays.items() if name.startswith("model.")}
    parts |= {name: value.astype(np.float32) for name, value in parts.items() if name in _HALVED}
    model: Model = ForestModel(**parts) if "roots" in parts else LinearModel(**parts)
    return Scorer(
        FeatureSpace(NgramSpace(arrays["buckets"], arrays["weights"]), arrays["centre"], arrays["metric"].astype(np.float32)),
        model,
        Calibration(
            Temperature(float(arrays["temperature"][0])),
            Isotonic(arrays["said"], arrays["true"]),
            Gathering(int(arrays["gathering"][0]), float(arrays["gathering"][1])),
        ),
        arrays["shares"],
    )


def load_model(folder: Path, card: dict[str, Any]) -> CategoryModel:
    """Return the model that `CategoryModel.save` wrote; `card` is the folder's.

    Raises
    ------
    ModelError
        When its arrays are missing or damaged.
    """
    try:
        arrays = read_arrays(folder)
        names = sorted({name.partition("_")[0] for name in arrays})
        scorers = {one: _unpack({key.removeprefix(f"{one}_"): arrays[key] for key in arrays if key.startswith(f"{one}_")}) for one in names}
        return CategoryModel(tuple(card["labels"]), card, scorers, float(card["least_probability"]))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"The model in “{folder}” cannot be read ({error}); learn it again.") from error
