"""Probabilities where nothing can be measured: the order of the scores stays, the sum is 1, nothing is trusted that says nothing."""

import numpy as np
import pytest

from careloop.insight.text.trust import TRUST, Trust, soften


@pytest.mark.parametrize("trust", TRUST.values())
@pytest.mark.parametrize("n_labels", [2, 3, 40, 400])
def test_the_order_of_the_scores_stays(trust: Trust, n_labels: int) -> None:
    scores = np.random.default_rng(0).normal(0, 3, (50, n_labels))
    found = trust.estimate(scores)
    np.testing.assert_array_equal(found.argsort(axis=1), scores.argsort(axis=1))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found.min() >= 0


@pytest.mark.parametrize("trust", TRUST.values())
def test_equal_scores_have_equal_probabilities(trust: Trust) -> None:
    np.testing.assert_allclose(trust.estimate(np.zeros((2, 5))), 0.2)
    np.testing.assert_allclose(trust.estimate(np.array([[4.0, 4.0, -900.0]])), [[0.5, 0.5, 0]], atol=1e-6)


def test_the_best_label_has_the_log_odds_of_the_curve() -> None:
    """By hand: scores ln 8 and ln 2 have log-odds ln 4; 0.1 + 0.5 × ln 4 + 0.2 × ln 2 is 0.93178; its logistic is 0.71744."""
    found = Trust(1.0, base=0.1, per_size=0.2, slope=0.5).estimate(np.log([[8.0, 2.0]]))
    np.testing.assert_allclose(found, [[0.71744, 0.28256]], atol=1e-5)


@pytest.mark.parametrize("trust", TRUST.values())
def test_a_greater_lead_is_trusted_more(trust: Trust) -> None:
    leads = np.linspace(0.5, 12, 30)
    best = trust.estimate(np.column_stack([leads, np.zeros((30, 9))]))[:, 0]
    assert (np.diff(best) > 0).all()


def test_huge_scores_do_not_overflow() -> None:
    np.testing.assert_allclose(soften(np.array([[1e6, 0.0]])), [[1, 0]])
    assert np.isfinite(TRUST[True, True].estimate(np.array([[1e6, 0.0, 0.0]]))).all()
