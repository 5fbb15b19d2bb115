"""The present day: hours are judged once they are over and counted, a burst is told at once and once, with its hours and its cases."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.core import mail
from django.utils import translation

from careloop.desk.measures.hours import last_full_hour, read_hours
from careloop.desk.measures.models import CaseFact, Facets, Ledger
from careloop.desk.notices.models import Notice
from careloop.desk.teamwork.models import Webhook, WebhookDelivery
from careloop.desk.watch import actions, queries
from careloop.desk.watch.hours import look_at_hours
from careloop.desk.watch.mailing import mail_alarm
from careloop.desk.watch.models import Alarm, Watched, WatchSetting
from careloop.desk.watch.words import sentence_of

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
TODAY = NOON.date()
NOW = NOON + timedelta(minutes=7)


class Hourly:
    """Writes facts of cases, six in each hour of ten weeks up to noon, and counts them until seven minutes past."""

    def __init__(self, cast):
        self.cast, self.number = cast, 0
        self.facets = {team.pk: Facets.objects.create(team_id=team.pk, channel_id=cast.channel.pk) for team in (cast.team, cast.other_team)}

    def write(self, counts, *, until=NOON, team=None):
        """The last count is of the hour that ends at `until`."""
        cases = []
        for back, count in enumerate(reversed(counts)):
            opened = until - timedelta(hours=back + 1)
            for place in range(int(count)):
                self.number += 1
                cases.append(
                    CaseFact(
                        case_id=100_000 + self.number, facets=self.facets[(team or self.cast.team).pk], known_from=NOW,
                        opened_on=opened.date().toordinal(), opened_second=int(opened.timestamp()) + place,
                    )
                )  # fmt: skip
        CaseFact.objects.bulk_create(cases)
        Ledger.objects.update_or_create(pk=1, defaults={"shown_at": NOW})

    def usual(self, *, weeks=10, last=()):
        self.write([*np.random.default_rng(1).poisson(6.0, weeks * 168 - len(last)), *last])


@pytest.fixture
def hourly(cast, settings):
    settings.TIME_ZONE = "UTC"
    return Hourly(cast)


def watched(**facts):
    return Watched.objects.create(**{"measure": "opened", "period": "day", "since": TODAY - timedelta(days=5), **facts})


def test_hours_are_those_of_the_facts_up_to_the_last_full_one(hourly, cast):
    hourly.write([3, 0, 5])
    hourly.write([1, 1, 1], team=cast.other_team)
    hours = read_hours({"team": cast.team.pk}, last_full_hour(NOW))
    assert list(hours.values[-4:]) == [0, 3, 0, 5]
    assert (hours.starts[-1], len(hours.starts)) == (NOON - timedelta(hours=1), 48 + 24 + 8 * 168)
    assert list(read_hours({}, NOON).values[-3:]) == [4, 1, 6]
    assert read_hours({}, NOON - timedelta(hours=1)).values[-1] == 1


def test_hours_are_of_the_week_in_the_zone_of_the_house(hourly, settings):
    settings.TIME_ZONE = "Asia/Shanghai"
    hourly.write([7])
    hours = read_hours({}, last_full_hour(NOW))
    assert (hours.starts[-1].hour, hours.starts[-1].weekday(), hours.values[-1]) == (19, 0, 7)


def test_a_zone_with_half_hours_has_full_hours_of_its_own(hourly, settings):
    settings.TIME_ZONE = "Asia/Kolkata"
    until = last_full_hour(NOON + timedelta(minutes=40))
    assert until == NOON + timedelta(minutes=30)
    assert {one.minute for one in read_hours({}, until).starts} == {0}


def test_a_burst_is_told_within_the_hour_with_one_statement_over_the_facts(hourly, cast, django_assert_max_num_queries):
    hourly.usual(last=[30])
    one = watched()
    with django_assert_max_num_queries(60):
        assert look_at_hours(now=NOW) == 1
    alarm = Alarm.objects.get(watched=one)
    assert (alarm.start, alarm.end, alarm.sign, alarm.is_up, alarm.state) == (TODAY, TODAY, "single", True, "OPEN")
    assert (alarm.value, alarm.n) == (30.0, 30)
    assert alarm.high < 30
    assert 4 < alarm.expected < 8
    span = queries.find_span(alarm)
    assert (span["since"], span["until"]) == (NOON - timedelta(hours=1), NOON)
    assert Notice.objects.filter(key=f"alarm:{alarm.pk}").exists()


def test_a_burst_is_told_although_a_lasting_change_waits_for_a_decision(hourly):
    hourly.usual(last=[45])
    one = watched()
    facts = {"is_up": True, "value": 30, "expected": 20, "low": 9, "high": 35, "n": 30, "opened_at": NOW - timedelta(days=2)}
    days = {"start": TODAY - timedelta(days=3), "end": TODAY - timedelta(days=2)}
    lasting = Alarm.objects.create(watched=one, sign="lasting", **days, **facts)
    assert look_at_hours(now=NOW) == 1
    burst = Alarm.objects.exclude(pk=lasting.pk).get()
    assert (burst.sign, burst.start, burst.value) == ("single", TODAY, 45)
    lasting.refresh_from_db()
    assert lasting.end == days["end"]


def test_looking_again_reads_nothing_and_tells_nobody_again(hourly, django_assert_num_queries):
    hourly.usual(last=[30])
    watched()
    look_at_hours(now=NOW)
    notices = Notice.objects.count()
    with django_assert_num_queries(2):
        assert look_at_hours(now=NOW + timedelta(minutes=5)) == 0
    Ledger.objects.update(shown_at=NOW + timedelta(hours=1))
    assert look_at_hours(now=NOW + timedelta(hours=1)) == 0
    assert (Alarm.objects.count(), Notice.objects.count()) == (1, notices)


def test_an_hour_is_judged_once_its_cases_are_counted(hourly):
    hourly.usual(last=[30])
    one = watched()
    Ledger.objects.update(shown_at=NOON - timedelta(minutes=1))
    assert look_at_hours(now=NOW) == 0
    one.refresh_from_db()
    assert datetime.fromisoformat(one.chart["hours"]["until"]) == NOON - timedelta(hours=1)
    Ledger.objects.update(shown_at=NOW)
    assert look_at_hours(now=NOW) == 1


def test_quiet_hours_alarm_nobody(hourly):
    hourly.usual()
    one = watched()
    assert look_at_hours(now=NOW) == 0
    one.refresh_from_db()
    assert len(one.chart["hours"]["points"]) == 48
    assert (Alarm.objects.count(), Notice.objects.count()) == (0, 0)


def test_before_counting_with_too_short_a_past_and_for_other_figures_nothing_is_told(hourly):
    watched()
    assert look_at_hours(now=NOW) == 0
    Watched.objects.all().delete()
    hourly.usual(weeks=4, last=[40])
    short, other, weekly = watched(), watched(measure="negative"), watched(period="week")
    assert look_at_hours(now=NOW) == 0
    for one in (short, other, weekly):
        one.refresh_from_db()
    assert short.chart["hours"]["points"] == []
    assert (other.chart, weekly.chart, Alarm.objects.count()) == ({}, {}, 0)


def test_a_clock_that_ran_ahead_and_back_tells_nothing_twice(hourly):
    hourly.usual(last=[30, 6, 6])
    one = watched()
    assert look_at_hours(now=NOW) == 1
    for back in (2, 1, 0):
        assert look_at_hours(now=NOW - timedelta(hours=back)) == 0
    one.refresh_from_db()
    assert datetime.fromisoformat(one.chart["hours"]["until"]) == NOON
    assert Alarm.objects.count() == 1


def test_a_changed_zone_tells_nothing_twice(hourly, settings):
    hourly.usual(last=[30])
    watched()
    assert look_at_hours(now=NOW) == 1
    settings.TIME_ZONE = "Asia/Tokyo"
    assert look_at_hours(now=NOW) == 0
    assert Alarm.objects.count() == 1


def test_the_figure_of_a_team_that_was_deleted_is_no_longer_looked_at(hourly, cast):
    hourly.usual(last=[30])
    one = watched(team=cast.other_team)
    Watched.objects.filter(pk=one.pk).delete()
    assert look_at_hours(now=NOW) == 0
    one = watched(team=cast.team, until=TODAY)
    assert look_at_hours(now=NOW) == 0
    one.refresh_from_db()
    assert one.chart == {}


def test_what_was_decided_on_its_day_is_not_told_again_when_the_day_is_over(hourly, cast):
    hourly.usual(last=[30])
    watched(since=TODAY)
    look_at_hours(now=NOW)
    alarm, viewer = Alarm.objects.get(), cast.viewer(cast.owner)
    actions.decide_alarm(alarm_id=alarm.pk, state="REAL", reason="Mailing", expected_version=1, viewer=viewer, now=NOW)
    hourly.write([30] * 11, until=NOON + timedelta(hours=12))
    later = NOW + timedelta(hours=14)
    Ledger.objects.update(shown_at=later)
    actions.judge_figures(now=later)
    assert list(Alarm.objects.filter(start=TODAY, watched__measure="opened").values_list("pk", "state")) == [(alarm.pk, "REAL")]
    held = Watched.objects.get(pk=alarm.watched_id)
    assert held.chart["points"][-1]["alarm"]
    assert queries.find_span(Alarm.objects.get(pk=alarm.pk))["until"] == NOON


def test_hours_count_as_a_figure_of_their_own_in_the_promise(db):
    assert queries.share_of_promise() == 1.0
    watched()
    assert queries.share_of_promise() == 0.5
    Watched.objects.create(measure="negative", period="day", since=TODAY)
    Watched.objects.create(measure="opened", period="week", since=TODAY)
    WatchSetting.objects.create(pk=1, false_alarms=2.0)
    assert queries.share_of_promise() == 0.5


def test_mail_notice_and_webhook_say_the_hours(hourly, cast):
    WatchSetting.objects.create(pk=1, mail_to="boss@desk.example")
    Webhook.objects.create(url="https://erp.example/", events=["ALARM"], made_by_name="Olga", made_at=NOW, secret="x")
    hourly.usual(last=[30])
    watched(team=cast.team)
    look_at_hours(now=NOW)
    alarm = Alarm.objects.get()
    with translation.override("en"):
        text = sentence_of(alarm)
    assert text.startswith("Cases opened · After-sales: 30 from 11:00 to 12:00 on 4 May 2026; between ")
    assert WebhookDelivery.objects.get().said["hours"] == {"since": "2026-05-04T11:00:00+00:00", "until": "2026-05-04T12:00:00+00:00"}
    mail_alarm.func(alarm.pk)
    assert text in mail.outbox[0].body


def test_the_pages_show_the_hours_of_figure_and_alarm(client, hourly, cast):
    hourly.usual(last=[30])
    one = watched(team=cast.team)
    look_at_hours(now=NOW)
    client.force_login(cast.supervisor)
    figure = client.get(f"/watch/{one.pk}/").content.decode()
    assert (figure.count("<tr>"), figure.count("alarmed")) == (49, 2)
    assert "11:00–12:00" in client.get(f"/alarms/{Alarm.objects.get().pk}/").content.decode()
