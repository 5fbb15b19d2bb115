"""Learning categories from labelled texts: choose by cross-validation, measure on rows not trained on, then fit on all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import InputError
from careloop.insight.stats import Isotonic, Temperature
from careloop.insight.text.categories.card import describe_quality
from careloop.insight.text.categories.features import Features, FeatureSpace
from careloop.insight.text.categories.model import CategoryModel, Scorer, calibrate
from careloop.insight.text.categories.recipes import RECIPES, Recipe, fit
from careloop.insight.text.categories.rows import LabelledRows, check_rows, fold_rows
from careloop.insight.text.encoder import Encoder, Vectors, get_bundled_encoder
from careloop.insight.text.ngrams import Floats

ALGORITHMS = ("auto", *RECIPES)
_FOLDS = 5
_INNER_ROWS = 3_000  # rows on which recipes are compared inside a fold

Doubles = NDArray[np.float64]


def learn_categories(  # noqa: PLR0913  (the seventh only says whether to show a bar)
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    descriptions: Mapping[str, str] | None = None,
    algorithm: str = "auto",
    encoder: Encoder | Literal["bundled"] | None = "bundled",
    seed: int = 0,
    progress: bool = False,
) -> CategoryModel:
    """Learn to tell categories apart.

    Parameters
    ----------
    texts, labels : sequence of str, length n_rows
        Rows without a text or without a label are left out and counted in the card.
    descriptions : mapping of str to str, optional
        What a label means, in words.
    algorithm : {"auto", "svm", "logistic", "ridge", "tree", "forest"}
        “auto” takes the one that is best in cross-validation inside the training rows.
    encoder : Encoder, "bundled" or None
        None learns from words alone.
    seed : int
    progress : bool
        Show a bar on standard error.

    Returns
    -------
    CategoryModel
        Its card's figures come from rows that took part neither in fitting nor in choosing.

    Raises
    ------
    InputError
        When the rows cannot be learnt from, or the algorithm is not known.
    """
    started = time.perf_counter()
    if algorithm not in ALGORITHMS:
        raise InputError(f"There is no algorithm “{algorithm}”; choose one of {', '.join(ALGORITHMS)}.", field="algorithm")
    rows = check_rows(texts, labels)
    if encoder == "bundled":
        encoder = get_bundled_encoder()
    vectors = None if encoder is None else encoder.encode(rows.texts)
    recipes = [one for name, ones in RECIPES.items() if algorithm in ("auto", name) for one in ones]
    fitted = _fit_scorer(rows, vectors, recipes, seed)
    quality = describe_quality(rows, fitted.probabilities, fitted.tested)
    card: dict[str, Any] = {
        "task": "categories",
        "algorithm": fitted.recipe.algorithm,
        "rows": len(rows.texts),
        "reads_with": "fast" if encoder is None else "semantic",
        "encoder": None if encoder is None else encoder.name,
        "data": {
            "fingerprint": rows.fingerprint,
            "rows_without_text": rows.n_without_text,
            "rows_without_label": rows.n_without_label,
            "labels_with_one_row": rows.list_rare(),
        },
        "settings": {"strength": fitted.recipe.strength, "seed": seed, "asked_for": algorithm},
        **quality,
    }
    card["seconds"] = round(time.perf_counter() - started, 1)
    return CategoryModel(rows.labels, card, {card["reads_with"]: fitted.scorer}, 0.5)


@dataclass(frozen=True, slots=True)
class _Fitted:
    """A scorer, the recipe behind it, and what it said of rows that it had not learnt from (`tested`: row numbers)."""

    scorer: Scorer
    recipe: Recipe
    probabilities: Doubles
    tested: NDArray[np.int64]


def _fit_scorer(rows: LabelledRows, vectors: Vectors | None, recipes: Sequence[Recipe], seed: int) -> _Fitted:
    n_labels = len(rows.labels)
    folds = fold_rows(rows.classes, _FOLDS, seed=seed)
    scores: Floats = np.zeros((len(rows.texts), n_labels), dtype=np.float32)
    votes: list[Recipe] = []
    for fold in range(_FOLDS):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if not len(outside):
            continue
        space, features = _prepare(rows.texts, vectors, inside)
        recipe = _choose(features, rows.classes[inside], n_labels, recipes, seed)
        votes.append(recipe)
        model = fit(recipe, features, rows.classes[inside], n_labels, seed=seed)
        scores[outside] = model.score(space.find([rows.texts[row] for row in outside], None if vectors is None else vectors[outside]))
    recipe = max(recipes, key=votes.count)
    tested = np.flatnonzero(folds >= 0)
    probabilities = _calibrate_across(scores[tested].astype(np.float64), rows.classes[tested], folds[tested])
    space, features = _prepare(rows.texts, vectors, np.arange(len(rows.texts)))
    model = fit(recipe, features, rows.classes, n_labels, seed=seed)
    temperature, curve = _learn_calibration(scores[tested].astype(np.float64), rows.classes[tested])
    return _Fitted(Scorer(space, model, temperature, curve), recipe, probabilities, tested)


def _prepare(texts: list[str], vectors: Vectors | None, chosen: NDArray[np.int64]) -> tuple[FeatureSpace, Features]:
    inside = [texts[row] for row in chosen]
    seen = None if vectors is None else vectors[chosen]
    space = FeatureSpace.learn(inside, seen, least_rows=1 if len(inside) < 2_000 else 2)
    return space, space.find(inside, seen)


def _choose(features: Features, classes: NDArray[np.int64], n_labels: int, recipes: Sequence[Recipe], seed: int) -> Recipe:
    """Return the recipe with the most right answers on a part of the rows kept back from all of them."""
    if len(recipes) == 1:
        return recipes[0]
    rows = np.random.default_rng(seed).permutation(len(classes))[:_INNER_ROWS]
    folds = fold_rows(classes[rows], 4, seed=seed)
    inside, outside = rows[folds != 0], rows[folds == 0]
    if not len(outside) or len(np.unique(classes[inside])) < 2:
        return recipes[0]
    held = features.pick(outside)
    right = [
        float((fit(one, features.pick(inside), classes[inside], n_labels, seed=seed).score(held).argmax(axis=1) == classes[outside]).mean())
        for one in recipes
    ]
    return recipes[int(np.argmax(right))]


def _learn_calibration(scores: Doubles, classes: NDArray[np.int64]) -> tuple[Temperature, Isotonic]:
    temperature = Temperature.fit(scores, classes)
    probabilities = temperature.apply(scores)
    return temperature, Isotonic.fit(probabilities.max(axis=1), probabilities.argmax(axis=1) == classes)


def _calibrate_across(scores: Doubles, classes: NDArray[np.int64], folds: NDArray[np.int64]) -> Doubles:
    """Return probabilities of every row by a calibration learnt from the other folds."""
    probabilities = np.zeros_like(scores)
    for fold in np.unique(folds):
        inside, outside = folds != fold, folds == fold
        probabilities[outside] = calibrate(scores[outside], *_learn_calibration(scores[inside], classes[inside])) if inside.any() else 0
    return probabilities
