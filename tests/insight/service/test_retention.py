"""Who comes back: rates with censoring, and differences, exactly."""

import numpy as np
import pytest

from careloop.insight.errors import InputError
from careloop.insight.service.retention import Rate, complement, measure_rate, subtract


def test_rates_are_shares_when_all_were_followed():
    rate = measure_rate([10, 20, 90, 90], [True, True, False, False], horizon_days=30)
    assert (rate.value, rate.n, rate.n_until) == (0.5, 4, 4)
    assert rate.low < 0.5 < rate.high


def test_those_still_followed_count_by_the_product_limit():
    rate = measure_rate([5, 10, 15, 20, 60], [True, False, True, False, False], horizon_days=30)
    assert rate.value == pytest.approx(1 - 4 / 5 * 2 / 3)
    assert (rate.n, rate.n_until) == (5, 3)


def test_too_short_an_observation_says_nothing():
    assert measure_rate([5, 10], [True, False], horizon_days=30) == Rate(None, None, None, 2, 1)
    assert measure_rate([], [], horizon_days=30) == Rate(None, None, None, 0, 0)
    assert subtract(Rate(None, None, None, 0, 0), Rate(0.5, 0.4, 0.6, 10, 10)) == (None, None, None, False)


def test_nobody_back_is_not_certainty():
    rate = measure_rate([60] * 10, [False] * 10, horizon_days=30)
    assert (rate.value, rate.low) == (0.0, 0.0)
    assert rate.high == pytest.approx(0.2775, abs=1e-4)  # Wilson, 0 of 10


def test_churn_is_what_retention_leaves():
    assert complement(Rate(0.75, 0.5, 0.875, 10, 8)) == (0.25, 0.125, 0.5, 10, 8)
    assert complement(Rate(None, None, None, 2, 1)) == (None, None, None, 2, 1)


def test_a_difference_joins_the_sides_of_both_intervals():
    difference = subtract(Rate(0.6, 0.5, 0.7, 90, 90), Rate(0.4, 0.3, 0.45, 90, 90))
    assert difference[:3] == pytest.approx((0.2, 0.2 - np.hypot(0.1, 0.05), 0.2 + np.hypot(0.1, 0.1)))
    assert difference.is_shown
    assert not subtract(Rate(0.5, 0.4, 0.6, 9, 9), Rate(0.45, 0.3, 0.6, 9, 9)).is_shown


def test_the_difference_covers_what_it_promises_when_many_are_still_followed():
    """Two groups of 80 and 40 who come back alike, observed for 20 to 150 days."""
    rng = np.random.default_rng(2)
    values, hits = [], 0
    for _ in range(400):
        rates = []
        for size in (80, 40):
            until, comes = rng.uniform(20, 150, size), rng.exponential(60, size)
            rates.append(measure_rate(np.minimum(until, comes), comes <= until, horizon_days=60))
        found = subtract(*rates)
        values.append(found.value)
        hits += found.low <= 0 <= found.high
    assert abs(np.mean(values)) < 0.02
    assert 0.93 <= hits / 400 <= 0.97


def test_no_time_to_come_back_in_is_refused():
    with pytest.raises(InputError, match="more than 0 days"):
        measure_rate([1], [True], horizon_days=0)
