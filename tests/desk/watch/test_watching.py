"""Watched figures: charts from the facts, alarms once, told once, decided by people; the promise and what came of it."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from django.db import IntegrityError

from careloop.desk.audit.models import AuditEntry
from careloop.desk.jobs.models import Job
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.measures.series import OddDays, list_odd_days, read_series
from careloop.desk.notices.models import Notice
from careloop.desk.sla.models import Calendar
from careloop.desk.teamwork.models import Webhook, WebhookDelivery
from careloop.desk.watch import actions, queries
from careloop.desk.watch.mailing import mail_alarm
from careloop.desk.watch.models import Alarm, Explanation, Watched, WatchSetting
from careloop.desk.watch.tasks import explain_cases
from careloop.desk.watch.words import say
from tests.desk.watch.conftest import DAYS, TODAY

pytestmark = pytest.mark.django_db
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)


def watched(**facts):
    return Watched.objects.create(**{"measure": "opened", "period": "day", "since": TODAY - timedelta(days=1), **facts})


def surge(past, cast, now):
    """Three times as many cases yesterday as on other days, and the alarm of it."""
    past.write(factor=3.0)
    one = watched(team=cast.team)
    actions.judge_figures(now=now)
    return Alarm.objects.get(watched=one)


def test_the_series_is_what_the_facts_say_and_today_is_not_complete(past, cast, now):
    past.write()
    series = read_series("opened", "day", {}, TODAY)
    assert (len(series.starts), series.starts[-1]) == (DAYS, TODAY - timedelta(days=1))
    assert series.values.sum() == past.number
    weeks = read_series("satisfied", "week", {}, TODAY)
    assert weeks.starts[-1] == TODAY - timedelta(days=7)
    assert {day.weekday() for day in weeks.starts} == {0}
    assert (weeks.values <= weeks.totals).all()


def test_a_team_sees_its_own_cases_only(past, cast, now):
    past.write()
    past.write(team=cast.other_team, a_day=3.0, seed=2)
    whole, one, other = (
        read_series("opened", "day", chosen, TODAY).values.sum()
        for chosen in ({}, *({"team": team.pk} for team in (cast.team, cast.other_team)))
    )
    assert whole == one + other
    assert one > other > 0


def test_a_surge_opens_one_alarm_with_what_was_expected(past, cast, now):
    alarm = surge(past, cast, now)
    assert (alarm.start, alarm.end, alarm.is_up, alarm.state) == (TODAY - timedelta(days=1), TODAY - timedelta(days=1), True, "OPEN")
    assert alarm.value > alarm.high > alarm.expected > alarm.low
    assert alarm.n == alarm.value
    assert 9 < alarm.expected < 15


def test_judging_again_opens_nothing_and_tells_nobody_again(past, cast, now):
    surge(past, cast, now)
    notices = Notice.objects.count()
    assert actions.judge_figures(now=now + timedelta(hours=6)) == 0
    assert (Alarm.objects.count(), Notice.objects.count()) == (1, notices)


def test_quiet_days_alarm_nobody(past, cast, now):
    past.write()
    watched()
    assert actions.judge_figures(now=now) == 0
    chart = Watched.objects.get().chart
    assert (chart["has_enough"], len(chart["points"])) == (True, 91)
    assert Notice.objects.count() == 0


def test_the_same_change_goes_on_in_the_same_alarm(past, cast, now):
    past.write(factor=3.0, days=1)
    one = watched(team=cast.team, judged_until=TODAY - timedelta(days=2))
    before = Alarm.objects.create(
        watched=one, start=TODAY - timedelta(days=3), end=TODAY - timedelta(days=3), sign="single", is_up=True, value=40, expected=12,
        low=4, high=24, n=40, opened_at=now,
    )  # fmt: skip
    assert actions.judge_figures(now=now) == 0
    before.refresh_from_db()
    assert before.end == TODAY - timedelta(days=1)


def test_a_house_begins_with_five_figures_once_facts_are_counted(past, now):
    assert actions.judge_figures(now=now) == 0
    assert Watched.objects.count() == 0
    past.write()
    actions.judge_figures(now=now)
    assert set(Watched.objects.values_list("measure", flat=True)) == {measure for measure, _period in actions.FIRST_SET}
    Watched.objects.update(until=TODAY)
    actions.judge_figures(now=now)
    assert Watched.objects.filter(until=None).count() == 0


def test_values_are_rounded_in_words():
    assert [say("satisfied", 0.476), say("satisfied", 0.4749), say("opened", 12.0)] == ["48%", "47%", "12"]
    assert [say("first_response", seconds) for seconds in (61, 3599, 7200, 200_000)] == [
        "61 seconds",
        "60.0 minutes",
        "2.0 hours",
        "2.3 days",
    ]


def test_too_short_a_past_never_alarms(cast, past, now):
    past.write(history=40, factor=4.0)
    watched()
    actions.judge_figures(now=now)
    assert Alarm.objects.count() == 0
    assert Watched.objects.get().chart["has_enough"] is False


def test_who_steers_the_team_is_told_once_and_nobody_else(past, cast, now):
    alarm = surge(past, cast, now)
    told = Notice.objects.filter(key=f"alarm:{alarm.pk}")
    assert set(told.values_list("user_id", flat=True)) == {cast.owner.pk, cast.supervisor.pk, cast.analyst.pk}
    assert told[0].facts["alarm"] == alarm.pk
    assert "Cases opened · After-sales" in told[0].facts["text"]


def test_other_systems_are_told_without_text_and_customer(past, cast, now):
    facts = {"made_by_name": "Olga", "made_at": now, "secret": "x"}
    wants = Webhook.objects.create(url="https://erp.example/", events=["ALARM"], **facts)
    Webhook.objects.create(url="https://crm.example/", events=["OPENED"], **facts)
    Webhook.objects.create(url="https://other.example/", events=["ALARM"], team=cast.other_team, **facts)
    alarm = surge(past, cast, now)
    delivery = WebhookDelivery.objects.get()
    assert (delivery.webhook, delivery.kind, delivery.event_id) == (wants, "ALARM", None)
    assert delivery.said["alarm"] == alarm.pk
    assert (delivery.said["measure"], delivery.said["value"], delivery.said["team"]) == ("opened", alarm.value, "After-sales")
    assert delivery.said["url"].endswith(f"/alarms/{alarm.pk}/")


def test_the_house_is_told_by_mail_in_both_languages(past, cast, now):
    WatchSetting.objects.create(pk=1, mail_to="boss@desk.example, ops@desk.example")
    alarm = surge(past, cast, now)
    assert Job.objects.filter(task__endswith="mail_alarm").count() == 1
    mail_alarm.func(alarm.pk)
    (sent,) = mail.outbox
    assert sent.to == ["boss@desk.example", "ops@desk.example"]
    assert sent.extra_headers["Message-ID"] == f"<alarm-{alarm.pk}@careloop>"
    assert sent.body.count("After-sales") == 2
    assert sent.body.endswith(f"/alarms/{alarm.pk}/")


def test_an_alarm_is_taken_and_decided_with_a_reason(past, cast, now):
    alarm, viewer = surge(past, cast, now), cast.viewer(cast.supervisor)
    taken = actions.decide_alarm(alarm_id=alarm.pk, state="TAKEN", reason="", expected_version=1, viewer=viewer, now=now)
    assert (taken.assignee_id, taken.state, taken.decided_at) == (cast.supervisor.pk, "TAKEN", None)
    with pytest.raises(InvalidInput, match="in a few words"):
        actions.decide_alarm(alarm_id=alarm.pk, state="NOTHING", reason=" ", expected_version=2, viewer=viewer, now=now)
    decided = actions.decide_alarm(alarm_id=alarm.pk, state="NOTHING", reason="Day of  rest", expected_version=2, viewer=viewer, now=now)
    assert (decided.state, decided.reason, decided.decided_by_name, decided.version) == ("NOTHING", "Day of rest", "Sun", 3)
    assert AuditEntry.objects.filter(action="alarm.decide", object_id=alarm.pk).count() == 2


def test_what_was_expected_is_marked_and_nothing_is_learnt_from_it(client, past, cast, now):
    """Ten days of a sale: while they are learnt from, three times as many cases seem usual."""
    past.write(factor=3.0, days=30)
    one = watched(team=cast.team)
    actions.judge_figures(now=now)
    before = Watched.objects.get().chart["points"][-1]["expected"]
    facts = {"sign": "single", "is_up": True, "value": 40, "expected": 12, "low": 4, "high": 24, "n": 40, "opened_at": now}
    sale = Alarm.objects.create(watched=one, start=TODAY - timedelta(days=30), end=TODAY - timedelta(days=1), **facts)
    viewer = cast.viewer(cast.supervisor)
    actions.decide_alarm(alarm_id=sale.pk, state="EXPECTED", reason="Summer sale", expected_version=1, viewer=viewer, now=now)
    actions.judge_figures(now=now)
    after = Watched.objects.get().chart["points"][-1]["expected"]
    assert after == pytest.approx(12, rel=0.15)
    assert before > after * 1.2
    assert queries.page(viewer, today=TODAY).kept.measured.n == 0
    client.force_login(cast.supervisor)
    assert client.get(f"/watch/{one.pk}/").content.decode().count("It was expected: Summer sale") == 30


def test_a_decided_alarm_is_opened_again(client, past, cast, now):
    alarm, viewer = surge(past, cast, now), cast.viewer(cast.owner)
    actions.decide_alarm(alarm_id=alarm.pk, state="NOTHING", reason="Nothing", expected_version=1, viewer=viewer, now=now)
    client.force_login(cast.supervisor)
    page = client.get(f"/alarms/{alarm.pk}/").content.decode()
    assert ("Open the alarm again" in page, "There was something" in page) == (True, False)
    assert client.post(f"/alarms/{alarm.pk}/", {"state": "OPEN", "expected_version": "2"}).status_code == 302
    alarm.refresh_from_db()
    assert (alarm.state, alarm.reason, alarm.decided_at, alarm.decided_by_name, alarm.version) == ("OPEN", "", None, "", 3)
    assert AuditEntry.objects.filter(action="alarm.decide").order_by("pk").last().details["before"] == "NOTHING"


def test_make_up_days_are_known_from_the_calendar(db):
    """China's week of National Day 2025: closed from 1 to 8 October, worked on 28 September and 11 October."""
    assert list_odd_days(date(2025, 10, 20)) == OddDays(frozenset(), frozenset())
    Calendar.objects.create(name="Shop", zone="Asia/Shanghai", weekly=[[[540, 1080]]] * 5 + [[], []], country="CN", changed_at=NOON)
    found = list_odd_days(date(2025, 10, 20))
    assert {date(2025, 10, day) for day in range(1, 9)} <= found.closed
    assert {date(2025, 9, 28), date(2025, 10, 11)} <= found.made_up
    assert not found.closed & found.made_up


