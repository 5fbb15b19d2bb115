"""The front door: one transaction, idempotent, everything or nothing."""

import pytest

from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.customers.models import Address, Customer
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message, receive_messages
from careloop.desk.intake.models import RawPayload
from careloop.desk.jobs.models import Job
from careloop.desk.kernel.errors import InvalidInput

pytestmark = pytest.mark.django_db


def counts() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in (Case, CaseEvent, Message, Customer, Address, RawPayload, Job)}


def test_a_first_message_makes_customer_case_event_and_job(cast, inbound, now):
    receipt = receive_message(inbound(), now=now)
    case = Case.objects.get()
    assert (receipt.case_id, receipt.is_new) == (case.pk, True)
    assert (case.customer.name, case.status, case.team, case.subject) == (
        "林晓彤",
        "OPEN",
        cast.team,
        "热水器漏水，我要求退款",
    )
    assert list(CaseEvent.objects.values_list("kind", "actor_kind")) == [("OPENED", "customer")]
    assert bytes(RawPayload.objects.get().body) == b'{"text": "..."}'
    assert counts() == {"Case": 1, "CaseEvent": 1, "Message": 1, "Customer": 1, "Address": 1, "RawPayload": 1, "Job": 1}


def test_second_delivery_returns_the_same_receipt_and_changes_nothing(cast, inbound, now):
    first = receive_message(inbound(), now=now)
    before = counts()
    second = receive_message(inbound(text="another text under the same id"), now=now)
    assert (second.message_id, second.case_id, second.customer_id, second.is_new) == (
        first.message_id,
        first.case_id,
        first.customer_id,
        False,
    )
    assert counts() == before


def test_the_same_id_twice_in_one_batch_is_stored_once(cast, inbound, now):
    receipts = receive_messages([inbound(), inbound(), inbound(external_id="m-2")], now=now)
    assert [receipt.is_new for receipt in receipts] == [True, False, True]
    assert receipts[0].message_id == receipts[1].message_id
    assert Message.objects.count() == 2


def test_a_known_address_joins_the_open_case(cast, inbound, now):
    receive_message(inbound(), now=now)
    receipt = receive_message(inbound(external_id="m-2", text="还没有人回复我"), now=now)
    case = Case.objects.get()
    assert receipt.case_id == case.pk
    assert (case.snippet, case.messages.count(), case.version) == ("还没有人回复我", 2, 2)
    assert list(CaseEvent.objects.order_by("id").values_list("kind", flat=True)) == ["OPENED", "RECEIVED"]


def test_phone_written_differently_is_the_same_customer(cast, inbound, now):
    receive_message(inbound(addresses=(AddressValue("PHONE", "138 0013 8000"),)), now=now)
    receive_message(inbound(external_id="m-2", addresses=(AddressValue("PHONE", "+86-13800138000"),)), now=now)
    assert Customer.objects.count() == 1


def test_a_case_of_somebody_else_cannot_be_joined_by_its_number(cast, inbound, now):
    first = receive_message(inbound(), now=now)
    stranger = inbound(external_id="m-2", addresses=(AddressValue("EMAIL", "other@example.com"),), case_id=first.case_id)
    assert receive_message(stranger, now=now).case_id != first.case_id


def test_feedback_without_address_is_kept_without_customer_and_case(cast, inbound, now):
    receipt = receive_message(inbound(addresses=(), opens_case=False, rating=1.0, category="热水器"), now=now)
    message = Message.objects.get()
    assert (receipt.case_id, receipt.customer_id) == (None, None)
    assert (message.feedback.rating, message.feedback.category) == (1.0, "热水器")


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"text": " \0 "}, "text"),
        ({"text": "x" * 1_000_001}, "text"),
        ({"external_id": ""}, "external_id"),
        ({"addresses": (AddressValue("EMAIL", "nonsense"),)}, "addresses.email"),
        ({"addresses": ()}, "addresses"),
        ({"rating": 7.0}, "rating"),
        ({"channel_slug": "nowhere"}, "channel"),
    ],
)
def test_an_unacceptable_message_is_refused_by_field_and_nothing_is_stored(cast, inbound, now, facts, field):
    with pytest.raises(InvalidInput) as refusal:
        receive_messages([inbound(external_id="good"), inbound(**{"external_id": "bad", **facts})], now=now)
    assert refusal.value.field == field
    assert set(counts().values()) == {0}


def test_nul_bytes_and_lone_surrogates_are_stored_safely(cast, inbound, now):
    receive_message(inbound(text="a\0b\ud800c", sender_name="N\0ame"), now=now)
    assert Message.objects.get().body == "ab?c"
    assert Customer.objects.get().name == "Name"
