"""Trying recipes on rows that they have not learnt from: choosing one, and what it then says of the rows kept back for testing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.categories.card import macro_f1
from careloop.insight.text.categories.features import Features, FeatureSpace
from careloop.insight.text.categories.noise import Judgement, judge_rows
from careloop.insight.text.categories.recipes import Model, Recipe, fit
from careloop.insight.text.categories.rows import LabelledRows, fold_rows
from careloop.insight.text.encoder import Vectors
from careloop.insight.text.ngrams import Floats

Places = NDArray[np.int64]
Merits = NDArray[np.float64]

FOLDS = 5
TESTED_FOLDS = 2  # of them; the rows of the others choose the recipe, so that no figure is of rows that took part in choosing
_FIRST_ROWS, _SECOND_ROWS = 2_000, 8_000  # of the two rounds of choosing
_SURVIVORS = 3
_CLEARLY_WORSE = 0.1  # in accuracy + macro-F1
_FEW_ROWS = 1_000  # up to here every inner fold is tried by every recipe
_MOST_ROWS_IN_ALL_FOLDS = 4_000  # up to here every row helps to calibrate
_INNER_FOLDS = 3
_FEW_TEXTS = 2_000  # up to here n-grams of a single text are kept


@dataclass(frozen=True, slots=True)
class Lesson:
    """Rows prepared for learning: their features, what they look like to models without them, and which are credible."""

    space: FeatureSpace
    features: Features
    classes: Places
    judgement: Judgement
    kept: Places

    @classmethod
    def prepare(cls, rows: LabelledRows, vectors: Vectors | None, chosen: Places, *, seed: int) -> Lesson:
        """Return the lesson of the chosen rows; `vectors` are of all rows, shape (n_rows, n_dimensions)."""
        texts = [rows.texts[row] for row in chosen]
        seen = None if vectors is None else vectors[chosen]
        space = FeatureSpace.learn(texts, seen, least_rows=1 if len(texts) <= _FEW_TEXTS else 2)
        features, classes = space.find(texts, seen), rows.classes[chosen]
        judgement = judge_rows(features, classes, len(rows.labels), seed=seed)
        return cls(space, features, classes, judgement, judgement.keep(classes))

    def fit(self, recipe: Recipe, *, seed: int, is_semantic: bool = True) -> Model:
        """Return what a recipe learns from the credible rows; without `is_semantic`, from n-grams alone."""
        features = self.features if is_semantic else self.features.without_dense()
        return fit(recipe, features.pick(self.kept), self.classes[self.kept], self.judgement.scores.shape[1], seed=seed)


@dataclass(frozen=True, slots=True)
class Trial:
    """What models said of rows that they had not learnt from.

    Attributes
    ----------
    rows : ndarray of int64, shape (n_rows,)
    folds : ndarray of int64, shape (n_rows,)
        Below `TESTED_FOLDS`: the row took no part in choosing, either.
    semantic, fast : ndarray of float32, shape (n_rows, n_labels)
        Scores with and without vectors; `semantic` is empty without an encoder.
    """

    rows: Places
    folds: Places
    semantic: Floats
    fast: Floats


def choose_recipe(rows: LabelledRows, vectors: Vectors | None, folds: Places, recipes: Sequence[Recipe], *, seed: int) -> Recipe:
    """Return the recipe with the best sum of accuracy and macro-F1 in cross-validation inside the rows that are not tested.

    Many rows are met in two rounds: some of them drop what is clearly worse, all of them decide between the rest.

    References
    ----------
    Jamieson and Talwalkar 2016, Non-stochastic best arm identification and hyperparameter optimization.
    """
    pool = np.random.default_rng(seed).permutation(np.flatnonzero(folds >= TESTED_FOLDS))
    left = list(recipes)
    for n_rows in sorted({min(len(pool), _FIRST_ROWS), min(len(pool), _SECOND_ROWS)}):
        if len(left) > 1:
            merits = _compare_recipes(rows, vectors, np.sort(pool[:n_rows]), left, seed=seed)
            order = np.argsort(-merits, kind="stable")[:_SURVIVORS]
            left = [left[place] for place in order if merits[place] >= merits[order[0]] - _CLEARLY_WORSE]
    return left[0]


def _compare_recipes(rows: LabelledRows, vectors: Vectors | None, pool: Places, recipes: Sequence[Recipe], *, seed: int) -> Merits:
    """Return accuracy + macro-F1 of each recipe; all 0 when the pool leaves nothing to learn from."""
    inner = fold_rows(rows.classes[pool], _INNER_FOLDS, seed=seed)
    merits = np.zeros(len(recipes))
    for fold in range(_INNER_FOLDS if len(pool) <= _FEW_ROWS or len(recipes) <= _SURVIVORS else 1):
        inside, held = pool[inner != fold], pool[inner == fold]
        if not len(held) or len(np.unique(rows.classes[inside])) < 2:
            continue
        lesson = Lesson.prepare(rows, vectors, inside, seed=seed)
        features, given = _find(lesson, rows, vectors, held), rows.classes[held]
        for place, recipe in enumerate(recipes):
            found = lesson.fit(recipe, seed=seed).score(features).argmax(axis=1)
            merits[place] += (found == given).mean() + macro_f1(given, found, len(rows.labels))
    return merits


def try_recipe(
    rows: LabelledRows, vectors: Vectors | None, folds: Places, recipe: Recipe, *, seed: int, step: Callable[[], object]
) -> Trial:
    """Return what models learnt from the other folds say of each row; of many rows, only those of the tested folds."""
    n_folds = FOLDS if len(rows.texts) <= _MOST_ROWS_IN_ALL_FOLDS else TESTED_FOLDS
    semantic = np.zeros((len(rows.texts), len(rows.labels)), dtype=np.float32)
    fast = np.zeros_like(semantic)
    for fold in range(n_folds):
        held = np.flatnonzero(folds == fold)
        if len(held):
            lesson = Lesson.prepare(rows, vectors, np.flatnonzero(folds != fold), seed=seed)
            features = _find(lesson, rows, vectors, held)
            fast[held] = lesson.fit(recipe, seed=seed, is_semantic=False).score(features.without_dense())
            if vectors is not None:
                semantic[held] = lesson.fit(recipe, seed=seed).score(features)
        step()
    tried = np.flatnonzero((folds >= 0) & (folds < n_folds))
    return Trial(tried, folds[tried], semantic[tried] if vectors is not None else semantic[:0], fast[tried])


def _find(lesson: Lesson, rows: LabelledRows, vectors: Vectors | None, held: Places) -> Features:
    return lesson.space.find([rows.texts[row] for row in held], None if vectors is None else vectors[held])
