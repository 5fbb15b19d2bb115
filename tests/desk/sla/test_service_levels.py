"""Changing calendars and levels, and what follows before and after a breach."""

from datetime import date, timedelta

import pytest

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases import service_levels
from careloop.desk.cases.models import Case, CaseEvent, Clock
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import InvalidInput, NotAllowed, NotFound
from careloop.desk.notices.models import Notice
from careloop.desk.sla import actions
from careloop.desk.sla.models import Calendar, ServiceLevel
from careloop.desk.sla.rules.facts import CalendarFacts, LevelFacts

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
ALWAYS = [[(0, 1440)]] * 7


@pytest.fixture
def supervisor(cast):
    return cast.viewer(cast.supervisor)


@pytest.fixture
def calendar(supervisor, now):
    return service_levels.change_calendar(facts=CalendarFacts("Always", "UTC", ALWAYS), viewer=supervisor, now=now)[0]


def level_facts(calendar, **facts):
    return LevelFacts(**{"name": "Standard", "calendar_id": calendar.pk, "targets": {"FIRST_RESPONSE": 60, "RESOLUTION": 480}, **facts})


@pytest.fixture
def level(calendar, supervisor, now):
    steps = [
        ("FIRST_RESPONSE", -15, "NOTIFY_ASSIGNEE"),
        ("FIRST_RESPONSE", 0, "RAISE_PRIORITY"),
        ("FIRST_RESPONSE", 30, "NOTIFY_SUPERVISORS"),
    ]
    return service_levels.change_level(facts=level_facts(calendar, steps=steps), viewer=supervisor, now=now)[0]


def test_a_changed_calendar_counts_open_cases_anew_at_once(cast, inbound, calendar, level, supervisor, now):
    case_id = receive_message(inbound(), now=now).case_id
    closed = CalendarFacts("Always", "UTC", ALWAYS, days={date(2026, 5, 4): ([], "Day off")})
    _, changed = service_levels.change_calendar(facts=closed, viewer=supervisor, now=now, calendar_id=calendar.pk)
    assert changed == 2
    assert Case.objects.get(pk=case_id).due_at == now + timedelta(hours=18) + HOUR  # midnight, then an hour
    assert AuditEntry.objects.filter(action="calendar.save").count() == 2


def test_history_is_shown_as_it_would_have_been_and_left_as_it_is(cast, inbound, calendar, level, supervisor, now):
    from careloop.desk.cases import actions as cases

    for number, hours in enumerate((0.5, 2)):
        case_id = receive_message(inbound(external_id=f"m-{number}"), now=now).case_id
        cases.reply(case_id=case_id, body="好的", viewer=cast.viewer(cast.agent), now=now + hours * HOUR, status="RESOLVED")
    before = list(Clock.objects.values())
    slow = CalendarFacts("Always", "UTC", [[(0, 420)]] * 7)  # until 07:00: one working hour is left of the day
    found = service_levels.imagine_history(facts=slow, calendar_id=calendar.pk, viewer=supervisor, now=now + 9 * HOUR)
    assert (found.clocks, found.late_before, found.late_after) == (
        len([row for row in before if row["state"] == "MET"]),
        sum(row["is_late"] for row in before),
        0,
    )
    assert found.turned_in_time == found.late_before
    assert list(Clock.objects.values()) == before


def test_a_new_level_holds_for_cases_that_are_open_already(cast, inbound, calendar, supervisor, now):
    case_id = receive_message(inbound(), now=now).case_id
    assert Case.objects.get(pk=case_id).due_at is None
    service_levels.change_level(facts=level_facts(calendar), viewer=supervisor, now=now + 2 * HOUR)
    assert Case.objects.get(pk=case_id).due_at == now + HOUR


def test_a_level_taken_away_promises_nothing_more(cast, inbound, level, supervisor, now):
    case_id = receive_message(inbound(), now=now).case_id
    service_levels.remove_level(level_id=level.pk, viewer=supervisor, now=now + HOUR / 2)
    assert Case.objects.get(pk=case_id).due_at is None
    assert set(Clock.objects.filter(case_id=case_id).values_list("state", flat=True)) == {"CANCELLED"}


