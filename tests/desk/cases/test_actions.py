"""What people do to cases: one transaction with event and audit entry; a refusal changes nothing."""

import pytest

from careloop.desk.audit.models import AuditEntry
from careloop.desk.audit.queries import verify_chain
from careloop.desk.cases import actions
from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.jobs.models import Job
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.outbox.delivery import deliver
from careloop.desk.outbox.models import OutboxItem

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast, inbound, now) -> Case:
    return Case.objects.get(pk=receive_message(inbound(channel_slug="contact"), now=now).case_id)


def rows() -> dict[str, object]:
    case = Case.objects.get()
    return {
        "case": {field.attname: getattr(case, field.attname) for field in Case._meta.fields},
        "events": CaseEvent.objects.count(),
        "messages": Message.objects.count(),
        "audit": AuditEntry.objects.count(),
        "jobs": Job.objects.count(),
    }


def test_reply_waits_for_the_customer_takes_the_case_and_queues_delivery(cast, case, now):
    message = reply_to_case(case_id=case.pk, body="您好，正在为您处理。", viewer=cast.viewer(cast.agent), now=now)
    case.refresh_from_db()
    assert (case.status, case.assignee, case.first_response_at, case.version) == ("WAITING", cast.agent, now, 2)
    event = CaseEvent.objects.get(kind="REPLIED")
    assert (event.before, event.after, event.actor_id) == (
        {"status": "OPEN", "assignee": None},
        {"status": "WAITING", "assignee": cast.agent.pk},
        cast.agent.pk,
    )
    assert (message.delivery, AuditEntry.objects.get().action) == ("QUEUED", "case.reply")
    assert Job.objects.filter(task="careloop.desk.outbox.tasks.deliver").count() == 1


def test_delivery_sends_one_mail_however_often_it_runs(cast, case, now, mailoutbox):
    reply_to_case(case_id=case.pk, body="您好", viewer=cast.viewer(cast.agent), now=now)
    item = OutboxItem.objects.get()
    deliver(item.pk, now=now)
    deliver(item.pk, now=now)
    assert [(mail.to, mail.subject) for mail in mailoutbox] == [(["lin@example.com"], f"{case.subject} [#{case.pk}]")]
    assert Message.objects.get(direction="OUTBOUND").delivery == "SENT"


def test_delivery_without_address_is_marked_and_not_tried_again(cast, case, now, mailoutbox):
    case.customer.addresses.all().delete()
    reply_to_case(case_id=case.pk, body="您好", viewer=cast.viewer(cast.agent), now=now)
    deliver(OutboxItem.objects.get().pk, now=now)
    message = Message.objects.get(direction="OUTBOUND")
    assert (message.delivery, message.delivery_error[:37]) == ("FAILED", "The customer has no e-mail address; a")
    assert mailoutbox == []


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (lambda v, n, c: actions.assign(case_id=c.pk, assignee_id=None, expected_version=99, viewer=v, now=n), Conflict),
        (lambda v, n, c: actions.assign(case_id=c.pk, assignee_id=10**9, expected_version=1, viewer=v, now=n), InvalidInput),
        (lambda v, n, c: actions.set_priority(case_id=c.pk, priority=99, expected_version=1, viewer=v, now=n), InvalidInput),
        (lambda v, n, c: actions.set_status(case_id=c.pk, status="GONE", expected_version=1, viewer=v, now=n), InvalidInput),
        (lambda v, n, c: reply_to_case(case_id=c.pk, body=" \0 ", viewer=v, now=n), InvalidInput),
        (lambda v, n, c: reply_to_case(case_id=c.pk, body="x" * 100_001, viewer=v, now=n), InvalidInput),
        (lambda v, n, c: actions.add_note(case_id=10**9, body="x", viewer=v, now=n), NotFound),
    ],
)
def test_a_refused_change_changes_nothing(cast, case, now, change, refusal):
    before = rows()
    with pytest.raises(refusal):
        change(cast.viewer(cast.agent), now, case)
    assert rows() == before


