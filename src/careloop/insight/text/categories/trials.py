"""Trying recipes on rows that they have not learnt from: choosing one, and what it then says of the rows kept back for testing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.categories.card import macro_f1
from careloop.insight.text.categories.features import Features, FeatureSpace
from careloop.insight.text.categories.noise import Judgement, judge_rows
from careloop.insight.text.categories.recipes import Model, Recipe, fit
from careloop.insight.text.categories.ridge import compare
from careloop.insight.text.categories.rows import LabelledRows, fold_rows
from careloop.insight.text.categories.unlabelled import SHARES, Unlabelled, guess, pick_surest
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
_MANY_ROWS = 6_000  # from here on one inner fold holds rows enough to decide between the last recipes
_MOST_ROWS_IN_ALL_FOLDS = 4_000  # up to here every row helps to calibrate
_INNER_FOLDS = 3
_NAME_WEIGHT = 1.5  # of vectors when texts are compared with names


@dataclass(frozen=True, slots=True)
class Material:
    """All that there is to learn from.

    Attributes
    ----------
    rows : LabelledRows
    vectors : ndarray of float32, shape (n_rows, n_dimensions), or None without an encoder
    names : list of str, length n_labels
        Each label in words.
    name_vectors : ndarray of float32, shape (n_labels, n_dimensions), or None
    unlabelled : Unlabelled, optional
        Further texts, to be learnt as what models take them for.
    pieces : Material, optional
        The same with vectors that the encoder makes without its layers, if it can.
    """

    rows: LabelledRows
    vectors: Vectors | None
    names: list[str]
    name_vectors: Vectors | None
    unlabelled: Unlabelled | None = None
    pieces: Material | None = None

    def pick(self, chosen: Places) -> tuple[list[str], Vectors | None, Places]:
        """Return texts, vectors and classes of these rows."""
        seen = None if self.vectors is None else self.vectors[chosen]
        return [self.rows.texts[row] for row in chosen], seen, self.rows.classes[chosen]


@dataclass(frozen=True, slots=True)
class Lesson:
    """Rows prepared for learning: their features, what they look like to models without them, and which are credible.

    When the labels' names say what their rows are about, each name is learnt as one more row of its label (`has_names`). Rows that models
    gave their label to stand behind the labelled ones (`believed`: places among the texts without one), the names behind both.
    """

    space: FeatureSpace
    features: Features
    classes: Places
    judgement: Judgement
    kept: Places
    has_names: bool
    believed: Places = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @classmethod
    def prepare(cls, material: Material, chosen: Places, *, seed: int) -> Lesson:
        """Return the lesson of the chosen rows."""
        texts, vectors, classes = material.pick(chosen)
        space = FeatureSpace.learn(texts, vectors, classes)
        features = space.find(texts, vectors)
        judgement = judge_rows(features, classes, len(material.rows.labels), seed=seed)
        kept = judgement.keep(classes)
        has_names = _are_telling(space.find(material.names, material.name_vectors), features.pick(kept), classes[kept])
        lesson = cls(space, features, classes, judgement, kept, has_names)._add_names(material)
        return lesson if material.unlabelled is None else lesson._add_guesses(material, material.unlabelled, chosen)

    def _add_names(self, material: Material) -> Lesson:
        if not self.has_names:
            return self
        names = self.space.find(material.names, material.name_vectors)
        places = np.arange(len(material.names))
        kept = np.concatenate([self.kept, len(self.classes) + places])
        return replace(self, features=self.features.join(names), classes=np.concatenate([self.classes, places]), kept=kept)

    def _add_guesses(self, material: Material, asked: Unlabelled, chosen: Places) -> Lesson:
        """Return the lesson with rows whose label models are sure of; each round's models learn from the guesses of the one before."""
        texts, vectors, classes = material.pick(chosen)
        credible = self.kept[self.kept < len(texts)]
        lesson, first = self, None
        for share in SHARES:
            features = lesson.space.find(asked.texts, asked.vectors)
            guesses = guess(lesson.features.pick(lesson.kept), lesson.classes[lesson.kept], features, len(material.rows.labels))
            first = guesses if first is None else first
            believed = pick_surest(guesses + first, share)
            all_texts = texts + [asked.texts[row] for row in believed]
            all_vectors = None if vectors is None or asked.vectors is None else np.vstack([vectors, asked.vectors[believed]])
            all_classes = np.concatenate([classes, (guesses + first).argmax(axis=1)[believed]])
            kept = np.concatenate([credible, len(texts) + np.arange(len(believed))])
            space = FeatureSpace.learn(
                [all_texts[row] for row in kept], None if all_vectors is None else all_vectors[kept], all_classes[kept]
            )
            features = space.find(all_texts, all_vectors)
            lesson = Lesson(space, features, all_classes, self.judgement, kept, self.has_names, believed)._add_names(material)
        return lesson

    def look_at(self, other: Material, chosen: Places) -> Lesson:
        """Return the lesson of the same rows, n-grams and doubts with other vectors; `chosen` are the rows that it was prepared for."""
        if other.vectors is None or other.name_vectors is None:
            return replace(self, space=self.space.without_vectors(), features=self.features.without_dense())
        guessed = [] if other.unlabelled is None or other.unlabelled.vectors is None else [other.unlabelled.vectors[self.believed]]
        vectors = np.vstack([other.vectors[chosen], *guessed])
        credible = self.kept[self.kept < len(vectors)]
        space = self.space.with_vectors(vectors[credible], self.classes[credible])
        dense = space.spread(np.vstack([vectors, other.name_vectors]) if self.has_names else vectors)
        return replace(self, space=space, features=Features(self.features.sparse, dense))

    def fit(self, recipe: Recipe, *, seed: int, is_semantic: bool = True) -> Model:
        """Return what a recipe learns from the credible rows; without `is_semantic`, from n-grams alone."""
        features = self.features if is_semantic else self.features.without_dense()
        return fit(recipe, features.pick(self.kept), self.classes[self.kept], self.judgement.scores.shape[1], seed=seed)


