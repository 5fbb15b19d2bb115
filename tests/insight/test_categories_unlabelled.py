"""Rows without a label: learnt as what models are sure of, if that helps, and never instead of the labelled ones."""

from dataclasses import replace

import numpy as np
import pytest

from careloop.insight.text.categories import learn_categories, trials
from careloop.insight.text.categories.recipes import Recipe
from careloop.insight.text.categories.rows import check_rows, fold_rows
from careloop.insight.text.categories.trials import Chosen, Lesson, Material, choose_unlabelled
from careloop.insight.text.categories.unlabelled import Unlabelled, choose_texts, pick_surest

LABELLED = {
    "delivery": ["where is my parcel", "the parcel is late", "my parcel has not come", "the parcel did not arrive"],
    "invoice": ["send me an invoice", "the invoice is wrong", "I need an invoice", "no invoice in the box"],
    "refund": ["refund my money", "I want a refund", "the refund is late", "when comes the refund"],
}
COURIERS = [f"the courier left a parcel at number {number}" for number in range(30)]
RECEIPTS = [f"tax receipt or invoice for order {number}" for number in range(30)]


def material(unlabelled: list[str]) -> Material:
    pairs = [(text, label) for label, texts in LABELLED.items() for text in texts]
    rows = check_rows([text for text, _ in pairs], [label for _, label in pairs])
    return Material(rows, None, list(rows.labels), None, Unlabelled(unlabelled, None) if unlabelled else None)


def test_of_each_label_the_surest_share_is_believed():
    guesses = np.array([[0.9, 0.1], [0.6, 0.4], [0.8, 0.2], [0.7, 0.3], [0.45, 0.55]], dtype=np.float32)
    assert pick_surest(guesses, 0.5).tolist() == [0, 2, 4]
    assert pick_surest(guesses, 0.8).tolist() == [0, 2, 3, 4]


def test_different_texts_are_taken_unless_they_are_few_or_labels_many():
    texts = [f"text {number % 60}" for number in range(200)]
    assert choose_texts(texts, n_labelled=100, seed=0) == texts[:60]
    assert choose_texts(texts[:49], n_labelled=100, seed=0) == []
    assert choose_texts(texts, n_labelled=2_001, seed=0) == []
    many = [f"text {number}" for number in range(4_000)]
    assert len(set(choose_texts(many, n_labelled=100, seed=0))) == 3_000
    assert choose_texts(many, n_labelled=100, seed=0) == choose_texts(many, n_labelled=100, seed=0)


def test_guessed_rows_are_learnt_as_what_they_are_about():
    given = material(COURIERS + RECEIPTS)
    lesson = Lesson.prepare(given, np.arange(12), seed=0)
    guessed = lesson.classes[12 : 12 + len(lesson.believed)]
    assert len(lesson.believed) == 48  # four fifths of what is guessed
    assert np.bincount(guessed, minlength=3).tolist() == [24, 24, 0]
    model = lesson.fit(Recipe("ridge", 3.0), seed=0)
    asked = lesson.space.find(["a courier rang", "tax receipt please"], None)
    assert [given.rows.labels[place] for place in model.score(asked).argmax(axis=1)] == ["delivery", "invoice"]


def test_other_vectors_stand_beside_the_same_rows_in_the_same_order():
    given, drawn = material(COURIERS + RECEIPTS), np.random.default_rng(0).normal(size=(75, 4)).astype(np.float32)
    lesson = Lesson.prepare(given, np.arange(12), seed=0)
    assert lesson.has_names
    asked = Unlabelled(COURIERS + RECEIPTS, drawn[12:72])
    other = lesson.look_at(replace(given, vectors=drawn[:12], name_vectors=drawn[72:], unlabelled=asked), np.arange(12))
    rows = np.concatenate([np.arange(12), 12 + lesson.believed, [72, 73, 74]])
    np.testing.assert_allclose(other.features.dense, other.space.spread(drawn[rows]), atol=1e-6)
    assert other.features.sparse is lesson.features.sparse
    assert other.kept.tolist() == lesson.kept.tolist()


def test_labelled_rows_stay_as_they_were_given():
    lesson = Lesson.prepare(material(COURIERS), np.arange(12), seed=0)
    assert lesson.classes[:12].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert lesson.judgement.scores.shape == (12, 3)
    assert set(range(12)) <= set(lesson.kept.tolist())


def test_rows_without_label_that_do_not_help_are_left_out():
    given = material([f"{number} {number} {number}" for number in range(60)])
    folds = fold_rows(given.rows.classes, 4, seed=0)
    chosen = Chosen(Recipe("svm", 0.5), Recipe("svm", 0.5))
    left, recipes = choose_unlabelled(given, folds, chosen, [Recipe("svm", 0.5)], seed=0)
    assert (left.unlabelled, recipes) == (None, chosen)


def test_the_card_says_how_many_rows_without_label_there_were_and_how_many_were_learnt():
    rows = [(text, label) for label, texts in LABELLED.items() for text in texts]
    texts, labels = [text for text, _ in rows], [label for _, label in rows]
    model = learn_categories(texts + COURIERS, labels + [""] * 30, algorithm="ridge", encoder=None)
    assert (model.card["data"]["rows_without_label"], model.card["data"]["rows_learnt_without_label"]) == (30, 0)  # too few to be asked
    assert model.card["rows"] == 12


@pytest.mark.parametrize(("tree", "ridge", "is_helpful"), [(1.2, 1.3, True), (1.3, 1.2, True), (1.0, 1.1, False)])
def test_the_recipe_that_rows_without_label_help_most_learns_them(monkeypatch, tree, ridge, is_helpful):
    merits = {("tree", True): tree, ("ridge", True): ridge, ("tree", False): 1.1}
    monkeypatch.setattr(
        trials,
        "_compare_recipes",
        lambda given, _rows, recipes, *, seed: np.array([merits[one.algorithm, given.unlabelled is not None] for one in recipes]),
    )
    given, chosen = material(COURIERS), Chosen(Recipe("tree", 0.1), Recipe("svm", 0.5))
    left, recipes = choose_unlabelled(given, np.full(12, 4), chosen, [Recipe("tree", 0.1), Recipe("ridge", 0.67)], seed=0)
    assert (left.unlabelled is not None) == is_helpful
    best = Recipe("tree", 0.1) if tree > ridge else Recipe("ridge", 0.67)
    assert recipes == (Chosen(best, best) if is_helpful else chosen)
