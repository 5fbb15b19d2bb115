"""Who comes back after a complaint: entering, censoring, rates and differences, exactly."""

import numpy as np
import pytest

from careloop.insight.errors import InputError
from careloop.insight.service.retention import (
    Buyer,
    Rate,
    follow,
    measure_churn,
    measure_rate,
    measure_repeat,
    measure_retention,
    subtract,
)

COMPLAINED = Buyer((0.0, 30.0, 50.0, 200.0), 20.0, "voucher")
QUIET = Buyer((10.0, 45.0))
LATE = Buyer((40.0,))


def test_customers_enter_at_their_first_complaint_and_others_on_such_a_day():
    first, second = follow([COMPLAINED, QUIET, LATE], until=100.0)
    assert first[:4] == (0, 20.0, True, "voucher")
    assert (first.days, first.has_bought) == ((10.0, 30.0), (True, True))
    assert second[:4] == (1, 20.0, False, "")  # the one who first bought on day 40 was no customer on day 20
    assert (second.days, second.has_bought) == ((25.0, 80.0), (True, False))


def test_a_complaint_before_the_first_purchase_or_after_the_end_brings_nobody_in():
    early, late = Buyer((30.0,), 5.0), Buyer((0.0, 10.0), 500.0)
    assert follow([early], until=100.0) == []
    assert [(one.number, one.has_complained) for one in follow([COMPLAINED, late], until=100.0)] == [(0, True), (1, False)]


def test_days_are_drawn_alike_each_time():
    buyers = [Buyer((0.0,), float(day)) for day in range(1, 50)] + [Buyer((float(place % 30),)) for place in range(200)]
    assert follow(buyers, until=100.0) == follow(buyers, until=100.0)
    drawn = [one.entered_at for one in follow(buyers, until=100.0) if not one.has_complained]
    assert len(set(drawn)) > 30
    assert all(one >= buyers[49 + place].purchases[0] for place, one in enumerate(drawn))


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


def test_churn_is_what_retention_leaves_and_repeat_needs_two():
    followed = follow([COMPLAINED, QUIET], until=100.0)
    kept, lost = measure_retention(followed, horizon_days=26), measure_churn(followed, horizon_days=26)
    assert (kept.value, lost.value) == (1.0, 0.0)
    assert (lost.low, lost.high) == (1 - kept.high, 1 - kept.low)
    assert measure_repeat(followed, horizon_days=40).value == 0.5


def test_a_difference_joins_the_sides_of_both_intervals():
    difference = subtract(Rate(0.6, 0.5, 0.7, 90, 90), Rate(0.4, 0.3, 0.45, 90, 90))
    assert difference[:3] == pytest.approx((0.2, 0.2 - np.hypot(0.1, 0.05), 0.2 + np.hypot(0.1, 0.1)))
    assert difference.is_shown
    assert not subtract(Rate(0.5, 0.4, 0.6, 9, 9), Rate(0.45, 0.3, 0.6, 9, 9)).is_shown


def test_the_difference_covers_what_it_promises_and_time_before_a_complaint_is_no_loyalty():
    """All buy alike, so that complaining changes nothing; entering at the first purchase would make complainers look loyal."""
    rng = np.random.default_rng(2)
    values, hits = [], 0
    for _ in range(60):
        buyers = []
        for _ in range(150):
            start, gaps = rng.uniform(0, 100), rng.exponential(60, 12)
            complained_at = start + rng.exponential(80)
            purchases = (start, *(start + np.cumsum(gaps)))
            buyers.append(Buyer(tuple(float(one) for one in purchases), float(complained_at) if complained_at < 150 else None))
        followed = follow(buyers, until=250.0)
        groups = [[one for one in followed if one.has_complained is is_so] for is_so in (True, False)]
        found = subtract(*(measure_retention(group, horizon_days=60) for group in groups))
        values.append(found.value)
        hits += found.low <= 0 <= found.high
    assert abs(np.mean(values)) < 0.02
    assert 0.9 <= hits / 60 <= 0.99


def test_nonsense_is_refused():
    with pytest.raises(InputError, match="no purchase"):
        follow([Buyer(())], until=10.0)
    with pytest.raises(InputError, match="more than 0 days"):
        measure_rate([1], [True], horizon_days=0)
