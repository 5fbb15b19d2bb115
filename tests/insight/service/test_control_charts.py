"""Watched series: limits as published, changes told, quiet times left in peace, and what cannot be judged."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from scipy.stats import binom, nbinom, norm, poisson

from careloop.insight.errors import InputError
from careloop.insight.service.baselines import Baseline, Past
from careloop.insight.service.control_charts import Series, draw_chart, draw_charts
from careloop.insight.service.run_lengths import Limits, find_limits, measure_run_length
from careloop.insight.service.steps import steps_of_counts, steps_of_shares
from tests.insight.service.quiet_weeks import KINDS, WEEKDAYS, count_false, measure_delay

FIRST = date(2025, 1, 6)
DAYS = tuple(FIRST + timedelta(days=place) for place in range(200))


def counts(values=None, *, name="volume", seed=2):
    rng = np.random.default_rng(seed)
    found = rng.poisson(30 * np.resize(WEEKDAYS, 200)) * 1.0 if values is None else np.asarray(values, dtype=np.float64)
    return Series(name, "count", DAYS[: len(found)], found, np.ones(len(found)))


@pytest.mark.parametrize(("weight", "width"), [(0.1, 2.814), (0.25, 2.998), (0.5, 3.071)])
def test_run_lengths_are_those_of_lucas_and_saccucci(weight, width):
    """Their table 3: widths for a run length of 500 without a limit for single periods."""
    lasting = width * (weight / (2 - weight)) ** 0.5
    assert measure_run_length(Limits(20.0, lasting), smoothing=weight) == pytest.approx(500, rel=0.02)


def test_a_limit_for_single_periods_alone_is_shewharts():
    assert measure_run_length(Limits(3.0, 50.0)) == pytest.approx(1 / (2 * norm.sf(3)), rel=0.01)  # 370.4


def test_limits_keep_the_promise_and_seldomer_alarms_stand_further_apart():
    near, far = find_limits(91.0), find_limits(455.0)
    assert measure_run_length(near) == pytest.approx(91, rel=1e-3)
    assert measure_run_length(far) == pytest.approx(455, rel=1e-3)
    assert near.single < far.single
    assert near.lasting < far.lasting
    with pytest.raises(InputError, match="cannot be promised"):
        find_limits(1.0)


def test_a_day_far_off_is_told_on_that_day():
    series = counts()
    values = series.values.copy()
    values[180] *= 3
    chart = draw_chart(counts(values), false_alarms=0.2)
    assert [(point.start, point.alarm) for point in chart.alarms] == [(DAYS[180], "single")]
    point = chart.points[180]
    assert point.value > point.high > point.expected > point.low
    assert point.deviation > chart.limits.single


def test_a_lasting_change_is_told_though_no_day_is_far_off():
    values = counts().values.copy()
    values[170:] = np.round(values[170:] * 1.2)
    chart = draw_chart(counts(values), false_alarms=0.2)
    first = next(point for point in chart.alarms if point.alarm == "lasting")
    assert DAYS[170] < first.start <= DAYS[190]
    assert first.mean_deviation > 0
    assert abs(first.deviation) < chart.limits.single


def test_weekdays_are_expected():
    chart = draw_chart(counts(), false_alarms=0.2)
    monday, sunday = chart.points[182], chart.points[188]
    assert (monday.start.weekday(), sunday.start.weekday()) == (0, 6)
    assert monday.expected == pytest.approx(30 * 1.25, rel=0.1)
    assert sunday.expected == pytest.approx(30 * 0.3, rel=0.2)
    assert chart.alarms == ()


def test_days_that_are_always_empty_stay_quiet_and_a_case_on_one_is_odd():
    closed = np.where(np.arange(200) % 7 >= 5, 0.0, counts().values)
    assert draw_chart(counts(closed), false_alarms=0.2).alarms == ()
    closed[194] = 12.0
    assert [point.start for point in draw_chart(counts(closed), false_alarms=0.2).alarms] == [DAYS[194]]


def test_holidays_are_judged_once_three_are_known():
    values = counts().values.copy()
    holidays = [DAYS[place] for place in (30, 66, 100, 150, 190)]
    for one in holidays:
        values[DAYS.index(one)] = np.round(values[DAYS.index(one)] * 0.3)
    chart = draw_chart(counts(values), holidays=holidays, false_alarms=0.2)
    assert [chart.points[DAYS.index(one)].expected is None for one in holidays] == [True, True, True, False, False]
    assert chart.points[190].expected < 0.6 * chart.points[183].expected
    assert chart.alarms == ()


def test_too_short_a_past_is_told_and_never_alarms():
    chart = draw_chart(counts(counts().values[:40]))
    assert not chart.has_enough
    assert {point.expected for point in chart.points} == {None}
    assert draw_chart(counts([])).points == ()


def test_a_day_without_cases_has_no_share_and_no_time():
    totals = np.where(np.arange(200) % 7 == 6, 0.0, 20.0)
    satisfied = np.minimum(np.random.default_rng(1).binomial(20, 0.8, 200), totals)
    chart = draw_chart(Series("satisfied", "share", DAYS, satisfied * 1.0, totals), false_alarms=0.2)
    assert chart.points[195].value is None
    assert chart.points[195].deviation is None
    assert (chart.points[194].value, chart.points[194].n) == (satisfied[194] / 20, 20)
    assert chart.alarms == ()


def test_everyone_always_content_is_quiet_and_the_first_unhappy_day_is_told():
    satisfied, totals = np.full(200, 20.0), np.full(200, 20.0)
    assert draw_chart(Series("satisfied", "share", DAYS, satisfied, totals)).alarms == ()
    satisfied[196] = 12.0
    assert [point.start for point in draw_chart(Series("satisfied", "share", DAYS, satisfied, totals)).alarms] == [DAYS[196]]


def test_times_are_judged_by_their_logarithms():
    rng = np.random.default_rng(3)
    medians = np.array([np.median(rng.lognormal(8.0, 1.0, 30)) for _ in range(200)])
    chart = draw_chart(Series("first response", "time", DAYS, medians, np.full(200, 30.0)), false_alarms=0.2)
    point = chart.points[-1]
    assert point.expected == pytest.approx(np.exp(8.0), rel=0.1)
    assert point.high / point.expected == pytest.approx(point.expected / point.low)
    doubled = medians.copy()
    doubled[195] *= 3
    told = draw_chart(Series("first response", "time", DAYS, doubled, np.full(200, 30.0)), false_alarms=0.2, judged=30).alarms
    assert [one.start for one in told] == [DAYS[195]]


def test_limits_of_counts_are_quantiles_of_the_negative_binomial():
    past = Past(np.ones((1, 1)), np.array([40.0]), np.ones(1))
    baseline = Baseline("count", np.log([40.0]), np.zeros((1, 1)), (0.05, 0.0), 1e9, 0.0)
    low, high = baseline.bound(past, 2.0)
    law = nbinom(20, 1 / 3)
    assert (low[0], high[0]) == (law.ppf(norm.cdf(-2)), law.ppf(norm.cdf(2)))
    assert baseline.deviate(past)[0] == pytest.approx(norm.ppf(law.cdf(39) + law.pmf(40) / 2), abs=1e-6)


def test_several_series_share_one_promise():
    series = [counts(name=str(seed), seed=seed) for seed in range(5)]
    charts = draw_charts(series, false_alarms=1.0, judged=7)
    assert [chart.false_alarms_a_quarter for chart in charts] == [0.2] * 5
    assert charts[0] == draw_chart(series[0], false_alarms=0.2, judged=7)
    assert charts[0].limits == find_limits(455.0)


def test_judging_the_last_day_alone_gives_the_same_limits():
    whole, last = draw_chart(counts()), draw_chart(counts(), judged=1)
    assert last.points[-1].low == whole.points[-1].low
    assert last.points[0].expected is None


def test_impossible_series_are_refused():
    with pytest.raises(InputError, match="not 1 days apart"):
        draw_chart(Series("gap", "count", (DAYS[0], DAYS[2]), np.ones(2), np.ones(2)))
    with pytest.raises(InputError, match="the value 3 on 2025-01-06"):
        draw_chart(Series("share", "share", DAYS[:1], np.array([3.0]), np.ones(1)))
    with pytest.raises(InputError, match="give one of each"):
        draw_chart(Series("short", "count", DAYS[:2], np.ones(1), np.ones(1)))


# 10,000 quiet weeks and more changes: python -m tests.insight.service.quiet_weeks
def test_quiet_weeks_alarm_no_oftener_than_promised():
    """Over a year no more than a promise of one a quarter leaves to chance in 99 of 100 years."""
    for kind in (KINDS[1], KINDS[6]):
        assert 4 * count_false(kind, n_weeks=52) <= poisson.ppf(0.99, 4)


def test_limits_of_small_numbers_use_what_their_steps_leave():
    whole, half = find_limits(91.0), find_limits(91.0, used=0.5)
    assert half.single == whole.single
    assert half.lasting < whole.lasting
    assert measure_run_length(Limits(norm.isf(0.5 * norm.sf(whole.single)), half.lasting)) == pytest.approx(91, rel=1e-3)
    with pytest.raises(InputError, match="of their part of the promise"):
        find_limits(91.0, used=3.0)


def test_steps_of_shares_and_counts_are_those_of_their_laws():
    """Eight rated cases, four of five satisfied: all satisfied is no surprise, so only half of the limits can be hit."""
    law = binom(8, 0.8)
    middles = norm.ppf(law.cdf(np.arange(9)) - law.pmf(np.arange(9)) / 2)
    shares = steps_of_shares(np.array([8.0]), np.array([0.8]), np.zeros(1), 2.0)
    mean = law.pmf(np.arange(9)) @ middles
    assert (shares.mean[0], shares.sd[0]) == (pytest.approx(mean), pytest.approx((law.pmf(np.arange(9)) @ middles**2 - mean**2) ** 0.5))
    assert shares.used[0] == pytest.approx(law.pmf(np.arange(9))[np.abs(middles) > 2].sum() / (2 * norm.sf(2.0)))
    counts = steps_of_counts(np.array([3.0, 1000.0]), np.array([0.1, 0.1]), 2.0)
    pmf = nbinom(10, 1 / 1.3).pmf(np.arange(80))
    middles = norm.ppf(nbinom(10, 1 / 1.3).cdf(np.arange(80)) - pmf / 2)
    assert counts.mean[0] == pytest.approx(pmf[pmf > 1e-12] @ middles[pmf > 1e-12], abs=1e-6)
    assert (counts.mean[1], counts.sd[1], counts.used[1]) == (0.0, 1.0, 1.0)


def test_the_weighted_mean_of_known_independent_deviations_is_no_wider():
    past = Past(np.ones((50, 1)), np.full(50, 40.0), np.ones(50))
    shares = 0.1 * 0.9 ** np.arange(50)[::-1]
    sure = Baseline("count", np.log([40.0]), np.zeros((1, 1)), (0.05, 0.0), 1e9, 0.0)
    assert sure.spread_of_mean(past, shares) == pytest.approx((shares**2).sum())
    doubted = replace(sure, covariance=np.full((1, 1), 0.075))  # as large as the chance of a period: 1/40 + 0.05
    assert doubted.spread_of_mean(past, shares) == pytest.approx((shares**2).sum() / 2 + shares.sum() ** 2 / 2)
    waves = replace(sure, correlation=0.4)
    assert waves.spread_of_mean(past, shares) == pytest.approx((shares**2).sum() * 1.36 / 0.64)


def test_a_make_up_day_is_expected_as_a_day_of_work():
    """A Saturday worked for a holiday brings as many cases as other working days, and nobody is told."""
    values = counts().values.copy()
    values[194] = 31.0
    saturday, week = DAYS[194], range(189, 194)
    assert saturday in [point.start for point in draw_chart(counts(values)).alarms]
    chart = draw_chart(counts(values), made_up=[saturday])
    assert saturday not in [point.start for point in chart.alarms]
    assert chart.points[194].expected == pytest.approx(np.prod([chart.points[place].expected for place in week]) ** 0.2)


def test_nothing_is_learnt_from_periods_left_out():
    values = counts().values.copy()
    values[100:130] *= 3
    plain = draw_chart(counts(values), judged=7)
    told = draw_chart(counts(values), left_out=DAYS[100:130], judged=7)
    untouched = draw_chart(counts(), left_out=DAYS[100:130], judged=7)
    assert told.points[-1] == untouched.points[-1]
    assert plain.points[-1].expected > told.points[-1].expected * 1.1


def test_a_change_by_half_is_told_within_two_weeks():
    days, share = measure_delay(KINDS[1], 1.5, n_quarters=3)
    assert (days <= 14, share) == (True, 1.0)
