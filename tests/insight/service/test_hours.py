"""Hours of the present day: bursts and silence told, restless days left in peace, limits as the law has them."""

from datetime import datetime, timedelta

import numpy as np
import pytest
from scipy.stats import nbinom, poisson

from careloop.insight.errors import InputError
from careloop.insight.service.hours import SPANS, Hours, Span, judge_hours
from tests.insight.service.quiet_hours import KINDS, count_false

MONDAY = datetime(2025, 1, 6)
N = 10 * 168


def flat(rate=10.0, seed=1, n=N):
    """As many cases in each hour; the last hour is the end of a Sunday."""
    starts = tuple(MONDAY + timedelta(hours=at) for at in range(n))
    return starts, np.random.default_rng(seed).poisson(rate, n) * 1.0


def alarms(hours):
    return [one.alarm for one in hours if one.alarm]


def judge(starts, values, **facts):
    return judge_hours(Hours(starts, values, **facts), judged=48, false_alarms=0.2)


def test_three_times_as_many_in_an_hour_are_told_with_that_hour():
    starts, values = flat()
    values[-20] = 40.0
    (burst,) = [one.alarm for one in judge(starts, values) if one.alarm and one.alarm.until == starts[-19]]
    assert (burst.since, burst.value, burst.is_up) == (starts[-20], 40.0, True)
    assert burst.value > burst.high > burst.expected > burst.low
    assert burst.expected == pytest.approx(10.0, rel=0.15)
    assert {one.since for one in alarms(judge(starts, values))} <= set(starts[-27:-19])


def test_a_burst_of_few_cases_is_told_by_the_hours_together():
    """One case an hour is usual: five in each of four hours are told, five in one are not."""
    starts, values = flat(rate=1.0)
    values[-10] = 5.0
    assert alarms(judge(starts, values)) == []
    values[-10:-6] = 5.0
    first = alarms(judge(starts, values))[0]
    assert (first.until - first.since, first.is_up) in [(timedelta(hours=4), True), (timedelta(hours=8), True)]


def test_silence_is_told_as_soon_as_chance_makes_as_little_too_seldom():
    starts, values = flat()
    values[-6:] = 0.0
    first = alarms(judge(starts, values))[0]
    assert (first.until, first.value, first.is_up) == (starts[-4], 0.0, False)
    assert first.until - first.since == timedelta(hours=2)


def test_quiet_hours_and_the_rhythm_of_the_week_stay_in_peace():
    starts, values = flat()
    rhythm = np.resize(KINDS[3].rhythm, N)
    assert alarms(judge(starts, values)) == []
    assert alarms(judge(starts, np.random.default_rng(3).poisson(rhythm) * 1.0)) == []


def test_limits_of_an_hour_are_quantiles_of_its_law():
    starts, values = flat(rate=400.0)
    values[:] = 400.0
    found = judge(starts, values)[-1].span
    chance = 0.2 / (91 * 24) / len(SPANS) / 2
    doubt = 1 / (sum(0.5 ** (week / 4) for week in np.arange(8) + np.mean([0, 1 / 7])) * 400 + 10)
    assert found.expected == pytest.approx(400.0, rel=1e-3)
    assert (found.low, found.high) == (
        pytest.approx(poisson.ppf(chance, 400), abs=12),
        pytest.approx(poisson.isf(chance, 400), abs=12),
    )
    law = nbinom(1 / doubt, 1 / (1 + doubt * 400))
    assert (found.low, found.high) == (pytest.approx(law.ppf(chance), abs=2), pytest.approx(law.isf(chance), abs=2))


def test_days_left_out_are_neither_judged_nor_learnt_from():
    starts, values = flat()
    odd = [(MONDAY + timedelta(days=day)).date() for day in (40, 68)]
    plain = judge(starts, values)
    for day in (40, 68):
        values[day * 24 : day * 24 + 24] *= 5
    hours = judge(starts, values, left_out=odd)
    assert len(hours) == 24
    assert {one.span.since.date() for one in hours} == {starts[-1].date()}
    assert alarms(hours) == []
    assert hours[-1].span.expected == pytest.approx(plain[-1].span.expected, rel=0.1)


def test_a_burst_of_the_past_widens_nothing():
    starts, values = flat()
    plain = judge(starts, values)[-1].span
    values[-500] = 90.0
    assert judge(starts, values)[-1].span.high == pytest.approx(plain.high, abs=2)


def test_too_short_a_past_is_not_judged_and_what_is_wrong_is_refused():
    starts, values = flat(n=4 * 168 + 71)
    assert judge(starts, values) == ()
    assert len(judge(*flat(n=4 * 168 + 73))) == 48
    assert judge(starts, np.zeros(len(starts))) == ()
    with pytest.raises(InputError, match="give one each"):
        judge(starts, values[1:])
    with pytest.raises(InputError, match="more than 0"):
        judge_hours(Hours(starts, values), judged=48, false_alarms=0)


def test_a_span_that_is_expected_to_be_larger_is_down():
    assert not Span(MONDAY, MONDAY, 1.0, 2.0, 0.0, 5.0).is_up


# 13,000 quiet weeks and delays: python -m tests.insight.service.quiet_hours
def test_quiet_weeks_alarm_no_oftener_than_promised():
    """In a year of a restless desk no more than chance leaves to a promise of one a quarter in 99 of 100 years."""
    assert count_false(KINDS[2], n_weeks=52).sum() <= poisson.ppf(0.99, 4)
