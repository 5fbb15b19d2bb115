"""Kinds of contact on contacts of our own that no model learnt from."""

import numpy as np
import pytest

from careloop.insight import read
from careloop.insight.text.artefacts import load
from careloop.insight.text.kind import calibrate
from careloop.insight.text.recipes.measure import measure_contacts
from careloop.insight.text.recipes.phrases import load_phrases
from careloop.insight.text.recipes.reviews import make_reviews, make_told_contacts, read_held_out
from careloop.insight.types import KINDS


@pytest.mark.parametrize(("language", "accuracy"), [("zh", 0.85), ("en", 0.75)])
def test_contacts_never_learnt_from_are_told_apart_as_measured(language, accuracy):
    figures = measure_contacts(language)
    assert figures["rows"] == 150
    assert figures["accuracy"] == pytest.approx(accuracy, abs=0.02)
    assert set(figures["recall"]) == set(KINDS)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_contact_to_measure_with_is_among_those_learnt_from(language):
    held_out = {one.text for one in read_held_out(language)}
    learnt = {one.text for one in make_told_contacts(language, 1000, seed=1)}
    templates = {text for texts in load_phrases(f"kinds_{language}")["kinds"].values() for text in texts}
    assert len(held_out) == 150
    assert not held_out & (learnt | templates)


def test_made_texts_are_the_same_for_one_seed_and_leave_no_braces():
    for make in (make_reviews, make_told_contacts):
        for language in ("zh", "en"):
            made = make(language, 200, seed=5)
            assert made == make(language, 200, seed=5)
            assert not [one.text for one in made if set("{}|") & set(one.text)]


@pytest.mark.parametrize("text", ["", " ", "a", "?", "1", "\x00", "\u200b", "…………", "x" * 1_000_000])
def test_text_that_says_nothing_has_no_kind_and_no_opinion(text):
    (reading,) = read([text])
    assert (reading.kind, reading.kind_probability, reading.kind_abstained) == ("other", 0.0, True)
    assert (reading.sentiment, reading.sentiment_probability, reading.sentiment_abstained) == ("neutral", 0.5, True)
    assert (reading.aspects, reading.error) == ((), None)


def test_english_praise_and_refunds_are_found_as_measured():
    recall = measure_contacts("en")["recall"]
    assert recall["praise"] == pytest.approx(0.68, abs=0.05)
    assert recall["refund"] == pytest.approx(0.68, abs=0.05)


def test_calibrating_changes_how_sure_a_kind_is_and_never_which_it_is():
    generator = np.random.default_rng(3)
    given = generator.dirichlet(np.full(6, 0.4), size=500).astype(np.float32)
    lengths = generator.integers(1, 200, size=500)
    for weights in ([0.0, 1.0, 0.0, 0.0], [-3.0, 0.2, -0.4, 0.1], [2.0, 1.3, 0.0, 0.0]):
        found = calibrate(given, lengths, np.array(weights, dtype=np.float32))
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
        np.testing.assert_array_equal(found[np.arange(500), given.argmax(axis=1)], found.max(axis=1))


def test_calibrating_with_the_plain_log_odds_changes_nothing():
    given = np.array([[0.5, 0.3, 0.1, 0.05, 0.03, 0.02]], dtype=np.float32)
    np.testing.assert_allclose(calibrate(given, np.array([7]), np.array([0, 1, 0, 0], dtype=np.float32)), given, atol=1e-6)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_shipped_kinds_were_calibrated_on_texts_that_took_no_part(language):
    figures = load(f"kind_{language}").card["figures"]
    assert figures["expected_calibration_error"] <= 0.045
    assert all(one["expected_calibration_error"] <= 0.055 for one in figures["sets_never_learnt_from"].values())
