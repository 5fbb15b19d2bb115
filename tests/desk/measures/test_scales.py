"""Scales of charts: round values that hold what is drawn."""

from careloop.desk.reports.rules.scales import measure_ticks, nice_ticks

HOUR, DAY = 3_600.0, 86_400.0


def test_spans_stand_at_whole_minutes_hours_and_days_from_zero():
    assert measure_ticks("first_response", 700.0, 11.6 * HOUR) == [0.0, 4 * HOUR, 8 * HOUR, 12 * HOUR]
    assert measure_ticks("first_response", 5.0, 40.0) == [0.0, 60.0]
    assert measure_ticks("resolution", 0.0, 9.0 * DAY) == [0.0, 2 * DAY, 4 * DAY, 6 * DAY, 8 * DAY, 10 * DAY]


def test_a_scale_without_any_span_has_two_ends():
    assert measure_ticks("first_response", 0.0, 0.0) == [0.0, 60.0]


def test_shares_end_at_one():
    assert measure_ticks("satisfied", 0.05, 1.0) == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_counts_are_whole_and_from_zero():
    assert measure_ticks("opened", 20.0, 50.0) == [0.0, 20.0, 40.0, 60.0]
    assert measure_ticks("opened", 0.0, 0.0) == [0.0, 1.0]


def test_other_values_are_round_around_what_is_drawn():
    assert nice_ticks(-1.3, 1.2) == [-2.0, -1.0, 0.0, 1.0, 2.0]
