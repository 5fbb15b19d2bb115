"""Reports by mail: each period once whatever the clock does, each person with their own figures, failures seen, nothing sent twice."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.core import mail as outbox
from hypothesis import given, settings
from hypothesis import strategies as st

from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.measures.actions import refresh
from careloop.desk.reports.actions import DashboardFacts, save_dashboard
from careloop.desk.reports.mail_sending import note_due, prepare_again, prepare_now, send
from careloop.desk.reports.mailings import MailingFacts, leave_mailing, list_mailings, remove_mailing, save_mailing, switch_mailing
from careloop.desk.reports.models import MailedReport, Mailing
from careloop.desk.reports.rules.rhythms import CAUGHT_UP, due_periods
from careloop.desk.reports.rules.tiles import Tile

BERLIN, SHANGHAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")


def moments(rhythm, hour, since, now, zone=BERLIN):
    return [(one.first, one.last, one.due_at) for one in due_periods(rhythm, hour, since, now, zone)]


def test_periods_are_due_on_the_day_after_them():
    since = datetime(2026, 5, 1, tzinfo=UTC)
    at = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)  # Monday, 8:00 in Berlin
    assert moments("week", 8, since, at) == [(date(2026, 4, 27), date(2026, 5, 3), at)]
    assert moments("week", 8, since, at - timedelta(seconds=1)) == []
    assert moments("week", 8, at, at) == []
    assert moments("month", 8, datetime(2026, 4, 2, tzinfo=UTC), at)[0][:2] == (date(2026, 4, 1), date(2026, 4, 30))
    assert [one[0] for one in moments("day", 8, since, at)] == [date(2026, 5, 1), date(2026, 5, 2), date(2026, 5, 3)]


def test_nights_that_lose_or_repeat_an_hour():
    lost = moments("day", 2, datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC))
    assert lost == [(date(2026, 3, 28), date(2026, 3, 28), datetime(2026, 3, 29, 1, 0, tzinfo=UTC))]
    twice = moments("day", 2, datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert twice == [(date(2026, 10, 24), date(2026, 10, 24), datetime(2026, 10, 25, 0, 0, tzinfo=UTC))]


@settings(max_examples=60, deadline=None)
@given(
    rhythm=st.sampled_from(["day", "week", "month"]),
    hour=st.integers(0, 23),
    zone=st.sampled_from([BERLIN, SHANGHAI, ZoneInfo("America/Sao_Paulo"), ZoneInfo("Pacific/Apia")]),
    start=st.datetimes(datetime(2011, 12, 20), datetime(2027, 12, 1)),
    steps=st.lists(st.integers(1, 60 * 60), min_size=20, max_size=120),
)
def test_each_period_comes_once_and_none_is_left_out(rhythm, hour, zone, start, steps):
    since = now = start.replace(tzinfo=UTC)
    seen, times = {}, 0
    for minutes in steps:  # at most two and a half days between two looks: fewer than what is caught up
        now += timedelta(minutes=minutes)
        for one in due_periods(rhythm, hour, since, now, zone):
            assert since < one.due_at <= now
            times += one.first not in seen
            seen[one.first] = one
    in_order = sorted(seen.values(), key=lambda one: one.first)
    assert len({one.due_at for one in in_order}) == len(in_order) == times
    for one, following in pairwise(in_order):
        assert following.first == one.last + timedelta(days=1)
        assert following.due_at > one.due_at
    days = (now - since).days
    assert len(in_order) >= {"day": days - 1, "week": days // 7 - 1, "month": days // 31 - 1}[rhythm]


def test_what_was_missed_for_long_is_not_all_mailed_afterwards():
    found = moments("day", 8, datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 5, 4, 12, tzinfo=UTC))
    assert (len(found), found[-1][0]) == (CAUGHT_UP, date(2026, 5, 3))


@pytest.fixture
def counted(life):
    played = life(21)
    played.play(60)
    refresh(now=played.now)
    return played


@pytest.fixture
def made(cast, now):
    def make(*people, report="overview", dashboard_id=None, by=None, rhythm="day", **which):
        facts = MailingFacts(
            "" if dashboard_id else report, dashboard_id, "?period=90&kind=REFUND&by=team", rhythm, 8, [one.pk for one in people]
        )
        return save_mailing(facts=facts, viewer=cast.viewer(by or cast.owner), now=now, **which)

    return make


def test_each_person_gets_one_mail_in_their_language_with_their_own_figures(cast, counted, made):
    cast.supervisor.language = "zh-hans"
    cast.supervisor.save()
    mailing = made(cast.owner, cast.supervisor)
    assert mailing.query == "kind=REFUND&by=team"
    later = mailing.since + timedelta(days=1)
    new = note_due(now=later)
    assert (len(new), note_due(now=later), note_due(now=later + timedelta(hours=1))) == (2, [], [])
    assert [send(mail_id=number, now=later) for number in new + new] == [True, True, False, False]
    owners, supervisors = sorted(outbox.outbox, key=lambda one: one.to[0])
    assert (owners.to, supervisors.to) == (["olga@desk.example"], ["sun@desk.example"])
    assert "Overview" in owners.subject
    assert "总览" in supervisors.subject
    names = [name for name, _body, _kind in owners.attachments]
    assert names == ["overview-2026-05-03.pdf", "overview-2026-05-03.csv"]
    groups = [{line.split(",")[2] for line in one.attachments[1][1].splitlines()[1:]} - {""} for one in (owners, supervisors)]
    assert groups[1] <= {"After-sales"}
    assert {one.state for one in MailedReport.objects.all()} == {"SENT"}


def test_a_failure_is_kept_and_tried_again_and_a_cut_off_mail_is_not_sent_twice(cast, counted, made, monkeypatch):
    mailing = made(cast.owner)
    later = mailing.since + timedelta(days=1)
    (number,) = note_due(now=later)

    def refuse(_message):
        raise ConnectionRefusedError("no mail server")

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.EmailMessage.send", refuse)
        with pytest.raises(ConnectionRefusedError):
            send(mail_id=number, now=later)
    assert MailedReport.objects.get().error == "ConnectionRefusedError: no mail server"
    assert send(mail_id=number, now=later) is True
    with monkeypatch.context() as patched:  # the process ends while the mail is handed over
        patched.setattr("django.core.mail.EmailMessage.send", lambda _message: (_ for _ in ()).throw(KeyboardInterrupt))
        MailedReport.objects.update(state="WAITING")
        with pytest.raises(KeyboardInterrupt):
            send(mail_id=number, now=later)
    assert send(mail_id=number, now=later) is False
    assert (len(outbox.outbox), MailedReport.objects.get().state) == (1, "SENDING")
    viewer = cast.viewer(cast.owner)
    with pytest.raises(Conflict):
        prepare_again(mail_id=number, viewer=viewer, now=later)
    with pytest.raises(NotFound):
        prepare_again(mail_id=number, viewer=cast.viewer(cast.supervisor), now=later + timedelta(hours=1))
    prepare_again(mail_id=number, viewer=viewer, now=later + timedelta(hours=1))
    assert send(mail_id=number, now=later) is True


def test_who_lost_the_right_or_left_the_house_gets_nothing(cast, counted, made):
    later = made(cast.supervisor, cast.analyst).since + timedelta(days=1)
    numbers = note_due(now=later)
    cast.supervisor.role = "AGENT"
    cast.supervisor.save()
    cast.analyst.is_active = False
    cast.analyst.save()
    assert [send(mail_id=number, now=later) for number in numbers] == [False, False]
    assert ({one.state for one in MailedReport.objects.all()}, outbox.outbox) == ({"REFUSED"}, [])
    assert [MailedReport.objects.get(pk=number).recipient for number in note_due(now=later + timedelta(days=1))] == [cast.supervisor]


def test_who_lost_sight_of_the_dashboard_gets_nothing(cast, counted, made, now):
    facts = DashboardFacts("Ours", "TEAM", [Tile("opened")], cast.team.pk)
    of_team = save_dashboard(facts=facts, viewer=cast.viewer(cast.owner), now=now)
    later = made(cast.supervisor, dashboard_id=of_team.pk).since + timedelta(days=1)
    (number,) = note_due(now=later)
    cast.supervisor.teams.set([cast.other_team])
    assert (send(mail_id=number, now=later), MailedReport.objects.get().state, outbox.outbox) == (False, "REFUSED", [])


def test_whoever_gets_it_sees_it_and_may_leave_and_what_waits_is_not_sent(cast, counted, made):
    mailing = made(cast.supervisor, cast.analyst)
    later = mailing.since + timedelta(days=1)
    numbers = note_due(now=later)
    for person in (cast.supervisor, cast.analyst, cast.owner):
        assert list(list_mailings(cast.viewer(person))) == [mailing]
    for person, error in ((cast.owner, NotFound), (cast.outsider, NotAllowed)):
        with pytest.raises(error):
            leave_mailing(mailing_id=mailing.pk, viewer=cast.viewer(person), now=later)
    with pytest.raises(NotAllowed):
        made(cast.supervisor, by=cast.supervisor, mailing_id=mailing.pk, expected_version=1)
    for change in (switch_mailing, remove_mailing):
        more = {"is_active": False, "expected_version": 1} if change is switch_mailing else {}
        with pytest.raises(NotAllowed):
            change(mailing_id=mailing.pk, viewer=cast.viewer(cast.analyst), now=later, **more)
    assert (mailing.recipients.count(), Mailing.objects.get().is_active) == (2, True)
    leave_mailing(mailing_id=mailing.pk, viewer=cast.viewer(cast.supervisor), now=later)
    assert list(list_mailings(cast.viewer(cast.supervisor))) == []
    assert sorted(send(mail_id=number, now=later) for number in numbers) == [False, True]
    assert [one.to for one in outbox.outbox] == [["ana@desk.example"]]
    leave_mailing(mailing_id=mailing.pk, viewer=cast.viewer(cast.analyst), now=later)
    assert (Mailing.objects.get().is_active, note_due(now=later + timedelta(days=1))) == (False, [])


def test_a_change_counts_from_now_on_and_the_second_editor_is_told(cast, counted, made, now):
    mailing = made(cast.owner, cast.supervisor, rhythm="month")
    later = now + timedelta(days=1)
    changed = made(cast.owner, cast.analyst, rhythm="day", mailing_id=mailing.pk, expected_version=1)
    assert (changed.version, {one.display_name for one in changed.recipients.all()}) == (2, {"Olga", "Ana"})
    assert len(note_due(now=later)) == 2
    with pytest.raises(Conflict):
        made(cast.owner, rhythm="week", mailing_id=mailing.pk, expected_version=1)
    mailing.refresh_from_db()
    assert (mailing.rhythm, mailing.recipients.count()) == ("day", 2)
    made(cast.owner, rhythm="day", mailing_id=mailing.pk, expected_version=2)
    assert [mail.recipient for mail in MailedReport.objects.all()] == [cast.owner]


def test_sent_now_it_goes_to_oneself_alone_paused_or_not(cast, counted, made, now):
    mailing = made(cast.supervisor, rhythm="month")
    switch_mailing(mailing_id=mailing.pk, is_active=False, expected_version=1, viewer=cast.viewer(cast.owner), now=now)
    with pytest.raises(NotFound):
        prepare_now(mailing_id=mailing.pk, viewer=cast.viewer(cast.analyst), now=now)
    for count in (1, 2):
        mail = prepare_now(mailing_id=mailing.pk, viewer=cast.viewer(cast.owner), now=now)
        assert send(mail_id=mail.pk, now=now) is True
        assert (len(outbox.outbox), outbox.outbox[-1].to, MailedReport.objects.count()) == (count, ["olga@desk.example"], 1)
    assert (mail.first_day, mail.last_day) == (date(2026, 4, 1), date(2026, 4, 30))
    MailedReport.objects.update(state="SENDING", changed_at=now)
    with pytest.raises(Conflict):
        prepare_now(mailing_id=mailing.pk, viewer=cast.viewer(cast.owner), now=now)


def test_a_pause_mails_nothing_and_what_fell_due_in_it_is_left_out(cast, made, now):
    mailing = made(cast.owner)
    viewer = cast.viewer(cast.owner)
    switch_mailing(mailing_id=mailing.pk, is_active=False, expected_version=1, viewer=viewer, now=now)
    assert note_due(now=now + timedelta(days=2)) == []
    with pytest.raises(Conflict):
        switch_mailing(mailing_id=mailing.pk, is_active=True, expected_version=1, viewer=viewer, now=now)
    switch_mailing(mailing_id=mailing.pk, is_active=True, expected_version=2, viewer=viewer, now=now + timedelta(days=2))
    assert note_due(now=now + timedelta(days=2)) == []
    assert len(note_due(now=now + timedelta(days=3))) == 1


def test_only_people_who_see_it_are_chosen(cast, made, now):
    facts = DashboardFacts("Mine", "PERSON", [Tile("opened")])
    own = save_dashboard(facts=facts, viewer=cast.viewer(cast.owner), now=now)
    for people, by in (((cast.outsider,), None), ((), None), ((cast.owner,), cast.analyst)):
        with pytest.raises(InvalidInput):
            made(*people, by=by)
    with pytest.raises(InvalidInput):
        made(cast.owner, cast.supervisor, dashboard_id=own.pk)
    with pytest.raises(NotFound):
        made(cast.supervisor, dashboard_id=own.pk, by=cast.supervisor)
    with pytest.raises(NotAllowed):
        made(cast.outsider, by=cast.outsider)
    assert not Mailing.objects.exists()
    assert made(cast.owner, dashboard_id=own.pk).dashboard_id == own.pk


def test_the_page_makes_one_and_shows_what_became_of_it(client, cast, counted):
    client.force_login(cast.owner)
    sent = {"what": "report:agents", "rhythm": "month", "hour": "7", "recipients": [cast.owner.pk, cast.analyst.pk], "query": "?team=1"}
    assert client.post("/reports/mailings/new/", {**sent, "hour": "25"}).status_code == 422
    assert not Mailing.objects.exists()
    assert client.post("/reports/mailings/new/", sent).status_code == 302
    made = Mailing.objects.get()
    assert (made.report, made.rhythm, made.hour, made.query, made.recipients.count()) == ("agents", "month", 7, "team=1", 2)
    MailedReport.objects.create(
        mailing=made,
        recipient=cast.analyst,
        first_day=date(2026, 4, 1),
        last_day=date(2026, 4, 30),
        state="FAILED",
        error="no mail server",
        changed_at=made.since,
    )
    shown = client.get("/reports/mailings/").content.decode()
    assert "Failed: no mail server" in shown
    assert "Send again" in shown
    client.force_login(cast.supervisor)
    assert "no mail server" not in client.get("/reports/mailings/").content.decode()


def test_the_page_changes_sends_and_leaves(client, cast, counted, made):
    mailing = made(cast.owner, cast.supervisor)
    client.force_login(cast.owner)
    address = f"/reports/mailings/{mailing.pk}/"
    form = client.get(address)
    assert "Kind: Refund · split by Team" in form.content.decode()
    sent = {"what": "report:agents", "rhythm": "week", "hour": "9", "recipients": [cast.owner.pk, cast.supervisor.pk], "version": "1"}
    assert client.post(address, {**sent, "recipients": [cast.outsider.pk]}).status_code == 422
    assert client.post(address, sent).status_code == 302
    mailing.refresh_from_db()
    assert (mailing.report, mailing.rhythm, mailing.hour, mailing.query, mailing.version) == ("agents", "week", 9, "", 2)
    second = client.post(address, {**sent, "hour": "7"})
    assert (second.status_code, second.context["version"]) == (409, "2")
    assert [(side.theirs, side.mine) for side in second.context["sides"]] == [("09:00", "07:00")]
    assert client.post(f"{address}now/").status_code == 302
    assert MailedReport.objects.get().recipient == cast.owner
    client.force_login(cast.supervisor)
    shown = client.get("/reports/mailings/").content.decode()
    assert "Olga has this mailed to you." in shown
    assert f"{address}switch/" not in shown
    assert client.get(address).status_code == 200
    assert client.post(address, {**sent, "version": "2"}).status_code == 403
    assert client.post(f"{address}leave/").status_code == 302
    assert client.get(address).status_code == 404
    mailing.refresh_from_db()
    assert (list(mailing.recipients.all()), mailing.hour) == ([cast.owner], 9)


def test_the_page_asks_the_database_as_often_for_many_as_for_one(client, cast, counted, made, django_assert_max_num_queries):
    client.force_login(cast.owner)
    made(cast.owner, cast.analyst)
    with django_assert_max_num_queries(60) as first:
        client.get("/reports/mailings/")
    for _number in range(5):
        made(cast.supervisor, cast.analyst)
    with django_assert_max_num_queries(len(first) + 0):
        client.get("/reports/mailings/")
