"""What happens to a case moves its clocks."""

from datetime import timedelta

import pytest

from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Case, Clock, ClockTick
from careloop.desk.cases.queries import access_case
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import Conflict
from careloop.desk.sla.models import Calendar, ServiceLevel
from careloop.desk.sla.queries import Calendars
from careloop.desk.sla.rules.clocks import replay

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def level(now):
    """All around the clock: first answer in an hour, the next in two, solved in eight; urgent cases in four."""
    calendar = Calendar.objects.create(name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)
    facts = {"calendar": calendar, "changed_at": now, "first_response_minutes": 60, "next_response_minutes": 120}
    ServiceLevel.objects.create(name="Urgent", position=1, conditions={"priority": [40]}, resolution_minutes=240, **facts)
    return ServiceLevel.objects.create(name="Standard", position=2, resolution_minutes=480, **facts)


def clocks_of(case_id):
    return {(clock.target, clock.round): clock for clock in Clock.objects.filter(case_id=case_id)}


def states_of(case_id):
    return {f"{target} {number}": clock.state for (target, number), clock in clocks_of(case_id).items()}


def opened(inbound, now, **facts):
    return Case.objects.get(pk=receive_message(inbound(**facts), now=now).case_id)


def test_a_new_case_is_due_when_its_first_answer_is(cast, inbound, level, now):
    case = opened(inbound, now)
    assert case.due_at == now + HOUR
    clocks = clocks_of(case.pk)
    assert {key: (clock.state, clock.due_at, clock.level_id) for key, clock in clocks.items()} == {
        ("FIRST_RESPONSE", 1): ("RUNNING", now + HOUR, level.pk),
        ("RESOLUTION", 1): ("RUNNING", now + 8 * HOUR, level.pk),
    }


def test_an_answer_meets_the_first_and_pauses_the_resolution_until_the_customer_writes(cast, inbound, level, now):
    case = opened(inbound, now)
    viewer = cast.viewer(cast.agent)
    cases.reply(case_id=case.pk, body="我们马上查。", viewer=viewer, now=now + HOUR / 2)
    assert states_of(case.pk) == {"FIRST_RESPONSE 1": "MET", "RESOLUTION 1": "PAUSED"}
    assert Case.objects.get(pk=case.pk).due_at is None
    receive_message(inbound(external_id="m-2", sent_at=now + 2 * HOUR), now=now + 2 * HOUR)
    clocks = clocks_of(case.pk)
    assert clocks["NEXT_RESPONSE", 1].due_at == now + 4 * HOUR
    assert clocks["RESOLUTION", 1].due_at == now + 9.5 * HOUR
    assert Case.objects.get(pk=case.pk).due_at == now + 4 * HOUR
    receive_message(inbound(external_id="m-3", sent_at=now + 3 * HOUR), now=now + 3 * HOUR)
    assert clocks_of(case.pk)["NEXT_RESPONSE", 1].due_at == now + 4 * HOUR  # the customer waits since the first of the two
    cases.reply(case_id=case.pk, body="已退款。", viewer=viewer, now=now + 5 * HOUR, status="RESOLVED")
    clocks = clocks_of(case.pk)
    assert (clocks["NEXT_RESPONSE", 1].state, clocks["NEXT_RESPONSE", 1].is_late) == ("MET", True)
    assert (clocks["RESOLUTION", 1].state, clocks["RESOLUTION", 1].is_late, clocks["RESOLUTION", 1].elapsed_seconds) == (
        "MET",
        False,
        12600,
    )
    assert Case.objects.get(pk=case.pk).due_at is None


def test_a_reopened_case_goes_on_counting(cast, inbound, level, now):
    case = opened(inbound, now)
    cases.set_status(case_id=case.pk, status="RESOLVED", expected_version=case.version, viewer=cast.viewer(cast.agent), now=now + 2 * HOUR)
    assert states_of(case.pk) == {"FIRST_RESPONSE 1": "CANCELLED", "RESOLUTION 1": "MET"}
    version = Case.objects.get(pk=case.pk).version
    cases.set_status(case_id=case.pk, status="OPEN", expected_version=version, viewer=cast.viewer(cast.agent), now=now + 10 * HOUR)
    assert clocks_of(case.pk)["RESOLUTION", 1].due_at == now + 16 * HOUR


def test_a_case_that_becomes_urgent_is_judged_as_urgent_from_its_arrival(cast, inbound, level, now):
    case = opened(inbound, now)
    cases.set_priority(case_id=case.pk, priority=40, expected_version=case.version, viewer=cast.viewer(cast.agent), now=now + HOUR)
    assert clocks_of(case.pk)["RESOLUTION", 1].due_at == now + 4 * HOUR
    assert clocks_of(case.pk)["RESOLUTION", 1].level.name == "Urgent"


def test_a_refused_change_moves_no_clock(cast, inbound, level, now):
    case = opened(inbound, now)
    ticks = list(ClockTick.objects.values())
    with pytest.raises(Conflict):
        cases.set_status(
            case_id=case.pk, status="RESOLVED", expected_version=case.version - 1, viewer=cast.viewer(cast.agent), now=now + HOUR
        )
    assert list(ClockTick.objects.values()) == ticks


def test_the_stored_deadline_is_what_its_ticks_give(cast, inbound, level, now):
    case = opened(inbound, now)
    viewer = cast.viewer(cast.agent)
    cases.reply(case_id=case.pk, body="请稍等", viewer=viewer, now=now + HOUR)
    receive_message(inbound(external_id="m-2", sent_at=now + 2 * HOUR), now=now + 2 * HOUR)
    cases.set_priority(
        case_id=case.pk, priority=40, expected_version=access_case(case.pk, viewer).version, viewer=viewer, now=now + 3 * HOUR
    )
    from careloop.desk.cases.clocks import find_ticks

    clocks = list(Clock.objects.filter(case_id=case.pk))
    ticks = find_ticks(clocks)
    assert len(clocks) == 3
    for clock in clocks:
        state = replay(ticks[clock.pk], Calendars())
        assert (clock.state, clock.due_at, clock.elapsed_seconds, clock.is_late) == (
            state.state,
            state.due_at,
            state.elapsed_seconds,
            state.is_late,
        )


def test_nothing_is_promised_without_a_level_that_fits(cast, inbound, level, now):
    ServiceLevel.objects.filter(name="Standard").update(conditions={"kind": ["COMPLAINT"]})
    case = opened(inbound, now)
    assert (case.due_at, Clock.objects.count()) == (None, 0)


def test_files_from_the_past_are_promised_nothing(cast, inbound, level, now):
    cast.channel.kind = "FILE"
    cast.channel.save()
    assert (opened(inbound, now).due_at, Clock.objects.count()) == (None, 0)
