"""Satisfaction of all who were invited: exact small cases, and simulations in which response depends on known traits."""

import numpy as np
import pytest

from careloop.insight.errors import InputError
from careloop.insight.service.response_weights import estimate_satisfaction, weigh_answers
from tests.insight.service.silent_customers import simulate

# 60 by mail of whom 30 answered (27 content), 40 by phone of whom 10 answered (4 content)
CHANNEL = ["mail"] * 60 + ["phone"] * 40
ANSWERED = np.array([True] * 30 + [False] * 30 + [True] * 10 + [False] * 30)
SCORES = np.array([1.0] * 27 + [0.0] * 3 + [1.0] * 4 + [0.0] * 6)


def test_cells_weigh_each_group_as_often_as_it_was_invited():
    weights = weigh_answers({"channel": CHANNEL}, ANSWERED, method="cells")
    assert weights.weights == pytest.approx([0.8] * 30 + [1.6] * 10)
    assert weights.effective_n == pytest.approx(1600 / (30 * 0.64 + 10 * 2.56))
    assert weights.design_effect == pytest.approx(1.12)
    found = estimate_satisfaction(SCORES, weights, {"channel": CHANNEL}, ANSWERED)
    assert found.value == pytest.approx(0.6 * 0.9 + 0.4 * 0.4)
    assert (found.plain, found.n_invited, found.n_answered, found.n_trimmed) == (31 / 40, 100, 40, 0)
    assert found.bounds == (31 / 100, 91 / 100)
    silent = (70 - 31) / 60
    assert found.sensitivity == pytest.approx([(31 + 60 * silent * k / (1 - silent + silent * k)) / 100 for k in (0.5, 2)])
    assert 0.31 < found.low < found.sensitivity[0] < found.value < found.sensitivity[1] < found.high < 0.91


def test_raking_fits_the_shares_of_every_column():
    rng = np.random.default_rng(4)
    traits = {"channel": rng.choice(["mail", "phone", "chat"], 400).tolist(), "kind": rng.choice(["refund", "question"], 400).tolist()}
    answered = rng.random(400) < np.where(np.array(traits["channel"]) == "mail", 0.6, 0.2)
    weights = weigh_answers(traits, answered, method="raking").weights
    for values in traits.values():
        for value in set(values):
            among_all = np.mean(np.array(values) == value)
            assert np.average(np.array(values)[answered] == value, weights=weights) == pytest.approx(among_all, abs=1e-9)


def test_scores_on_a_scale_stay_on_it():
    scores = 1 + 4 * SCORES
    weights = weigh_answers({"channel": CHANNEL}, ANSWERED, method="cells")
    found = estimate_satisfaction(scores, weights, {"channel": CHANNEL}, ANSWERED, scale=(1, 5))
    share = estimate_satisfaction(SCORES, weights, {"channel": CHANNEL}, ANSWERED)
    assert (found.value, found.low, found.high) == pytest.approx((1 + 4 * share.value, 1 + 4 * share.low, 1 + 4 * share.high))


def test_everyone_content_is_not_certainty():
    weights = weigh_answers({"channel": CHANNEL}, ANSWERED, method="raking")
    found = estimate_satisfaction(np.ones(40), weights, {"channel": CHANNEL}, ANSWERED)
    assert (found.value, found.high, found.bounds) == (1.0, 1.0, (0.4, 1.0))
    assert found.low == pytest.approx(0.903, abs=0.002)  # Wilson with 35.7 answers as sure


def test_all_answered_leaves_nothing_to_weigh():
    everyone = np.ones(100, dtype=bool)
    scores = np.tile([1.0, 0.0, 1.0, 1.0], 25)
    for method in ("cells", "raking", "probability"):
        weights = weigh_answers({"channel": CHANNEL}, everyone, method=method)
        found = estimate_satisfaction(scores, weights, {"channel": CHANNEL}, everyone)
        assert found.value == pytest.approx(0.75)
        assert found.bounds == found.sensitivity == pytest.approx((0.75, 0.75))


def test_a_cell_without_answers_is_joined_with_others():
    channel = CHANNEL[:90] + ["fax"] * 10
    weights = weigh_answers({"channel": channel}, ANSWERED, method="cells")
    assert weights.weights == pytest.approx([0.8] * 30 + [1.6] * 10)


def test_weights_are_trimmed_and_it_is_told():
    answered = np.array([True] * 95 + [False] * 5 + [True] * 5 + [False] * 95)
    weights = weigh_answers({"channel": ["mail"] * 100 + ["phone"] * 100}, answered, method="cells")
    assert weights.n_trimmed == 5
    assert weights.weights.max() / weights.weights.min() == pytest.approx(5 / (0.5 / 0.95), rel=1e-6)


@pytest.mark.parametrize(
    ("scores", "answered", "message"),
    [
        (SCORES[:4], np.arange(100) < 4, "4 answers are not enough data"),
        (SCORES[1:], ANSWERED, "give one for each"),
        (SCORES * 7, ANSWERED, "outside the scale 0 to 1"),
        (SCORES, ANSWERED[1:], "100 invited"),
    ],
)
def test_what_cannot_be_weighed_is_refused(scores, answered, message):
    with pytest.raises(InputError, match=message):
        weights = weigh_answers({"channel": CHANNEL}, answered, method="cells")
        estimate_satisfaction(scores, weights, {"channel": CHANNEL}, answered)


# 2,000 draws of every method, shares and scores: python -m tests.insight.service.silent_customers
def test_the_interval_covers_when_response_depends_on_traits():
    assert 0.93 <= simulate("cells", is_share=True, draws=300, seed=12).coverage <= 0.97


@pytest.mark.parametrize("method", ["cells", "raking", "probability"])
def test_bias_shrinks_when_response_depends_on_traits(method):
    told = simulate(method, is_share=True, draws=30)
    assert told.plain_bias > 0.05
    assert abs(told.weighted_bias) < 0.01
