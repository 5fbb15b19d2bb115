"""Time worked is as long as the signs of it reach, and can be put right with a reason."""

import csv
from datetime import UTC, date, datetime, timedelta

import pytest

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.audit.models import AuditEntry
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import InvalidInput, NotAllowed, NotFound
from careloop.desk.measures.actions import refresh
from careloop.desk.measures.queries import ask
from careloop.desk.measures.reading import Question
from careloop.desk.writing.models import WorkCorrection, WorkSpan
from careloop.desk.writing.work_time import correct_work, list_work, note_work

SECOND = timedelta(seconds=1)


@pytest.fixture
def case_id(cast, inbound, now):
    return receive_message(inbound(), now=now).case_id


def work(case_id, person, start, *signs):
    for sign in signs:
        note_work(case_id=case_id, viewer=person, now=start + sign * SECOND)


def test_a_stretch_reaches_from_its_first_sign_to_its_last(cast, case_id, now):
    agent = cast.viewer(cast.agent)
    work(case_id, agent, now, 0, 15, 30, 45, 95, 146, 161)  # 146 comes 51 s after 95
    assert [(one.seen_at - one.began_at).seconds for one in WorkSpan.objects.order_by("pk")] == [95, 15]
    assert [(one.name, one.seconds, one.reason) for one in list_work([case_id])] == [("Chen", 110, "")]


def test_a_clock_that_runs_backwards_adds_nothing(cast, case_id, now):
    work(case_id, cast.viewer(cast.agent), now, 0, 15, -3600, 20)
    assert [one.seconds for one in list_work([case_id])] == [20]


def test_a_machine_that_gives_signs_for_ever_makes_many_stretches(cast, case_id, now):
    work(case_id, cast.viewer(cast.agent), now, *range(0, 5 * 3600, 15))
    assert WorkSpan.objects.count() == 2
    assert max(one.seen_at - one.began_at for one in WorkSpan.objects.all()) == timedelta(hours=4)


def test_days_begin_in_the_houses_zone(cast, case_id, settings):
    settings.TIME_ZONE = "Asia/Shanghai"
    midnight = datetime(2026, 5, 4, 16, 0, tzinfo=UTC)
    agent = cast.viewer(cast.agent)
    work(case_id, agent, midnight - timedelta(minutes=10), 0, 15)
    work(case_id, agent, midnight + timedelta(minutes=10), 0, 30)
    assert [(one.day, one.seconds) for one in list_work([case_id])] == [(date(2026, 5, 4), 15), (date(2026, 5, 5), 30)]


def test_a_correction_counts_instead_of_what_was_measured_and_says_why(cast, case_id, now):
    agent = cast.viewer(cast.agent)
    work(case_id, agent, now, 0, 15)
    facts = {"case_id": case_id, "user_id": cast.agent.pk, "day": now.date(), "viewer": agent, "now": now}
    correct_work(minutes=12, reason="On the phone", **facts)
    correct_work(minutes=20, reason="On the phone, twice", **facts)
    found = list_work([case_id])[0]
    assert (found.seconds, found.measured_seconds, found.reason, found.corrected_by) == (1200, 15, "On the phone, twice", "Chen")
    assert AuditEntry.objects.filter(action="case.work_time").count() == 2


def test_bad_corrections_are_refused_and_nothing_is_written(cast, case_id, now):
    good = {
        "case_id": case_id,
        "user_id": cast.agent.pk,
        "day": now.date(),
        "minutes": 5,
        "reason": "x",
        "viewer": cast.viewer(cast.agent),
        "now": now,
    }
    bad = [
        ({"minutes": 1441}, InvalidInput),
        ({"minutes": -1}, InvalidInput),
        ({"reason": " "}, InvalidInput),
        ({"user_id": cast.supervisor.pk}, NotAllowed),
        ({"viewer": cast.viewer(cast.analyst)}, NotAllowed),
        ({"viewer": cast.viewer(cast.outsider)}, NotFound),
    ]
    for facts, refusal in bad:
        with pytest.raises(refusal):
            correct_work(**{**good, **facts})
    assert not WorkCorrection.objects.exists()
    assert not AuditEntry.objects.filter(action="case.work_time").exists()
    correct_work(**{**good, "viewer": cast.viewer(cast.supervisor)})


