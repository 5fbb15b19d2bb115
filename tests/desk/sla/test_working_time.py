"""Deadlines against a minute-by-minute count that shares no code with them."""

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.sla.rules.clocks import (
    CANCELLED,
    MET,
    PAUSED,
    REOPENED,
    RESUMED,
    RETARGETED,
    STARTED,
    ImpossibleHistory,
    Tick,
    replay,
)
from careloop.desk.sla.rules.holiday_years import find_holidays
from careloop.desk.sla.rules.hours import check_hours, read_intervals, show_intervals
from careloop.desk.sla.rules.working_time import WorkingCalendar
from tests.desk.sla.minute_count import prove

NINE_TO_SIX = [[(540, 720), (780, 1080)]] * 5 + [[], []]


def calendar(zone="Asia/Shanghai", weekly=NINE_TO_SIX, days=None, country="", confirmed=()):
    return WorkingCalendar(check_hours(zone, weekly, days), lambda year: find_holidays(country, "", year), frozenset(confirmed))


def at(zone, *parts):
    return datetime(*parts, tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize("seed", range(4))
def test_random_calendars_zones_pauses_and_targets_equal_a_minute_by_minute_count(seed):
    assert prove(random.Random(seed), 250) == 250


def test_a_target_of_four_hours_crosses_the_lunch_break_and_the_night():
    shop = calendar()
    due = shop.add(at("Asia/Shanghai", 2026, 11, 20, 16, 30), 4 * 3600)
    assert due.at == at("Asia/Shanghai", 2026, 11, 23, 11, 30)
    assert not due.is_provisional


def test_make_up_saturday_counts_and_the_spring_festival_does_not():
    shop = calendar(country="CN")
    # State Council notice for 2026: 15–23 February off, Saturday 14 February and Saturday 28 February worked.
    due = shop.add(at("Asia/Shanghai", 2026, 2, 13, 17, 0), 9 * 3600 + 3600)
    assert due.at == at("Asia/Shanghai", 2026, 2, 24, 10, 0)
    assert shop.measure(at("Asia/Shanghai", 2026, 2, 14), at("Asia/Shanghai", 2026, 2, 15)) == 8 * 3600
    assert shop.measure(at("Asia/Shanghai", 2026, 2, 15), at("Asia/Shanghai", 2026, 2, 24)) == 0


def test_a_year_that_is_not_announced_makes_a_deadline_provisional_until_somebody_confirms_it():
    start = at("Asia/Shanghai", 2026, 12, 31, 17, 0)
    assert calendar(country="CN").add(start, 2 * 3600).is_provisional
    assert not calendar(country="CN", confirmed=[2027]).add(start, 2 * 3600).is_provisional
    assert not calendar(country="CN").add(at("Asia/Shanghai", 2026, 12, 30, 17, 0), 2 * 3600).is_provisional
    assert not calendar(country="DE").add(start, 2 * 3600).is_provisional


def test_a_year_that_begins_in_the_zone_before_it_does_in_utc_is_already_not_announced():
    assert calendar(country="CN").is_provisional(datetime(2026, 12, 31, 15, tzinfo=UTC), datetime(2026, 12, 31, 17, tzinfo=UTC))


@pytest.mark.parametrize("year", range(2007, 2027))
def test_both_sources_of_chinese_holidays_agree(year):
    found = find_holidays("CN", "", year)
    assert (found.is_published, found.disputed) == (True, ())


def test_the_hour_that_daylight_saving_skips_or_repeats():
    night = calendar("Europe/Berlin", [[(0, 1440)]] * 7)
    assert night.measure(at("Europe/Berlin", 2026, 3, 29), at("Europe/Berlin", 2026, 3, 30)) == 23 * 3600
    assert night.measure(at("Europe/Berlin", 2026, 10, 25), at("Europe/Berlin", 2026, 10, 26)) == 25 * 3600
    early = calendar("Europe/Berlin", [[(120, 180)]] * 7)
    assert early.measure(at("Europe/Berlin", 2026, 3, 29), at("Europe/Berlin", 2026, 3, 30)) == 0
    assert early.measure(at("Europe/Berlin", 2026, 10, 25), at("Europe/Berlin", 2026, 10, 26)) == 2 * 3600


def test_a_holiday_never_shortens_a_deadline():
    rng = random.Random(7)
    plain = calendar()
    for _ in range(300):
        start = at("Asia/Shanghai", 2026, 3, 1) + timedelta(minutes=rng.randrange(60 * 24 * 60))
        closed = {date(2026, 3, 1) + timedelta(days=rng.randrange(90)): [] for _ in range(5)}
        seconds = rng.randrange(60, 60 * 3600)
        assert calendar(days=closed).add(start, seconds).at >= plain.add(start, seconds).at


def test_pauses_add_up():
    shop, start = {1: calendar()}, at("Asia/Shanghai", 2026, 11, 16, 9, 0)
    hour = timedelta(hours=1)
    events = [Tick(STARTED, start, 6 * 3600, 1)]
    plain = replay(events, shop)
    assert plain.due_at == start + 7 * hour  # with the lunch break
    events += [Tick(PAUSED, start + hour), Tick(RESUMED, start + 2 * hour)]
    events += [Tick(PAUSED, start + 5 * hour), Tick(RESUMED, start + 6 * hour)]
    assert replay(events, shop).due_at == start + 9 * hour
    assert replay(events, shop).elapsed_seconds == 3 * 3600


def test_a_clock_through_its_life():
    shop, start = {1: calendar(), 2: calendar("UTC", [[(0, 1440)]] * 7)}, at("Asia/Shanghai", 2026, 11, 16, 9, 0)
    hour = timedelta(hours=1)
    events = [Tick(STARTED, start, 3600, 1), Tick(PAUSED, start + hour / 2)]
    paused = replay(events, shop)
    assert (paused.state, paused.due_at, paused.elapsed_seconds, paused.is_late) == ("PAUSED", None, 1800, False)
    events += [Tick(RESUMED, start + hour), Tick(MET, start + 2 * hour)]
    met = replay(events, shop)
    assert (met.state, met.due_at, met.elapsed_seconds, met.is_late) == ("MET", start + 1.5 * hour, 5400, True)
    events += [Tick(REOPENED, start + 3 * hour), Tick(RETARGETED, start + 3 * hour, 4 * 3600, 2)]
    again = replay(events, shop)
    assert (again.state, again.due_at, again.is_late) == ("RUNNING", start + 5.5 * hour, False)
    gone = replay([*events, Tick(CANCELLED, start + 4 * hour)], shop)
    assert (gone.state, gone.due_at, gone.elapsed_seconds, gone.is_late) == ("CANCELLED", None, 5400 + 3600, False)


def test_a_clock_that_runs_beyond_its_target_keeps_its_deadline():
    start = at("Asia/Shanghai", 2026, 11, 16, 9, 0)
    events = [
        Tick(STARTED, start, 3600, 1),
        Tick(PAUSED, start + timedelta(hours=2)),
        Tick(RESUMED, start + timedelta(hours=7)),
    ]
    late = replay(events, {1: calendar()})
    assert (late.state, late.due_at, late.elapsed_seconds) == ("RUNNING", start + timedelta(hours=1), 7200)


@pytest.mark.parametrize(
    ("kinds", "sentence"),
    [
        ([], "without events"),
        ([PAUSED], "PAUSED cannot follow while the clock is not started"),
        ([STARTED, RESUMED], "RESUMED cannot follow"),
    ],
)
def test_impossible_histories_are_refused(kinds, sentence):
    start = at("UTC", 2026, 1, 5)
    with pytest.raises(ImpossibleHistory, match=sentence):
        replay([Tick(kind, start, 60, 1) for kind in kinds], {1: calendar()})


def test_a_history_that_goes_back_in_time_is_refused():
    start = at("UTC", 2026, 1, 5)
    with pytest.raises(ImpossibleHistory, match="lies before"):
        replay([Tick(STARTED, start, 60, 1), Tick(MET, start - timedelta(seconds=1))], {1: calendar()})


def test_a_change_of_zone_moves_the_deadline():
    start = datetime(2026, 11, 16, 8, tzinfo=UTC)
    assert calendar("Europe/London").add(start, 3600).at == datetime(2026, 11, 16, 10, tzinfo=UTC)
    assert calendar("Asia/Shanghai").add(start, 3600).at == datetime(2026, 11, 16, 9, tzinfo=UTC)


def test_a_ten_year_old_case_and_a_far_deadline_are_counted():
    shop = calendar()
    assert shop.measure(at("Asia/Shanghai", 2016, 11, 21), at("Asia/Shanghai", 2026, 11, 21)) == 2610 * 8 * 3600
    assert shop.add(at("Asia/Shanghai", 2026, 11, 23, 9, 0), 1000 * 8 * 3600).at == at("Asia/Shanghai", 2030, 9, 20, 18, 0)


@pytest.mark.parametrize(
    ("zone", "weekly", "sentence"),
    [
        ("Mars/Olympus", NINE_TO_SIX, "no time zone “Mars/Olympus”"),
        ("UTC", [[]] * 7, "has no working time"),
        ("UTC", [[(540, 720), (700, 800)], *[[]] * 6], "Monday: what ends at 12:00 overlaps 11:40–13:20"),
        ("UTC", [[(600, 600)], *[[]] * 6], "10:00–10:00 is no interval"),
        ("UTC", NINE_TO_SIX[:3], "3 weekdays were given"),
    ],
)
def test_calendars_that_make_no_sense_are_refused(zone, weekly, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        check_hours(zone, weekly)


@pytest.mark.parametrize("seconds", [0, -60])
def test_a_target_of_nothing_is_refused(seconds):
    with pytest.raises(InvalidInput, match="a target is more than 0"):
        calendar().add(datetime(2026, 1, 1, tzinfo=UTC), seconds)


def test_a_target_that_no_year_holds_is_refused():
    with pytest.raises(InvalidInput, match="Nothing is due within 32 years"):
        calendar(weekly=[[(0, 1)], *[[]] * 6]).add(datetime(2026, 1, 1, tzinfo=UTC), 10**6)


def test_intervals_are_read_as_people_write_them():
    assert read_intervals("9:00-12:00，13:00–18:00", "Monday") == ((540, 720), (780, 1080))
    assert read_intervals(" ", "Monday") == ()
    assert show_intervals(((540, 720), (1080, 1440))) == "09:00–12:00, 18:00–24:00"
    with pytest.raises(InvalidInput, match="write 22:00-24:00 here and 00:00-06:00 on the next day"):
        read_intervals("22:00-6:00", "Monday")
    with pytest.raises(InvalidInput, match="“9-12” is no interval"):
        read_intervals("9-12", "Monday")
