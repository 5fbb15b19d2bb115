"""Pauses, due times and arguments, without a database."""

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from careloop.desk.jobs.rules import (
    ERROR_CHARACTERS,
    GiveUp,
    NotJson,
    RetryPolicy,
    error_class_path,
    error_text,
    next_run,
    policy_of,
    retries,
    to_json,
)

NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


def test_pauses_grow_threefold_from_five_seconds_to_one_hour():
    policy = RetryPolicy()
    assert [policy.longest_pause_after(attempt) for attempt in range(1, 9)] == [5, 15, 45, 135, 405, 1215, 3600, 3600]
    assert policy.max_attempts == 8


def test_pause_is_drawn_from_zero_to_its_bound_by_the_given_source():
    policy = RetryPolicy()
    assert policy.pause_after(3, Random(7)) == Random(7).uniform(0, 45)
    drawn = [policy.pause_after(2, source) for source in [Random(1)] for _ in range(2_000)]
    assert 0 <= min(drawn) < 0.5
    assert 14.5 < max(drawn) <= 15


def test_errors_that_no_attempt_can_mend_are_final():
    policy = RetryPolicy(never_retry=(KeyError,))
    assert [policy.is_final(error) for error in (GiveUp(""), KeyError(""), ValueError(""))] == [True, True, False]


def test_a_function_keeps_its_policy_and_others_have_the_default():
    policy = RetryPolicy(max_attempts=1)

    @retries(policy)
    def work():
        return 5

    assert (policy_of(work), policy_of(print), work()) == (policy, RetryPolicy(), 5)


@pytest.mark.parametrize("value", [None, True, 0, -1.5, "退款 😀", [1, [2, {}]], {"a": {"b": None}}])
def test_json_values_pass_unchanged(value):
    assert to_json(value, "x") == value


def test_tuples_become_lists():
    assert to_json((1, (2, 3)), "x") == [1, [2, 3]]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (date(2026, 5, 4), "x is a datetime.date; a job's arguments must be"),
        (b"raw", "x is a builtins.bytes;"),
        ({1, 2}, "x is a builtins.set;"),
        ([0, {"a": object()}], "x[1]['a'] is a builtins.object;"),
        ({1: 2}, "x has the key 1; JSON knows text as keys only."),
        (float("nan"), "x is nan; JSON knows finite numbers only."),
        (["\0"], "x[0] holds a NUL character"),
        ("\ud800", "x holds a NUL character or half a surrogate pair"),
    ],
)
def test_other_values_are_refused_with_their_place(value, sentence):
    with pytest.raises(NotJson) as refusal:
        to_json(value, "x")
    assert str(refusal.value).startswith(sentence)


def test_error_text_begins_with_the_class_and_keeps_the_end_of_the_traceback():
    def sink(depth):
        if depth:
            sink(depth - 1)
        raise ValueError("退款 \0 failed")

    try:
        sink(200)
    except ValueError as error:
        text = error_text(error)
    assert text.startswith("builtins.ValueError: 退款 � failed\n\n")
    assert text.endswith("ValueError: 退款 � failed")
    assert len(text) <= ERROR_CHARACTERS
    assert error_class_path(text) == "builtins.ValueError"


def test_error_text_of_a_huge_message_stays_small():
    assert len(error_text(ValueError("x" * 100_000))) == ERROR_CHARACTERS // 4


def due_after(minutes: float, **rhythm) -> datetime:
    return next_run(NOON, NOON + timedelta(minutes=minutes), **{"every_seconds": None, "daily_at": None, "zone": UTC, **rhythm})


def test_an_interval_keeps_its_grid_and_skips_what_was_missed():
    assert due_after(0, every_seconds=600) == NOON + timedelta(minutes=10)
    assert due_after(9.9, every_seconds=600) == NOON + timedelta(minutes=10)
    assert due_after(10, every_seconds=600) == NOON + timedelta(minutes=20)
    assert due_after(65, every_seconds=600) == NOON + timedelta(minutes=70)
    assert due_after(-5, every_seconds=600) == NOON


def test_a_daily_time_is_the_clock_on_the_wall():
    shanghai, berlin = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
    assert due_after(0, daily_at=time(20, 0), zone=shanghai) == NOON + timedelta(days=1)  # 20:00 there is now
    assert due_after(0, daily_at=time(20, 1), zone=shanghai) == NOON + timedelta(minutes=1)
    before_change = datetime(2026, 3, 28, 3, 0, tzinfo=UTC)  # the night of summer time: 23 hours
    after = next_run(before_change, before_change, every_seconds=None, daily_at=time(4, 0), zone=berlin)
    assert after == datetime(2026, 3, 29, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize("rhythm", [{}, {"every_seconds": 5, "daily_at": time(1)}, {"every_seconds": 0}])
def test_a_schedule_needs_one_rhythm(rhythm):
    with pytest.raises(ValueError, match="every_seconds is"):
        due_after(0, **rhythm)
