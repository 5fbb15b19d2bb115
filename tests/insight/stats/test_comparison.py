"""Whether groups differ and by how much, against scipy 1.17.1 and statsmodels 0.15.0."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from careloop.insight.errors import InputError
from careloop.insight.stats.comparison import (
    compare_means,
    compare_means_unequal,
    compare_pairs,
    compare_ranks,
    compare_shares,
    compare_with_plan,
)
from careloop.insight.stats.effect_sizes import cohens_h, eta_squared, hedges_g
from careloop.insight.stats.intervals import Moments
from careloop.insight.stats.multiplicity import correct_by_benjamini_hochberg, correct_by_holm

VALUES = [[4, 5, 3, 5, 2, 4, 5], [2, 3, 1, 4, 3], [5, 5, 4, 6, 5, 7, 4, 5]]
GROUPS = [Moments.of(one) for one in VALUES]


def test_analysis_of_variance():
    found = compare_means(GROUPS)  # scipy.stats.f_oneway; statsmodels anova_oneway
    assert (found.statistic, found.p) == (pytest.approx(8.351805728518059, abs=1e-10), pytest.approx(0.0029755420768133975, abs=1e-12))
    assert found.freedom == (2, 17)


def test_welchs_analysis_of_variance():
    found = compare_means_unequal(GROUPS)  # statsmodels anova_oneway(use_var="unequal")
    assert (found.statistic, found.p) == (pytest.approx(7.969152973503032, abs=1e-10), pytest.approx(0.008768674451466634, abs=1e-12))
    assert found.freedom == (2, pytest.approx(9.829727191891237, abs=1e-10))


def test_ranks():
    found = compare_ranks(VALUES)  # scipy.stats.kruskal
    assert (found.statistic, found.p) == (pytest.approx(9.657011323344388, abs=1e-10), pytest.approx(0.007998464752371285, abs=1e-12))
    assert compare_ranks([[3, 3], [3]]).p == 1.0


def test_shares_of_three_groups():
    found = compare_shares([(30, 40), (20, 40), (33, 50)])  # scipy.stats.chi2_contingency(correction=False)
    assert (found.statistic, found.p, found.freedom[0]) == (pytest.approx(5.578569597539092), pytest.approx(0.061465158155382345), 2)
    assert compare_shares([(3, 3), (4, 4)]).p == 1.0
    with pytest.raises(InputError, match="the smallest of 0"):
        compare_shares([(0, 0), (4, 4)])


def test_groups_as_large_as_planned():
    found = compare_with_plan([480, 520], [0.5, 0.5])  # scipy.stats.chisquare
    assert (found.statistic, found.p) == (pytest.approx(1.6), pytest.approx(0.20590321073206466))
    assert compare_with_plan([0, 0], [0.5, 0.5]).p == 1.0
    assert compare_with_plan([900, 50], [0.9, 0.1]).p < 1e-5
    with pytest.raises(InputError, match="do not fit together"):
        compare_with_plan([1], [1.0])


def test_all_pairs_by_tukey():
    found = compare_pairs(GROUPS, equal_scatter=True)  # statsmodels pairwise_tukeyhsd, second minus first
    assert [(one.first, one.second) for one in found] == [(0, 1), (0, 2), (1, 2)]
    assert [one.difference for one in found] == pytest.approx([1.4, -1.125, -2.525], abs=1e-12)
    assert [one.p for one in found] == pytest.approx([0.09981604756728213, 0.14245132041533604, 0.0021524212390456876], abs=1e-7)
    assert [one.low for one in found] == pytest.approx([-0.23232915768580953, -2.567788770660201, -4.114252187848649], abs=1e-7)
    assert [one.high for one in found] == pytest.approx([3.032329157685809, 0.31778877066020117, -0.9357478121513503], abs=1e-7)


def test_all_pairs_by_games_and_howell():
    found = compare_pairs(GROUPS)  # statsmodels pairwise_tukeyhsd(use_var="unequal")
    assert [one.p for one in found] == pytest.approx([0.14873631058234904, 0.1522260572654447, 0.009470770621700542], abs=1e-7)
    assert [one.low for one in found] == pytest.approx([-0.4800521090916754, -2.618725972465003, -4.307916578545025], abs=1e-7)


def test_effect_sizes_have_intervals():
    found = eta_squared(GROUPS)  # Poisson mixture of beta probabilities, summed; statsmodels confint_noncentrality to its 1e-5
    assert found.value == pytest.approx(2 * 8.351805728518059 / (2 * 8.351805728518059 + 17), abs=1e-12)
    assert (found.low, found.high) == (pytest.approx(0.09198760837838, abs=1e-9), pytest.approx(0.66796175437867, abs=1e-9))
    n, mean, sd = 10, 2.5 * math.sqrt(0.2), 1.0
    g = hedges_g(Moments(n, n * mean, (n - 1) * sd + n * mean**2), Moments(n, 0.0, (n - 1) * sd))
    assert g.value == pytest.approx(1.0707931159858148, abs=1e-12)  # statsmodels effectsize_smd
    assert (g.high - g.low) / 2 / 1.959963984540054 == pytest.approx(math.sqrt(0.23569731934130173), abs=1e-12)


def test_shares_apart_from_an_end_count_more():
    assert cohens_h((10, 10), (9, 10)).value > cohens_h((6, 10), (5, 10)).value
    assert cohens_h((10, 10), (0, 10)).value == pytest.approx(math.pi)
    with pytest.raises(InputError, match="share of nothing"):
        cohens_h((0, 0), (1, 2))


def test_the_same_value_everywhere_shows_no_difference():
    same = [Moments.of([3, 3, 3]), Moments.of([3, 3])]
    assert compare_means(same).p == 1.0
    assert compare_pairs(same)[0].p == 1.0
    assert eta_squared(same) == (0.0, 0.0, 1.0)
    assert hedges_g(*same) == (0.0, -math.inf, math.inf)
    assert compare_means([Moments.of([3, 3, 3]), Moments.of([4, 4])]).p == 0.0
    with pytest.raises(InputError, match="All values of one group are the same"):
        compare_means_unequal(same)


def test_too_little_to_compare_is_refused():
    with pytest.raises(InputError, match="1 groups, the smallest of 7"):
        compare_means(GROUPS[:1])
    with pytest.raises(InputError, match="2 groups, the smallest of 0"):
        compare_means([GROUPS[0], Moments(0, 0, 0)])
    with pytest.raises(InputError, match="Every group holds a single value"):
        compare_means([Moments.of([1]), Moments.of([2])])
    with pytest.raises(InputError, match="at least two groups of 2 or more"):
        compare_pairs([GROUPS[0], Moments.of([2])])


def test_many_questions_are_put_right():
    given_p = [0.01, 0.04, 0.03, 0.005, 0.5, 0.03]  # statsmodels multipletests, "holm" and "fdr_bh"
    assert correct_by_holm(given_p) == pytest.approx([0.05, 0.12, 0.12, 0.03, 0.5, 0.12], abs=1e-12)
    assert correct_by_benjamini_hochberg(given_p) == pytest.approx([0.03, 0.048, 0.045, 0.03, 0.5, 0.045], abs=1e-12)
    assert correct_by_holm([]).tolist() == []
    with pytest.raises(InputError, match="not within 0–1"):
        correct_by_holm([0.2, 1.2])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_correcting_never_makes_surer_and_keeps_the_order(values):
    for correct in (correct_by_holm, correct_by_benjamini_hochberg):
        found = correct(values)
        assert (found >= np.array(values) - 1e-15).all() and (found <= 1).all()
        assert (np.diff(found[np.argsort(values, kind="stable")]) >= 0).all()
    assert (correct_by_holm(values) >= correct_by_benjamini_hochberg(values) - 1e-12).all()


@given(st.integers(2, 4000), st.floats(-60, 60))
def test_an_effects_interval_holds_it(n, gap):
    one = Moments(n, 0.0, float(n - 1))
    other = Moments(n + 1, gap * (n + 1), float(n) + gap * gap * (n + 1))
    found = hedges_g(one, other)
    assert found.low <= found.value <= found.high
