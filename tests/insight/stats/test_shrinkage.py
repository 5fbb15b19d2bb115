"""Figures of small groups drawn towards the whole, and the limits of chance around it."""

import numpy as np
import pytest
from scipy.special import betaln

from careloop.insight.errors import InputError
from careloop.insight.stats.intervals import Moments
from careloop.insight.stats.shrinkage import funnel_of_means, funnel_of_shares, shrink_means, shrink_shares
from tests.insight.stats.coverage_count import GROUPED, count_grouped_coverage

# Rubin 1981, eight schools, as in Gelman et al. 2013, table 5.2: estimated effects and standard errors
EFFECTS = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
ERRORS = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])


def test_eight_schools_are_those_of_the_textbook():
    sizes = np.round(1e7 / ERRORS**2).astype(int)
    drawn = shrink_means([Moments(int(n), n * y, (n - 1) * 1e7 + n * y * y) for n, y in zip(sizes, EFFECTS, strict=True)])
    # by summing over a grid of 1401 means and 600 spreads; the textbook's table 5.3 has medians 10, 8, 7, 8, 5, 6, 10, 8
    assert drawn.values.round(2).tolist() == [11.40, 7.89, 6.13, 7.64, 5.13, 6.14, 10.67, 8.46]
    half = (drawn.highs - drawn.lows) / 2 / 1.959963984540054
    assert half == pytest.approx([8.34, 6.27, 7.77, 6.55, 6.36, 6.71, 6.79, 7.89], abs=0.02)
    assert (drawn.whole, drawn.between) == (pytest.approx(7.93, abs=0.01), pytest.approx(6.58, abs=0.03))


def test_shares_equal_the_slow_sum_over_all_spreads_and_wholes():
    won, tried = np.array([1, 80, 45, 3, 20]), np.array([1, 100, 50, 9, 31])
    whole, root = np.linspace(0.001, 0.999, 499)[:, None, None], ((np.arange(100) + 0.5) / 100 * 0.6)[None, :, None]
    prior = 1 / root**2 - 1
    log = (betaln(prior * whole + won, prior * (1 - whole) + tried - won) - betaln(prior * whole, prior * (1 - whole))).sum(axis=-1)
    chances = (np.exp(log - log.max()) * root[..., 0])[..., None]
    slow = (chances * (prior * whole + won) / (prior + tried)).sum(axis=(0, 1)) / chances.sum()
    drawn = shrink_shares(won, tried)
    assert drawn.values == pytest.approx(slow, abs=1e-3)
    assert ((drawn.lows < slow) & (slow < drawn.highs)).all()


def test_the_smaller_the_group_the_more_it_is_drawn():
    drawn = shrink_shares([1, 10, 100, 60, 300, 70], [1, 10, 100, 100, 400, 100])
    assert drawn.values[0] < drawn.values[1] < drawn.values[2] < 1
    assert drawn.own_ratios[0] < drawn.own_ratios[1] < drawn.own_ratios[2]
    means = shrink_means([Moments.of([5]), Moments.of([5] * 20 + [4, 5]), Moments.of([3, 4, 2, 3, 4, 2, 3])], bounds=(1, 5))
    assert means.values[0] < means.values[1] and (means.highs <= 5).all()


def test_a_group_without_values_gets_what_one_may_expect_of_a_group():
    drawn = shrink_shares([30, 40, 0, 22], [50, 50, 0, 40])
    assert (drawn.own_ratios[2], drawn.values[2]) == (0.0, pytest.approx(drawn.whole))
    assert drawn.highs[2] - drawn.lows[2] > drawn.highs[0] - drawn.lows[0]
    means = shrink_means([Moments.of([1, 2, 3]), Moments(0, 0, 0), Moments.of([2, 4])])
    assert (means.own_ratios[1], means.values[1]) == (0.0, pytest.approx(means.whole))


def test_the_same_score_everywhere_leaves_the_interval_open():
    drawn = shrink_means([Moments.of([5, 5, 5]), Moments.of([4])], bounds=(1, 5))
    assert (drawn.values.tolist(), drawn.lows.tolist(), drawn.highs.tolist()) == ([5.0, 4.0], [1.0, 1.0], [5.0, 5.0])
    everyone = shrink_shares([20, 5], [20, 5])
    assert (everyone.values > 0.9).all() and (everyone.lows < 0.91).all() and (everyone.highs > everyone.values).all()


def test_nonsense_is_refused():
    with pytest.raises(InputError, match="0 ≤ successes ≤ trials"):
        shrink_shares([2], [1])
    with pytest.raises(InputError, match="at least one trial"):
        shrink_shares([0], [0])
    with pytest.raises(InputError, match="No group holds a value"):
        shrink_means([])


@pytest.mark.parametrize("name", sorted(GROUPED))
def test_drawn_intervals_cover_over_all_groups(name):
    assert 0.93 <= count_grouped_coverage(name, draws=60, seed=3) <= 0.97


def test_funnel_limits_hold_the_promised_share():
    sizes = np.array([1, 5, 20, 100, 1000])
    for confidence in (0.95, 0.998):
        lows, highs = funnel_of_shares(0.8, sizes, confidence=confidence)
        assert ((lows >= 0) & (lows < 0.8) & (highs > 0.8) & (highs <= 1)).all()
        rng = np.random.default_rng(3)
        found = rng.binomial(1000, 0.8, 20_000) / 1000
        assert ((found < lows[-1]) | (found > highs[-1])).mean() == pytest.approx(1 - confidence, abs=0.004)
    assert (np.diff(funnel_of_shares(0.8, sizes)[1] - funnel_of_shares(0.8, sizes)[0]) < 0).all()
    assert [float(end[0]) for end in funnel_of_shares(0.0, [10])] == [0.0, 0.0]


def test_funnel_of_averages():
    whole = Moments.of([1, 2, 3, 4, 5])
    lows, highs = funnel_of_means(whole, [1, 100])
    assert lows == pytest.approx([3 - 1.959963984540054 * np.sqrt(2.5), 3 - 0.1959963984540054 * np.sqrt(2.5)])
    assert highs == pytest.approx(6 - lows)
    with pytest.raises(InputError, match="at least two values"):
        funnel_of_means(Moments.of([1]), [1])
    with pytest.raises(InputError, match="at least one trial"):
        funnel_of_shares(0.5, [0])