def _are_telling(names: Features, features: Features, classes: Places) -> bool:
    """Return whether the likest name is a row's own label surely more often than the most frequent label is (by 3 standard errors)."""
    found = compare(features, names, vector_weight=_NAME_WEIGHT).argmax(axis=1)
    most = np.bincount(classes).max() / len(classes)
    return bool((found == classes).mean() > most + 3 * np.sqrt(most * (1 - most) / len(classes)))


class Chosen(NamedTuple):
    """The recipe for each way of reading: with vectors and from n-grams alone."""

    semantic: Recipe
    fast: Recipe


@dataclass(frozen=True, slots=True)
class Trial:
    """What models said of rows that they had not learnt from.

    Attributes
    ----------
    rows : ndarray of int64, shape (n_rows,)
    folds : ndarray of int64, shape (n_rows,)
        Below `TESTED_FOLDS`: the row took no part in choosing, either.
    scores : dict of str to ndarray of float32, shape (n_rows, n_labels)
        By words alone (“fast”), beside the encoder's pieces (“pieces”) and beside its vectors (“semantic”), as far as there is an encoder.
    """

    rows: Places
    folds: Places
    scores: dict[str, Floats]


def choose_recipes(material: Material, folds: Places, recipes: Sequence[Recipe], *, seed: int) -> Chosen:
    """Return the best recipe with vectors and the best without; one and the same when there is no encoder."""
    material = replace(material, unlabelled=None)
    alone = replace(material, vectors=None, name_vectors=None)
    different = {(one.algorithm, one.strength): one for one in recipes}  # without vectors their weight makes no difference
    fast = choose_recipe(alone, folds, list(different.values()), seed=seed)
    return Chosen(fast if material.vectors is None else choose_recipe(material, folds, recipes, seed=seed), fast)


def choose_recipe(material: Material, folds: Places, recipes: Sequence[Recipe], *, seed: int) -> Recipe:
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
            merits = _compare_recipes(material, np.sort(pool[:n_rows]), left, seed=seed)
            order = np.argsort(-merits, kind="stable")[:_SURVIVORS]
            left = [left[place] for place in order if merits[place] >= merits[order[0]] - _CLEARLY_WORSE]
    return left[0]


