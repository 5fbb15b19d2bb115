"""How sure a figure is, and whether probabilities mean what they say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careloop.insight.errors import InputError
from careloop.insight.stats import (
    Isotonic,
    Temperature,
    bootstrap_interval,
    find_threshold,
    measure_calibration_error,
    measure_coverage,
    sort_into_bins,
    wilson_interval,
)


def test_wilson_interval_of_the_textbook():
    # Newcombe 1998, Two-sided confidence intervals for the single proportion, table I, method 3
    assert [round(one, 4) for one in wilson_interval(81, 263)] == [0.2553, 0.3662]
    assert [round(one, 4) for one in wilson_interval(15, 148)] == [0.0624, 0.1605]
    assert [round(one, 4) for one in wilson_interval(0, 20)] == [0.0, 0.1611]
    assert [round(one, 4) for one in wilson_interval(1, 29)] == [0.0061, 0.1718]


def test_nothing_tried_says_nothing():
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_more_successes_than_trials_are_refused():
    with pytest.raises(InputError, match="Of 3 trials 4 cannot have succeeded"):
        wilson_interval(4, 3)


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_interval_holds_the_ratio_and_mirrors(successes, more):
    trials = successes + more
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= successes / trials <= high <= 1
    assert wilson_interval(trials - successes, trials) == pytest.approx((1 - high, 1 - low))


def test_calibration_error_by_hand():
    said = np.array([0.95, 0.95, 0.55, 0.55])
    came_true = np.array([True, False, True, False])
    assert measure_calibration_error(said, came_true) == pytest.approx(0.5 * 0.45 + 0.5 * 0.05)
    assert [(round(one.said, 2), one.true, one.rows) for one in sort_into_bins(said, came_true)] == [(0.55, 0.5, 2), (0.95, 0.5, 2)]
    assert measure_calibration_error(said[:0], came_true[:0]) == 0.0


def test_temperature_finds_how_much_scores_exaggerate():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(20_000, 3))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = (generator.random((20_000, 1)) > shares.cumsum(axis=1)).sum(axis=1)
    found = Temperature.fit(4 * logits, classes)
    assert found.value == pytest.approx(4, rel=0.05)
    assert found.apply(4 * logits).sum(axis=1) == pytest.approx(1)


def test_isotonic_curve_never_falls_and_keeps_to_the_means():
    said = np.repeat([0.2, 0.4, 0.6, 0.8], 100)
    came_true = np.concatenate([np.arange(100) < n for n in (30, 10, 50, 90)])
    curve = Isotonic.fit(said, came_true, least_rows=100)
    assert curve.true.tolist() == [0.2, 0.5, 0.9]
    assert curve.apply(np.array([0.0, 0.3, 0.6, 1.0])).tolist() == pytest.approx([0.2, 0.2, 0.5, 0.9])


def test_coverage_counts_what_is_answered():
    said, came_true = np.array([0.9, 0.8, 0.7, 0.2]), np.array([True, True, False, False])
    rows = measure_coverage(said, came_true, thresholds=(0.0, 0.75, 0.95))
    assert [(row.threshold, row.accuracy, row.answered_ratio) for row in rows] == [(0.0, 0.5, 1.0), (0.75, 1.0, 0.5), (0.95, None, 0.0)]


def test_the_lowest_threshold_that_reaches_an_accuracy():
    said = np.linspace(1, 0.5, 50)
    came_true = np.arange(50) < 40
    assert find_threshold(said, came_true, least_accuracy=0.8) == pytest.approx(0.5)
    assert find_threshold(said, came_true, least_accuracy=1.0) == pytest.approx(float(said[39]))
    assert find_threshold(said[:10], came_true[:10], least_accuracy=0.5) is None


def test_the_bootstrap_brackets_a_mean_and_repeats_itself():
    values = np.arange(100, dtype=float)
    first = bootstrap_interval(lambda drawn: float(values[drawn].mean()), 100)
    assert first == bootstrap_interval(lambda drawn: float(values[drawn].mean()), 100)
    assert first[0] < 49.5 < first[1]
    assert first[1] - first[0] == pytest.approx(2 * 1.96 * 28.9 / 10, rel=0.2)
