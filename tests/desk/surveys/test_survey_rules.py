"""Quiet hours by a brute-force clock, samples, checked answers: plain arithmetic."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careloop.desk.surveys.rules.answers import read_answers, score_of, text_of
from careloop.desk.surveys.rules.choosing import Person, consent_in, is_in_sample, why_not
from careloop.desk.surveys.rules.questions import BEGINNINGS, Question, problems_of, question_of
from careloop.desk.surveys.rules.quiet import after_quiet, is_quiet, zone_of

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)
CHOICES = ({"code": "a", "en": "A", "zh": "甲"}, {"code": "b", "en": "B", "zh": "乙"})


@pytest.mark.parametrize(
    ("moment", "zone", "quiet", "expected"),
    [
        ("2026-05-04T06:00+00:00", SHANGHAI, (1200, 540), "2026-05-04T06:00+00:00"),
        ("2026-05-04T13:00+00:00", SHANGHAI, (1200, 540), "2026-05-05T01:00+00:00"),
        ("2026-05-04T05:30:20+00:00", SHANGHAI, (780, 840), "2026-05-04T06:00+00:00"),
        ("2026-05-04T13:00+00:00", SHANGHAI, (0, 0), "2026-05-04T13:00+00:00"),
        # Berlin, 29 March 2026: 02:00 becomes 03:00, so a quiet time until 02:30 ends at 03:00
        ("2026-03-28T22:00+00:00", BERLIN, (1320, 150), "2026-03-29T01:00+00:00"),
        ("2026-03-28T22:00+00:00", BERLIN, (1320, 480), "2026-03-29T06:00+00:00"),
        # Berlin, 25 October 2026: 03:00 becomes 02:00; 02:40 the first time is past 02:30, 02:10 the second time is not
        ("2026-10-25T00:40+00:00", BERLIN, (1320, 150), "2026-10-25T00:40+00:00"),
        ("2026-10-25T01:10+00:00", BERLIN, (1320, 150), "2026-10-25T01:30+00:00"),
        ("2026-10-24T21:00+00:00", BERLIN, (1320, 480), "2026-10-25T07:00+00:00"),
    ],
)
def test_quiet_hours_end_when_the_clock_on_the_wall_says_so(moment, zone, quiet, expected):
    assert after_quiet(datetime.fromisoformat(moment), zone, *quiet) == datetime.fromisoformat(expected)


@settings(max_examples=60, deadline=None)
@given(
    st.datetimes(datetime(2026, 3, 27), datetime(2026, 3, 31)) | st.datetimes(datetime(2026, 10, 23), datetime(2026, 10, 27)),
    st.integers(0, 95), st.integers(0, 95),
)  # fmt: skip
def test_what_is_moved_is_never_quiet_never_early_and_never_later_than_needed(moment, quiet_from, quiet_until):
    moment = moment.replace(tzinfo=UTC)
    quiet = (quiet_from * 15, quiet_until * 15)
    found = after_quiet(moment, BERLIN, *quiet)
    assert found >= moment and not is_quiet(found, BERLIN, *quiet)
    minute = moment
    while minute < found:
        assert is_quiet(minute, BERLIN, *quiet)
        minute += timedelta(minutes=1)


@pytest.mark.parametrize("name", ["", None, 7, "Nowhere/Else", "../etc/passwd", "/etc/passwd"])
def test_a_zone_that_is_none_is_the_houses(name):
    assert zone_of(name, SHANGHAI) is SHANGHAI


def test_the_sample_is_the_same_each_time_and_has_its_size():
    chosen = [is_in_sample(3, case, 0.25) for case in range(10_000)]
    assert chosen == [is_in_sample(3, case, 0.25) for case in range(10_000)]
    assert sum(chosen) == 2442
    assert all(is_in_sample(3, case, 1.0) for case in range(1_000)) and not any(is_in_sample(3, case, 0.0) for case in range(1_000))


def test_who_is_in_a_small_sample_is_in_the_larger_one():
    assert all(is_in_sample(1, case, 0.5) for case in range(1_000) if is_in_sample(1, case, 0.1))


@pytest.mark.parametrize(("days", "reason"), [(29.9, "TOO_SOON"), (30, ""), (-5, "TOO_SOON")])
def test_the_pause_is_counted_from_the_last_time_even_if_that_lies_ahead(days, reason):
    person = Person(True, True, False, None, NOW - timedelta(days=days))
    assert why_not(person, pause_days=30, needs_consent=False, now=NOW) == reason


@pytest.mark.parametrize(
    ("attributes", "said"),
    [({}, None), ({"consent": "no"}, False), ({"consent": False}, False), ({"consent": "不同意"}, False), ({"consent": " Yes"}, True),
     ({"consent": {"surveys": False, "mail": True}}, False), ({"consent": {"mail": True}}, None), ({"consent": "perhaps"}, None)],
)  # fmt: skip
def test_consent_in_a_record_from_elsewhere_is_understood_or_left_open(attributes, said):
    assert consent_in(attributes) is said


@pytest.mark.parametrize("kind", ["CSAT", "NPS", "CES", "FORM"])
def test_what_a_kind_begins_with_is_in_order_and_survives_its_json(kind):
    assert problems_of(kind, BEGINNINGS[kind]) == []
    assert [question_of(one.to_json()) for one in BEGINNINGS[kind]] == list(BEGINNINGS[kind])


QUESTIONS = [
    Question("score", "SCALE", {"en": "S", "zh": "分"}, True, 0, 10), Question("pick", "CHOICE", {"en": "P", "zh": "选"}, choices=CHOICES),
    Question("again", "YES_NO", {"en": "A", "zh": "再"}), Question("why", "TEXT", {"en": "W", "zh": "因"}),
]  # fmt: skip


def test_answers_of_all_kinds_are_read():
    read = read_answers(QUESTIONS, {"score": "0", "pick": "b", "again": "no", "why": " 好\r\n的 ", "other": "x"})
    assert (read.answers, read.problems) == ({"score": 0, "pick": "b", "again": False, "why": "好\n的"}, {})
    assert score_of(QUESTIONS, read.answers) == (0, 0, 10)
    assert text_of(QUESTIONS, read.answers) == "好\n的"


@pytest.mark.parametrize(
    ("given", "wrong"),
    [({}, {"score"}), ({"score": "11"}, {"score"}), ({"score": True}, {"score"}), ({"score": "5", "pick": "c"}, {"pick"}),
     ({"score": "5", "again": "maybe"}, {"again"}), ({"score": 5, "why": ["x"]}, {"why"}), ({"score": 5, "why": "x" * 2_001}, {"why"})],
)  # fmt: skip
def test_what_does_not_fit_is_told_by_question(given, wrong):
    assert set(read_answers(QUESTIONS, given).problems) == wrong


def test_a_click_needs_its_score_and_nothing_else():
    must = [QUESTIONS[0], Question("why", "TEXT", {"en": "W", "zh": "因"}, True)]
    assert read_answers(must, {"score": "5"}, is_click=True).problems == {}
    assert set(read_answers(must, {"score": "5"}).problems) == {"why"}
    assert set(read_answers(must, {}, is_click=True).problems) == {"score"}


def test_nothing_at_all_is_no_answer():
    assert set(read_answers([QUESTIONS[3]], {}).problems) == {"form"}