def test_of_two_who_decide_the_second_is_told(past, cast, now):
    alarm, viewer = surge(past, cast, now), cast.viewer(cast.owner)
    actions.decide_alarm(alarm_id=alarm.pk, state="REAL", reason="Strike", expected_version=1, viewer=viewer, now=now)
    with pytest.raises(Conflict):
        actions.decide_alarm(alarm_id=alarm.pk, state="NOTHING", reason="Nothing", expected_version=1, viewer=viewer, now=now)
    alarm.refresh_from_db()
    assert (alarm.state, alarm.reason) == ("REAL", "Strike")


def test_alarms_that_were_nothing_are_the_measured_rate(past, cast, now):
    alarm, viewer = surge(past, cast, now), cast.viewer(cast.owner)
    Watched.objects.update(since=TODAY - timedelta(days=365))
    before = queries.page(viewer, today=TODAY).kept
    assert (before.measured.value, before.undecided, before.promised) == (0.0, 1, 1.0)
    actions.decide_alarm(alarm_id=alarm.pk, state="NOTHING", reason="Nothing", expected_version=1, viewer=viewer, now=now)
    kept = queries.page(viewer, today=TODAY).kept
    assert kept.measured.value == pytest.approx(1 / (365 / 91.3125))
    assert kept.measured.low < kept.measured.value < kept.measured.high
    assert (kept.decided, kept.undecided) == (1, 0)