def choose_unlabelled(
    material: Material, folds: Places, chosen: Chosen, recipes: Sequence[Recipe], *, seed: int
) -> tuple[Material, Chosen]:
    """Return what to learn from and how: rows without label stay if they help on rows that are labelled and not tested.

    Ridge regressions are tried beside the chosen recipe: they bear wrong guesses better than a softmax, which believes each of them.
    """
    if material.unlabelled is None:
        return material, chosen
    pool = np.flatnonzero(folds >= TESTED_FOLDS)
    alone = replace(material, unlabelled=None)
    plain = _compare_recipes(alone, pool, [chosen.semantic], seed=seed)[0]
    tried = [chosen.semantic, *(one for one in recipes if one.algorithm == "ridge" and one != chosen.semantic)]
    helped = _compare_recipes(material, pool, tried, seed=seed)
    best = tried[int(helped.argmax())]
    return (material, Chosen(best, best)) if helped.max() > plain else (alone, chosen)


def _compare_recipes(material: Material, pool: Places, recipes: Sequence[Recipe], *, seed: int) -> Merits:
    """Return accuracy + macro-F1 of each recipe; all 0 when the pool leaves nothing to learn from."""
    rows = material.rows
    inner = fold_rows(rows.classes[pool], _INNER_FOLDS, seed=seed)
    merits = np.zeros(len(recipes))
    is_thorough = len(pool) <= _FEW_ROWS or (len(recipes) <= _SURVIVORS and len(pool) <= _MANY_ROWS)
    for fold in range(_INNER_FOLDS if is_thorough else 1):
        inside, held = pool[inner != fold], pool[inner == fold]
        if not len(held) or len(np.unique(rows.classes[inside])) < 2:
            continue
        lesson = Lesson.prepare(material, inside, seed=seed)
        features, given = _find(lesson, material, held), rows.classes[held]
        for place, recipe in enumerate(recipes):
            found = lesson.fit(recipe, seed=seed).score(features).argmax(axis=1)
            merits[place] += (found == given).mean() + macro_f1(given, found, len(rows.labels))
    return merits


def try_recipe(material: Material, folds: Places, chosen: Chosen, *, seed: int, step: Callable[[], object]) -> Trial:
    """Return what models learnt from the other folds say of each row; of many rows, only those of the tested folds and of one more."""
    rows = material.rows
    n_folds = FOLDS if len(rows.texts) <= _MOST_ROWS_IN_ALL_FOLDS else TESTED_FOLDS + 1  # one more chooses which texts to encode
    names = ["fast"] + ["pieces"] * (material.pieces is not None) + ["semantic"] * (material.vectors is not None)
    scores = {name: np.zeros((len(rows.texts), len(rows.labels)), dtype=np.float32) for name in names}
    for fold in range(n_folds):
        held = np.flatnonzero(folds == fold)
        if len(held):
            learnt = np.flatnonzero(folds != fold)
            lesson = Lesson.prepare(material, learnt, seed=seed)
            features = _find(lesson, material, held)
            scores["fast"][held] = lesson.fit(chosen.fast, seed=seed, is_semantic=False).score(features.without_dense())
            if material.vectors is not None:
                scores["semantic"][held] = lesson.fit(chosen.semantic, seed=seed).score(features)
            if material.pieces is not None and material.pieces.vectors is not None:
                other = lesson.look_at(material.pieces, learnt)
                seen = Features(features.sparse, other.space.spread(material.pieces.vectors[held]))
                scores["pieces"][held] = other.fit(chosen.semantic, seed=seed).score(seen)
        step()
    tried = np.flatnonzero((folds >= 0) & (folds < n_folds))
    return Trial(tried, folds[tried], {name: one[tried] for name, one in scores.items()})


def _find(lesson: Lesson, material: Material, held: Places) -> Features:
    texts = [material.rows.texts[row] for row in held]
    return lesson.space.find(texts, None if material.vectors is None else material.vectors[held])
