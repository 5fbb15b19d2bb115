"""Kinds of contact on contacts of our own that no model learnt from."""

import pytest

from careloop.insight import read
from careloop.insight.text.recipes.measure import measure_contacts
from careloop.insight.text.recipes.phrases import load_phrases
from careloop.insight.text.recipes.reviews import make_reviews, make_told_contacts, read_held_out
from careloop.insight.types import KINDS


@pytest.mark.parametrize(("language", "accuracy"), [("zh", 0.86), ("en", 0.73)])
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