def test_who_does_not_see_the_team_sees_neither_figure_nor_alarm(past, cast, now):
    alarm = surge(past, cast, now)
    cast.outsider.role = "SUPERVISOR"
    rival = cast.viewer(cast.outsider)
    assert queries.page(rival, today=TODAY).open_alarms == []
    with pytest.raises(NotFound):
        actions.decide_alarm(alarm_id=alarm.pk, state="TAKEN", reason="", expected_version=1, viewer=rival, now=now)
    with pytest.raises(NotFound):
        actions.remove_watched(watched_id=alarm.watched_id, viewer=rival, now=now)
    with pytest.raises(NotAllowed):
        actions.decide_alarm(alarm_id=alarm.pk, state="TAKEN", reason="", expected_version=1, viewer=cast.viewer(cast.agent), now=now)
    alarm.refresh_from_db()
    assert (alarm.state, alarm.version, Watched.objects.filter(until=None).count()) == ("OPEN", 1, 1)


def test_figures_are_added_once_and_by_those_who_see_them(cast, now):
    supervisor, owner = cast.viewer(cast.supervisor), cast.viewer(cast.owner)
    new = actions.NewWatched("satisfied", "week", cast.team.pk)
    actions.add_watched(new=new, viewer=supervisor, now=now)
    with pytest.raises(InvalidInput, match="watched already"):
        actions.add_watched(new=new, viewer=supervisor, now=now)
    with pytest.raises(NotAllowed):
        actions.add_watched(new=actions.NewWatched("opened", "day"), viewer=supervisor, now=now)
    with pytest.raises(InvalidInput, match="no such team"):
        actions.add_watched(new=actions.NewWatched("opened", "day", cast.other_team.pk), viewer=supervisor, now=now)
    with pytest.raises(InvalidInput, match="cannot be watched"):
        actions.add_watched(new=actions.NewWatched("efficiency", "day"), viewer=owner, now=now)
    assert Watched.objects.count() == 1


