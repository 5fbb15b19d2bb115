"""Intervals of averages, rates, medians and differences, against statsmodels 0.15.0, lifelines 0.30.3 and scipy 1.17.1."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careloop.insight.errors import InputError
from careloop.insight.stats import fit_survival
from careloop.insight.stats.intervals import (
    Moments,
    difference_of_means,
    difference_of_shares,
    mean_interval,
    median_interval,
    rate_interval,
    wilson_interval,
)
from tests.insight.stats.coverage_count import CASES, count_coverage
from tests.insight.test_survival import ENDED, WEEKS

RATINGS, OTHERS = [4, 5, 3, 5, 2, 4, 5], [2, 3, 1, 4, 3]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]  # the other arm of Freireich et al. 1963, nobody censored


def test_mean_has_students_interval():
    low, high = mean_interval(*Moments.of(RATINGS))  # scipy.stats.ttest_1samp(…).confidence_interval()
    assert (low, high) == pytest.approx((2.9320801164993924, 5.067919883500608), abs=1e-12)
    assert mean_interval(*Moments.of(RATINGS), bounds=(1, 5)) == pytest.approx((2.9320801164993924, 5.0), abs=1e-12)


def test_one_value_or_none_says_nothing():
    assert mean_interval(1, 4, 16) == mean_interval(0, 0, 0) == (-math.inf, math.inf)
    assert mean_interval(0, 0, 0, bounds=(1, 5)) == (1, 5)
    assert difference_of_means(Moments.of([4]), Moments.of(RATINGS)) == (-math.inf, math.inf)


def test_the_same_score_from_everyone_is_not_certain():
    low, high = mean_interval(20, 100, 500, bounds=(1, 5))
    assert (low, high) == (pytest.approx(5 - 4 * wilson_interval(0, 20)[1]), 5.0)
    assert mean_interval(20, 100, 500, bounds=(1, 5), confidence=0.99)[0] == pytest.approx(
        5 - 4 * wilson_interval(0, 20, z=2.5758293035)[1]
    )
    assert mean_interval(1, 3, 9, bounds=(1, 5)) == pytest.approx((3 - 2 * wilson_interval(0, 1)[1], 3 + 2 * wilson_interval(0, 1)[1]))


def test_rounding_alone_makes_no_variance():
    assert Moments(3, 0.1 + 0.1 + 0.1, 3 * 0.1**2).variance == 0.0
    assert Moments.of(np.array([[1.0, 2.0], [3.0, 4.0]])) == Moments(4, 10.0, 30.0)


@pytest.mark.parametrize(
    ("events", "low", "high"),
    [
        (1, 0.050020344867411234, 4.931860526447705),
        (5, 1.8319948065056502, 11.082415661111124),
        (37, 26.434432249131493, 50.46259370486425),
    ],
)
def test_rate_has_the_mid_p_interval(events, low, high):
    assert rate_interval(events, 1) == pytest.approx((low, high), abs=1e-8)  # statsmodels confint_poisson(…, method="midp-c")
    assert rate_interval(events, 4) == pytest.approx((low / 4, high / 4), abs=1e-8)


def test_no_event_keeps_the_rule_of_three():
    assert rate_interval(0, 1) == (0.0, pytest.approx(-math.log(0.05), abs=1e-12))
    with pytest.raises(InputError, match="-1 events in 3 cannot be"):
        rate_interval(-1, 3)
    with pytest.raises(InputError, match="exposure above 0"):
        rate_interval(1, 0)


def test_difference_of_shares_is_newcombes():
    # statsmodels confint_proportions_2indep(…, method="newcomb", compare="diff")
    assert difference_of_shares((56, 70), (48, 80)) == pytest.approx((0.05243147240236498, 0.33387265403690614), abs=1e-12)
    assert difference_of_shares((0, 10), (3, 12)) == pytest.approx((-0.5323053349335658, 0.0708804156994084), abs=1e-12)
    assert difference_of_shares((0, 0), (3, 12)) == (-1.0, 1.0)


def test_difference_of_means_is_welchs():
    found = difference_of_means(Moments.of(RATINGS), Moments.of(OTHERS))  # scipy.stats.ttest_ind(…, equal_var=False)
    assert found == pytest.approx((-0.12241159177241423, 2.922411591772414), abs=1e-12)
    assert difference_of_means(Moments.of([3, 3]), Moments.of([4, 4])) == (-math.inf, math.inf)


def test_median_interval_is_where_the_curve_holds_a_half():
    treated, untreated = fit_survival(WEEKS, np.array(ENDED, dtype=bool)), fit_survival(PLACEBO, np.ones(21, dtype=bool))
    assert median_interval(treated) == (13.0, None)  # lifelines median_survival_times(confidence_interval_)
    assert median_interval(untreated) == (4.0, 11.0)
    assert median_interval(treated, share=0.25) == (6.0, 22.0)
    assert median_interval(untreated, share=0.9) == (12.0, None)  # above the last step nothing is known (lifelines says 23)
    assert median_interval(fit_survival([], [])) == (None, None)


@given(st.integers(0, 40), st.integers(1, 40), st.integers(0, 40), st.integers(1, 40))
def test_differences_mirror_and_hold_their_middle(first, more, second, more2):
    one, other = (first, first + more), (second, second + more2)
    low, high = difference_of_shares(one, other)
    assert -1 <= low <= one[0] / one[1] - other[0] / other[1] <= high <= 1
    assert difference_of_shares(other, one) == pytest.approx((-high, -low), abs=1e-12)


@pytest.mark.parametrize("name", sorted(CASES))
def test_nominal_95_percent_covers_93_to_97(name):
    draws = 1500 if name == "median" else 4000
    assert 0.93 <= count_coverage(name, draws=draws, seed=7) <= 0.97