def test_steps_are_taken_before_and_after_the_breach_each_once(cast, inbound, level, supervisor, now):
    case_id = receive_message(inbound(), now=now).case_id
    Case.objects.filter(pk=case_id).update(assignee_id=cast.agent.pk)
    assert service_levels.escalate(now=now + HOUR / 2) == 0
    assert service_levels.escalate(now=now + 0.8 * HOUR) == 1
    assert list(Notice.objects.values_list("user_id", "kind")) == [(cast.agent.pk, "DUE_SOON")]
    assert service_levels.escalate(now=now + HOUR) == 1
    assert Case.objects.get(pk=case_id).priority == 30
    assert service_levels.escalate(now=now + 2 * HOUR) == 1
    assert set(Notice.objects.values_list("user_id", "kind")) == {(cast.agent.pk, "DUE_SOON"), (cast.supervisor.pk, "OVERDUE")}
    assert service_levels.escalate(now=now + 3 * HOUR) == 0
    told = CaseEvent.objects.filter(kind="ESCALATED").order_by("pk").values_list("after", flat=True)
    assert [facts["action"] for facts in told] == ["NOTIFY_ASSIGNEE", "RAISE_PRIORITY", "NOTIFY_SUPERVISORS"]
    assert told[1]["priority"] == 30


def test_a_promise_that_is_new_tells_nobody_of_what_is_late_already(cast, inbound, calendar, supervisor, now):
    receive_message(inbound(), now=now)
    steps = [("FIRST_RESPONSE", 0, "NOTIFY_SUPERVISORS"), ("FIRST_RESPONSE", 240, "RAISE_PRIORITY")]
    service_levels.change_level(facts=level_facts(calendar, steps=steps), viewer=supervisor, now=now + 3 * HOUR)
    assert service_levels.escalate(now=now + 3 * HOUR) == 0
    assert service_levels.escalate(now=now + 5 * HOUR) == 1
    assert (Notice.objects.count(), Case.objects.get().priority) == (0, 30)


def test_a_step_before_the_deadline_is_not_taken_after_it(cast, inbound, level, now):
    receive_message(inbound(), now=now)
    assert service_levels.escalate(now=now + 2 * HOUR) == 2
    assert set(CaseEvent.objects.filter(kind="ESCALATED").values_list("after__action", flat=True)) == {
        "RAISE_PRIORITY",
        "NOTIFY_SUPERVISORS",
    }


def test_an_answered_case_is_not_escalated(cast, inbound, level, now):
    from careloop.desk.cases import actions as cases

    case_id = receive_message(inbound(), now=now).case_id
    cases.reply(case_id=case_id, body="好的", viewer=cast.viewer(cast.agent), now=now + HOUR / 2)
    assert service_levels.escalate(now=now + 5 * HOUR) == 0
    assert Notice.objects.count() == 0


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ({"targets": {"FIRST_RESPONSE": 0}}, "A target of 0 minutes was given"),
        ({"targets": {}}, "promises nothing"),
        ({"name": " "}, "needs a name"),
        ({"steps": [("FIRST_RESPONSE", 5, "EXPLODE")]}, "makes no sense"),
    ],
)
def test_levels_that_make_no_sense_are_refused(calendar, supervisor, now, facts, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        service_levels.change_level(facts=level_facts(calendar, **facts), viewer=supervisor, now=now)
    assert ServiceLevel.objects.count() == 0


def test_a_calendar_without_working_time_is_refused(supervisor, now):
    with pytest.raises(InvalidInput, match="has no working time"):
        service_levels.change_calendar(facts=CalendarFacts("Never", "UTC", [[]] * 7), viewer=supervisor, now=now)
    assert Calendar.objects.count() == 0


def test_names_are_taken_once_and_a_calendar_in_use_stays(calendar, level, supervisor, now):
    with pytest.raises(InvalidInput, match="There is a calendar “Always” already"):
        service_levels.change_calendar(facts=CalendarFacts("Always", "UTC", ALWAYS), viewer=supervisor, now=now)
    with pytest.raises(InvalidInput, match="A service level counts on “Always”"):
        actions.delete_calendar(calendar_id=calendar.pk, viewer=supervisor, now=now)
    with pytest.raises(NotFound):
        actions.delete_calendar(calendar_id=999, viewer=supervisor, now=now)
    assert Calendar.objects.count() == 1


def test_agents_change_no_promise(cast, calendar, now):
    with pytest.raises(NotAllowed):
        service_levels.change_level(facts=level_facts(calendar), viewer=cast.viewer(cast.agent), now=now)
    with pytest.raises(NotAllowed):
        service_levels.change_calendar(facts=CalendarFacts("Mine", "UTC", ALWAYS), viewer=cast.viewer(cast.agent), now=now)
    assert (ServiceLevel.objects.count(), Calendar.objects.count()) == (0, 1)