@pytest.mark.parametrize(("who", "refusal"), [("outsider", NotFound), ("analyst", NotAllowed)])
def test_outsiders_and_readers_cannot_change_a_case(cast, case, now, who, refusal):
    viewer, before = cast.viewer(getattr(cast, who)), rows()
    for attempt in (
        lambda: actions.set_status(case_id=case.pk, status="RESOLVED", expected_version=1, viewer=viewer, now=now),
        lambda: actions.assign(case_id=case.pk, assignee_id=None, expected_version=1, viewer=viewer, now=now),
        lambda: actions.add_note(case_id=case.pk, body="x", viewer=viewer, now=now),
        lambda: reply_to_case(case_id=case.pk, body="x", viewer=viewer, now=now),
    ):
        with pytest.raises(refusal):
            attempt()
    assert rows() == before


def test_each_change_leaves_an_event_and_an_audit_entry_and_the_chain_holds(cast, case, now):
    viewer = cast.viewer(cast.agent)
    actions.assign(case_id=case.pk, assignee_id=cast.agent.pk, expected_version=1, viewer=viewer, now=now)
    actions.set_priority(case_id=case.pk, priority=40, expected_version=2, viewer=viewer, now=now)
    actions.set_status(case_id=case.pk, status="RESOLVED", expected_version=3, viewer=viewer, now=now)
    actions.add_note(case_id=case.pk, body="done", viewer=viewer, now=now)
    assert list(CaseEvent.objects.order_by("id").values_list("kind", flat=True)) == ["OPENED", "ASSIGNED", "PRIORITY", "STATUS", "NOTED"]
    assert list(AuditEntry.objects.order_by("id").values_list("action", flat=True)) == [
        "case.assigned",
        "case.priority",
        "case.status",
        "case.note",
    ]
    assert (verify_chain().entries, verify_chain().broken_at) == (4, None)
    case.refresh_from_db()
    assert (case.status, case.resolved_at, case.priority, case.version) == ("RESOLVED", now, 40, 5)


def test_a_change_to_the_same_value_is_no_change(cast, case, now):
    before = rows()
    actions.set_priority(case_id=case.pk, priority=20, expected_version=1, viewer=cast.viewer(cast.agent), now=now)
    assert rows() == before


def test_a_new_message_opens_a_waiting_case_again(cast, case, inbound, now):
    reply_to_case(case_id=case.pk, body="您好", viewer=cast.viewer(cast.agent), now=now)
    receive_message(inbound(external_id="m-2", channel_slug="contact"), now=now)
    case.refresh_from_db()
    assert case.status == "OPEN"


def test_a_reply_in_an_api_channel_leaves_no_mail_and_counts_as_sent(cast, inbound, now, mailoutbox):
    case_id = receive_message(inbound(), now=now).case_id
    reply_to_case(case_id=case_id, body="您好", viewer=cast.viewer(cast.agent), now=now)
    deliver(OutboxItem.objects.get().pk, now=now)
    assert (Message.objects.get(direction="OUTBOUND").delivery, mailoutbox) == ("SENT", [])


def reading(**facts):
    return {"kind": "COMPLAINT", "kind_probability": 0.9, "category": "", "sentiment": "NEGATIVE", "sentiment_probability": 0.1, **facts}


def test_triage_takes_over_kind_and_sentiment_and_raises_the_priority(cast, case, now):
    actions.triage(readings={case.pk: reading()}, now=now)
    case.refresh_from_db()
    assert (case.kind, case.sentiment, case.priority, case.version) == ("COMPLAINT", "NEGATIVE", 30, 2)
    event = CaseEvent.objects.get(kind="TRIAGED")
    assert (event.before["priority"], event.after["priority"], event.actor_kind) == (20, 30, "system")


def test_thanks_at_the_end_change_how_a_complaint_sounds_but_not_what_it_is(cast, case, now):
    actions.triage(readings={case.pk: reading()}, now=now)
    actions.triage(readings={case.pk: reading(kind="PRAISE", sentiment="POSITIVE", sentiment_probability=0.97)}, now=now)
    case.refresh_from_db()
    assert (case.kind, case.sentiment, case.sentiment_probability, case.priority) == ("COMPLAINT", "POSITIVE", 0.97, 30)