def test_figures_follow_the_time_worked(cast, case_id, now):
    work(case_id, cast.viewer(cast.agent), now, 0, 15, 30)
    work(case_id, cast.viewer(cast.supervisor), now, 0, 40)
    refresh(now=now)
    viewer = cast.viewer(cast.analyst)
    table = ask(Question(("work",), by="agent"), viewer)
    assert {row.group: row.figures["work"].value for row in table.rows} == {cast.agent.pk: 30.0, cast.supervisor.pk: 40.0}
    facts = {"case_id": case_id, "user_id": cast.agent.pk, "day": now.date(), "minutes": 2, "reason": "phone"}
    correct_work(viewer=cast.viewer(cast.agent), now=now + SECOND, **facts)
    refresh(now=now + 2 * SECOND)
    assert ask(Question(("work",)), viewer).whole["work"].value == 80.0
    assert ask(Question(("work",), as_of=table.as_of), viewer).whole["work"].value == 35.0


def test_the_page_measures_only_while_somebody_is_active(client, cast, case_id):
    client.force_login(cast.agent)
    client.post(f"/cases/{case_id}/here/", {"active": "0"})
    assert not WorkSpan.objects.exists()
    client.post(f"/cases/{case_id}/here/", {"active": "1"})
    assert WorkSpan.objects.count() == 1
    client.force_login(cast.analyst)
    assert client.post(f"/cases/{case_id}/here/", {"active": "1"}).status_code == 200
    assert WorkSpan.objects.count() == 1


def test_the_panel_puts_right_and_refuses_in_plain_words(client, cast, case_id, now):
    client.force_login(cast.agent)
    facts = {"user": cast.agent.pk, "day": "2026-05-04", "minutes": "12", "reason": "Telefon"}
    assert client.post(f"/cases/{case_id}/work-time/", facts, HTTP_HX_REQUEST="true").status_code == 200
    assert "12 min" in client.get(f"/cases/{case_id}/work-time/").content.decode()
    answer = client.post(f"/cases/{case_id}/work-time/", {**facts, "minutes": "much"})
    assert (answer.status_code, "“much” is not a whole number" in answer.content.decode()) == (422, True)
    assert WorkCorrection.objects.get().seconds == 720


def test_file_and_programs_tell_the_time_of_the_page(client, cast, case_id, now):
    work(case_id, cast.viewer(cast.supervisor), now, 0, 15, 30)
    work(case_id, cast.viewer(cast.agent), now, 0, 15)
    facts = {"case_id": case_id, "user_id": cast.agent.pk, "day": now.date(), "minutes": 12, "reason": "=Telefon"}
    correct_work(viewer=cast.viewer(cast.supervisor), now=now, **facts)
    made = {"name": "ERP", "channel_id": cast.channel.pk, "actor": actor_of(cast.viewer(cast.owner)), "now": now}
    tokens = {who: create_api_key(person_id=who and who.pk, **made)[1] for who in (cast.agent, None)}
    path = f"/api/v1/cases/{case_id}/work-time"
    told = client.get(path, headers={"Authorization": f"Bearer {tokens[cast.agent]}"}).json()
    agent, supervisor = cast.agent, cast.supervisor
    day = {"day": "2026-05-04"}
    put_right = {"measured_seconds": 15, "is_corrected": True, "reason": "=Telefon", "corrected_by": supervisor.display_name}
    as_measured = {"measured_seconds": 30, "is_corrected": False, "reason": "", "corrected_by": ""}
    lines = [
        {"agent": agent.pk, "agent_name": agent.display_name, "seconds": 720, **day, **put_right},
        {"agent": supervisor.pk, "agent_name": supervisor.display_name, "seconds": 30, **day, **as_measured},
    ]
    assert told == {"case_id": case_id, "seconds": 750, "lines": sorted(lines, key=lambda one: one["agent"])}
    assert client.get(path, headers={"Authorization": f"Bearer {tokens[None]}"}).status_code == 403
    client.force_login(cast.agent)
    text = client.get(f"/cases/{case_id}/work-time/csv/").content.decode("utf-8-sig")
    rows = list(csv.DictReader(text.splitlines()))
    assert [(one["agent"], one["day"], one["seconds"], one["is_corrected"]) for one in rows] == [
        (str(one["agent"]), one["day"], str(one["seconds"]), str(one["is_corrected"])) for one in told["lines"]
    ]
    assert "'=Telefon" in [one["reason"] for one in rows]
    page = client.get(f"/cases/{case_id}/work-time/").content.decode()
    assert "<small>12 min</small>" in page  # 750 s, rounded half to even
