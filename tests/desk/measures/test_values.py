"""From sums to values with intervals: known numbers, and what cannot be told."""

from datetime import date
from fractions import Fraction

import pytest

from careloop.desk.measures.queries import median_of
from careloop.desk.measures.rules.definitions import MEASURES
from careloop.desk.measures.rules.following import Happened, follow
from careloop.desk.measures.rules.values import NOTHING, Figure, Sums, figure_of, fold_day, list_days, period_before


def test_nothing_one_and_everybody_the_same():
    assert figure_of(MEASURES["satisfaction"], Sums()) == NOTHING
    one = figure_of(MEASURES["satisfaction"], Sums(1, 400, 160_000))
    assert (one.value, one.low, one.high, one.n) == (4.0, None, None, 1)
    same = figure_of(MEASURES["satisfaction"], Sums(50, 50 * 500, 50 * 250_000))
    assert (same.value, round(same.low, 4), same.high) == (5.0, 4.7146, 5.0)  # none of 50 differs: up to 7.1 % may (Wilson)
    nobody = figure_of(MEASURES["satisfied"], Sums())
    assert (nobody.value, nobody.low, nobody.high, nobody.n) == (None, None, None, 0)


def test_a_mean_has_students_interval():
    """1, 2, 3, 4, 5 on the scale: s = 1.5811, t(4) = 2.7764, half = 1.9632."""
    found = figure_of(MEASURES["satisfaction"], Sums(5, 1500, 550_000))
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (3.0, 1.0368, 4.9632)


def test_a_share_has_wilsons_interval():
    found = figure_of(MEASURES["satisfied"], Sums(10, 8))
    assert (found.value, round(found.low, 4), round(found.high, 4)) == (0.8, 0.4902, 0.9433)


def test_a_rate_has_byars_interval():
    """18 events: 10.66 to 28.45 by Byar's formula."""
    found = figure_of(MEASURES["efficiency"], Sums(18, 9 * 3600))
    assert (found.value, round(found.low * 9, 2), round(found.high * 9, 2)) == (2.0, 10.66, 28.45)
    assert figure_of(MEASURES["efficiency"], Sums(3, 0)).value is None
    assert figure_of(MEASURES["efficiency"], Sums(0, 3600)).low == 0.0


def test_recommendation_stays_within_its_range():
    found = figure_of(MEASURES["recommendation"], Sums(3, 300, 30_000))
    assert (found.value, round(found.low, 2), found.high) == (100.0, -12.3, 100.0)  # three alike do not tell that all are


def test_sums_do_not_lose_digits():
    many = Sums(3, 10**17 + 1, 0) + Sums(1, 1, 0)
    assert Fraction(many.total, many.n) == Fraction(10**17 + 2, 4)


def test_a_median_counts_what_is_not_over_yet():
    assert median_of([], []) == NOTHING
    assert median_of([10, 20, 30], [True, True, False]).value == 20.0
    open_ones = median_of([10, 500, 600], [True, False, False])
    assert open_ones == Figure(None, 10.0, None, 3)


@pytest.mark.parametrize(("unit", "first"), [("day", date(2026, 3, 29)), ("week", date(2026, 3, 23)), ("month", date(2026, 3, 1))])
def test_days_fold_into_weeks_from_monday_and_months(unit, first):
    assert fold_day(date(2026, 3, 29).toordinal(), unit) == first.toordinal()


def test_every_month_between_two_days_is_listed_once():
    days = list_days(date(2025, 12, 31).toordinal(), date(2026, 3, 1).toordinal(), "month")
    assert [date.fromordinal(day).isoformat() for day in days] == ["2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01"]


def test_the_period_before_has_the_same_length():
    assert period_before(date(2026, 5, 1), date(2026, 5, 7)) == (date(2026, 4, 24), date(2026, 4, 30))


def test_a_case_that_comes_back_twice_was_reopened_twice():
    steps = [("OPENED", 0, "OPEN"), ("REPLIED", 60, "RESOLVED"), ("RECEIVED", 100, "OPEN"), ("REPLIED", 160, "WAITING")]
    steps += [("STATUS", 400, "RESOLVED"), ("STATUS", 500, "OPEN"), ("RECEIVED", 600, "OPEN")]
    found = follow([Happened(kind, second, kind == "REPLIED", status) for kind, second, status in steps])
    assert (found.messages_in, found.replies, found.reopened, found.customer_seconds) == (3, 2, 2, 240)


def test_a_clock_that_runs_backwards_takes_no_time_away():
    steps = [("OPENED", 100, "OPEN"), ("REPLIED", 500, "WAITING"), ("RECEIVED", 300, "OPEN")]
    assert follow([Happened(kind, second, True, status) for kind, second, status in steps]).customer_seconds == 0
