"""What a program answered in a customer's place: kept in the case as a note, and nothing else happens."""

from datetime import timedelta

import pytest

from careloop.desk.cases.actions import set_status
from careloop.desk.cases.models import Case, CaseEvent, Clock, Message
from careloop.desk.cases.queries import page
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message, receive_messages
from careloop.desk.intake.models import RawPayload
from careloop.desk.notices.models import Notice
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.sla.models import Calendar, ServiceLevel
from careloop.desk.teamwork.following import follow_events

pytestmark = pytest.mark.django_db
AWAY = {"external_id": "away", "text": "I am away until Monday @Agent", "subject": "Automatic reply: leak", "machine_made": "header"}


@pytest.fixture
def promised(now):
    """A first answer in an hour, all around the clock, solved in eight."""
    calendar = Calendar.objects.create(name="Always", zone="UTC", weekly=[[[0, 1440]]] * 7, changed_at=now)
    facts = {"first_response_minutes": 60, "next_response_minutes": 60, "resolution_minutes": 480}
    return ServiceLevel.objects.create(name="Standard", position=1, calendar=calendar, changed_at=now, **facts)


def outline(case_id: int) -> tuple:
    case = Case.objects.get(pk=case_id)
    clocks = list(Clock.objects.filter(case=case).order_by("pk").values_list("target", "round", "state"))
    return (case.status, case.snippet, case.last_message_at, case.resolved_at, case.due_at, case.version, clocks)


@pytest.mark.parametrize("status", ["OPEN", "WAITING", "RESOLVED"])
def test_an_automatic_answer_is_a_note_and_moves_nothing(cast, inbound, now, promised, status):
    case_id = receive_message(inbound(), now=now).case_id
    reply_to_case(case_id=case_id, body="请先关水阀", status=status, viewer=cast.viewer(cast.agent), now=now + timedelta(minutes=5))
    before = outline(case_id)
    later = now + timedelta(minutes=6)
    receipt = receive_message(inbound(**AWAY, case_id=case_id, sent_at=later), now=later)
    note = Message.objects.get(pk=receipt.message_id)
    assert (receipt.case_id, note.direction, note.body, note.author_id) == (case_id, "NOTE", AWAY["text"], None)
    assert outline(case_id) == before and before[0] == status
    event = CaseEvent.objects.get(message=note)
    assert (event.kind, event.actor_kind, event.after["machine_made"]) == ("NOTED", "customer", "header")
    assert bytes(RawPayload.objects.get(message=note).body) == b'{"text": "..."}'


def test_a_person_who_writes_after_it_opens_the_case_as_ever(cast, inbound, now):
    case_id = receive_message(inbound(), now=now).case_id
    set_status(case_id=case_id, status="RESOLVED", expected_version=1, viewer=cast.viewer(cast.agent), now=now)
    both = [inbound(**AWAY, case_id=case_id), inbound(external_id="m-2", text="还在漏", case_id=case_id)]
    assert {one.case_id for one in receive_messages(both, now=now)} == {case_id}
    assert outline(case_id)[:2] == ("OPEN", "还在漏")
    assert list(CaseEvent.objects.filter(case=case_id).order_by("pk").values_list("kind", flat=True)) == [
        "OPENED", "STATUS", "NOTED", "RECEIVED",
    ]  # fmt: skip


def test_where_there_is_no_case_people_see_it_without_any_promise(cast, inbound, now, promised):
    receipt = receive_message(inbound(**AWAY), now=now)
    case = Case.objects.get(pk=receipt.case_id)
    assert (case.status, case.subject, case.due_at, case.kind) == ("OPEN", "Automatic reply: leak", None, "")
    assert list(case.messages.values_list("direction", flat=True)) == ["NOTE"]
    assert not Clock.objects.filter(case=case).exists()
    receive_message(inbound(external_id="m-2", text="我回来了"), now=now + timedelta(minutes=1))
    assert list(Clock.objects.filter(case=case).values_list("target", flat=True)) == ["FIRST_RESPONSE", "RESOLUTION"]


def test_a_machine_mentions_nobody(cast, inbound, now):
    follow_events(now=now)
    case_id = receive_message(inbound(), now=now).case_id
    receive_message(inbound(**AWAY, case_id=case_id), now=now)
    follow_events(now=now)
    assert not Notice.objects.exists()


def test_the_case_page_knows_what_a_machine_wrote(cast, inbound, now):
    case_id = receive_message(inbound(), now=now).case_id
    receive_message(inbound(**AWAY, case_id=case_id), now=now)
    viewer = cast.viewer(cast.agent)
    assert [(one.direction, one.is_machine_made) for one in page(case_id, viewer).messages] == [("INBOUND", False), ("NOTE", True)]


def test_a_machine_of_somebody_else_does_not_get_into_the_case_that_it_names(cast, inbound, now):
    case_id = receive_message(inbound(), now=now).case_id
    address = (AddressValue("EMAIL", "mailer-daemon@example.com"),)
    assert receive_message(inbound(**AWAY, case_id=case_id, addresses=address), now=now).case_id != case_id
