"""Comparisons that may be looked at daily; sizes against statsmodels 0.15.0."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careloop.insight.errors import InputError
from careloop.insight.stats.intervals import Moments
from careloop.insight.stats.sequential import BEST_RATIO, follow_p, look_at_means, look_at_shares, look_at_times, plan_means, plan_shares
from tests.insight.stats.peeking_count import SHARES, calls_share, count_false_calls


@pytest.mark.parametrize(
    ("kind", "place"), [("shares", 0), ("shares", 3), ("averages", 2), ("averages", 4), ("ratings", 1), ("five groups", 0)]
)
def test_looking_daily_for_a_year_calls_at_most_5_percent(kind, place):
    assert count_false_calls(kind, place, comparisons=60, seed=4) <= 0.05


def test_the_planned_size_shows_the_planned_difference_four_times_in_five():
    plan = plan_shares(0.7, 0.15)
    rng = np.random.default_rng(9)
    half = plan.daily // 2
    shown = [
        look_at_shares((int(rng.binomial(half, 0.85)), half), (int(rng.binomial(half, 0.7)), half), planned=plan.daily).p < 0.05
        for _ in range(2000)
    ]
    assert 0.78 <= np.mean(shown) <= 0.84
    assert calls_share(np.random.default_rng(1), SHARES[0], difference=0.15)


def test_sizes_for_one_look_are_those_of_the_textbook():
    # statsmodels samplesize_proportions_2indep_onetail(0.1, 0.7, 0.8, alpha=0.05) = 293.15 a group;
    # NormalIndPower().solve_power(0.5, alpha=0.05, power=0.8) = 62.79 a group
    assert plan_shares(0.7, 0.1).once == math.ceil(2 * 293.15)
    assert plan_means(1.0, 0.5).once == math.ceil(2 * 62.79)
    assert plan_means(10.0, -5.0) == plan_means(1.0, 0.5)
    assert plan_shares(0.7, 0.1, held_out_ratio=0.1).once > plan_shares(0.7, 0.1).once
    assert plan_shares(0.1, 0.9).once == 40  # never fewer than the normal approximation needs


def test_the_interval_is_narrowest_where_planned():
    def width(n: int, planned: float) -> float:
        look = look_at_shares((n // 2, n), (n // 2, n), planned=planned)
        return look.high - look.low

    best = width(500, 1000)
    assert all(width(500, 1000 * factor) > best for factor in (0.25, 0.5, 2, 4))
    assert math.sqrt((1 + 1 / BEST_RATIO) * (2 * math.log(20) + math.log1p(BEST_RATIO))) == pytest.approx(3.0351, abs=1e-4)


def test_few_cases_or_none_that_differ_say_nothing():
    for look in (
        look_at_shares((10, 10), (0, 19), planned=100),
        look_at_means(Moments.of([1, 2]), Moments.of([5] * 30), planned=100),
        look_at_means(Moments.of([5] * 30), Moments.of([5] * 30), planned=100),
        look_at_shares((0, 0), (0, 0), planned=100),
    ):
        assert (look.p, look.low, look.high, look.visible) == (1.0, -math.inf, math.inf, math.inf)


def test_times_with_open_ends_are_judged_by_the_log_rank_score():
    rng = np.random.default_rng(2)
    slow, fast = rng.exponential(10, 300), rng.exponential(5, 300)
    look = look_at_times((np.minimum(fast, 12), fast <= 12), (np.minimum(slow, 12), slow <= 12), planned=400)
    assert look.p < 1e-6 and 0 < look.low < math.log(2) < look.high
    again = look_at_times((slow, np.ones(300, bool)), (slow, np.ones(300, bool)), planned=400)
    assert (again.difference, again.p, again.n) == (0.0, 1.0, (300, 300))
    few = look_at_times(([1.0] * 30, [True] * 5 + [False] * 25), ([1.0] * 30, [False] * 30), planned=400)
    assert (few.p, few.low) == (1.0, -math.inf)
    with pytest.raises(InputError, match="planned size"):
        look_at_times(([1.0], [True]), ([1.0], [True]), planned=0)


def test_what_was_once_shown_stays_shown():
    looks = [look_at_shares((won, 100), (50, 100), planned=200) for won in (55, 85, 60)]
    one, two, three = follow_p(looks)
    assert one == 1.0 or one > two
    assert two == three == looks[1].p < 0.05 < looks[2].p
    assert follow_p([]) == []


@given(st.integers(20, 3000), st.integers(20, 3000), st.floats(0, 1), st.floats(0, 1))
def test_the_interval_holds_the_difference_and_agrees_with_the_p_value(n, m, share, other):
    look = look_at_shares((round(n * share), n), (round(m * other), m), planned=1000)
    mirrored = look_at_shares((round(m * other), m), (round(n * share), n), planned=1000)
    assert look.low <= look.difference <= look.high
    assert (mirrored.low, mirrored.high, mirrored.evidence) == pytest.approx((-look.high, -look.low, look.evidence))
    if look.p < 0.05:
        assert look.low > 0 or look.high < 0


def test_nonsense_is_refused():
    with pytest.raises(InputError, match="Of 3 trials 4"):
        look_at_shares((4, 3), (1, 2), planned=10)
    with pytest.raises(InputError, match="planned size is not above 0"):
        look_at_shares((4, 30), (1, 20), planned=0)
    with pytest.raises(InputError, match=r"From 0.7 a difference of 0.4 leads out"):
        plan_shares(0.7, 0.4)
    with pytest.raises(InputError, match="other than 0"):
        plan_shares(0.7, 0.0)
    with pytest.raises(InputError, match="held-out part between 0 and 1"):
        plan_means(1.0, 1.0, held_out_ratio=1)
    with pytest.raises(InputError, match="spread is not above 0"):
        plan_means(0.0, 1.0)