def test_the_database_keeps_figures_apart(cast):
    watched(team=None)
    watched(team=cast.team)
    with pytest.raises(IntegrityError):
        watched(team=None)


def test_the_setting_is_changed_once_and_checked(cast, now):
    viewer = cast.viewer(cast.owner)
    changed = actions.change_setting(
        false_alarms=0.5, mail_to="a@x.example; b@x.example a@x.example", expected_version=1, viewer=viewer, now=now
    )
    assert (changed.false_alarms, changed.mail_to, changed.version) == (0.5, "a@x.example, b@x.example", 2)
    with pytest.raises(Conflict):
        actions.change_setting(false_alarms=2, mail_to="", expected_version=1, viewer=viewer, now=now)
    with pytest.raises(InvalidInput, match="“nobody” is no e-mail address"):
        actions.change_setting(false_alarms=2, mail_to="nobody", expected_version=2, viewer=viewer, now=now)
    with pytest.raises(InvalidInput, match=r"between 0\.1 and 12"):
        actions.change_setting(false_alarms=50, mail_to="", expected_version=2, viewer=viewer, now=now)
    assert WatchSetting.objects.get().false_alarms == 0.5


def test_the_pages_show_charts_alarms_and_cases(client, past, cast, now):
    alarm = surge(past, cast, now)
    client.force_login(cast.supervisor)
    page = client.get("/watch/")
    assert page.status_code == 200
    text = page.content.decode()
    assert "far above what was expected" in text
    assert text.count('<svg class="plot"') == 1
    figure = client.get(f"/watch/{alarm.watched_id}/").content.decode()
    assert figure.count("<tr>") == 92
    shown = client.get(f"/alarms/{alarm.pk}/").content.decode()
    assert "I look into it" in shown
    answer = client.post(f"/alarms/{alarm.pk}/", {"state": "NOTHING", "reason": "", "expected_version": "1"})
    assert answer.status_code == 422
    assert "in a few words" in answer.content.decode()
    answer = client.post(f"/alarms/{alarm.pk}/", {"state": "REAL", "reason": "Strike", "expected_version": "1"})
    assert (answer.status_code, Alarm.objects.get().state) == (302, "REAL")


def test_a_notice_leads_to_its_alarm(client, past, cast, now):
    alarm = surge(past, cast, now)
    client.force_login(cast.supervisor)
    notice = Notice.objects.get(user=cast.supervisor)
    assert client.post(f"/notices/{notice.pk}/")["Location"] == f"/alarms/{alarm.pk}/"


def test_an_alarm_stands_among_the_tasks_of_who_steers_until_somebody_has_it(client, past, cast, now):
    alarm = surge(past, cast, now)
    client.force_login(cast.supervisor)
    link = f"/alarms/{alarm.pk}/"
    assert link in client.get("/tasks/").content.decode()
    actions.decide_alarm(alarm_id=alarm.pk, state="TAKEN", reason="", expected_version=1, viewer=cast.viewer(cast.supervisor), now=now)
    assert link in client.get("/tasks/").content.decode()
    for person in (cast.owner, cast.agent, cast.outsider):
        client.force_login(person)
        assert link not in client.get("/tasks/").content.decode()


def test_explanations_come_after_the_first_counting_and_again_after_a_day(past, now):
    assert explain_cases.func() == 0
    past.write(days=2, history=2)
    assert explain_cases.func() == Explanation.objects.count() > 0
    assert explain_cases.func() == 0
    Explanation.objects.update(made_at=datetime.now(UTC) - timedelta(days=1, minutes=1))
    assert explain_cases.func() == Explanation.objects.count()
