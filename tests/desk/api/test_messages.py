"""Delivering messages and fetching replies as a program does."""

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from careloop.desk.accounts.actions import create_api_key, revoke_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.cases.actions import add_note, reply
from careloop.desk.cases.models import Case, CaseEvent, Message
from careloop.desk.customers.models import Address, Customer
from careloop.desk.intake.models import RawPayload
from careloop.desk.jobs.models import Job
from careloop.desk.search.models import SearchDocument

pytestmark = pytest.mark.django_db

URL = "/api/v1/messages"
GOOD = {
    "external_id": "order-7-complaint",
    "text": "热水器漏水，要求退款",
    "subject": "漏水",
    "sent_at": "2026-05-02T14:03:00+08:00",
    "sender": {"name": "林晓彤", "email": "lin@example.com", "language": "zh-Hans"},
}


def counts() -> dict[str, int]:
    models = (Case, CaseEvent, Message, Customer, Address, RawPayload, Job, SearchDocument)
    return {model.__name__: model.objects.count() for model in models}


@pytest.fixture
def token(cast, now) -> str:
    return create_api_key(name="Shop", channel_id=cast.channel.pk, actor=actor_of(cast.viewer(cast.owner)), now=now)[1]


@pytest.fixture
def other_token(cast, now) -> str:
    return create_api_key(name="Wholesale", channel_id=cast.other_channel.pk, actor=actor_of(cast.viewer(cast.owner)), now=now)[1]


@pytest.fixture
def post(client, token):
    def send(body, *, key=token, content_type="application/json"):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return client.post(URL, raw, content_type=content_type, headers=headers)

    return send


@pytest.fixture
def get(client, token):
    def fetch(path, *, key=token, **parameters):
        return client.get(path, parameters, headers={"Authorization": f"Bearer {key}"} if key else {})

    return fetch


def test_a_new_message_is_stored_with_its_bytes_and_answered_with_its_receipt(cast, post):
    raw = json.dumps(GOOD, ensure_ascii=False, indent=1).encode()
    answer = post(raw)
    message, case = Message.objects.get(), Case.objects.get()
    assert answer.status_code == 201
    assert answer.json() == {"message_id": message.pk, "case_id": case.pk, "customer_id": case.customer_id, "is_new": True}
    assert (message.body, case.subject, case.team, case.channel) == ("热水器漏水，要求退款", "漏水", cast.team, cast.channel)
    assert message.sent_at.isoformat() == "2026-05-02T06:03:00+00:00"
    assert (case.customer.name, case.customer.language) == ("林晓彤", "zh-Hans")
    assert bytes(RawPayload.objects.get().body) == raw


def test_the_same_external_id_again_answers_200_with_the_same_receipt_and_stores_nothing(post):
    first = post(GOOD).json()
    before = counts()
    again = post({**GOOD, "text": "something else"})
    assert (again.status_code, again.json()) == (200, {**first, "is_new": False})
    assert counts() == before


def test_without_sent_at_the_message_was_said_now(post):
    post({key: value for key, value in GOOD.items() if key != "sent_at"})
    message = Message.objects.get()
    assert message.sent_at == message.received_at


def test_a_review_needs_no_sender_and_opens_no_case(post):
    answer = post({"external_id": "r-1", "text": "太差了", "rating": 1, "category": "热水器", "opens_case": False})
    assert answer.status_code == 201
    assert (answer.json()["case_id"], answer.json()["customer_id"]) == (None, None)
    assert (Message.objects.get().feedback.rating, Message.objects.get().feedback.category) == (1.0, "热水器")


def test_a_handle_belongs_to_its_channel(post, other_token):
    post({**GOOD, "sender": {"handle": "wx-7"}})
    post({**GOOD, "sender": {"handle": "wx-7"}}, key=other_token)
    assert Customer.objects.count() == 2
    assert set(Address.objects.values_list("scope", flat=True)) == {"shop", "wholesale"}


BAD_BODIES = [
    (b"{", 400, "malformed", ""),
    (b"\xff\xfe\xfd", 400, "malformed", ""),
    (b"[]", 400, "malformed", ""),
    (b"null", 400, "malformed", ""),
    (b"[" * 100_000, 400, "malformed", ""),
    (b'{"external_id":"a","text":"b","text":"c"}', 400, "malformed", "text"),
    (b'{"external_id":"a","text":"b","rating":NaN}', 400, "malformed", ""),
    (b'{"external_id":"a","text":"b","case_id":' + b"9" * 5000 + b"}", 400, "malformed", ""),
    (b'{"external_id":"a","text":"b","rating":1e999}', 422, "invalid", "rating"),
    (b'{"external_id":"a","text":"b","case_id":9223372036854775808}', 422, "invalid", "case_id"),
    (b'{"external_id":"a\\ud800","text":"b"}', 422, "invalid", "external_id"),
    (b'{"external_id":"a\\u0000","text":"b"}', 422, "invalid", "external_id"),
]
BAD_FACTS = [
    ({"external_id": ""}, "external_id"),
    ({"external_id": "x" * 201}, "external_id"),
    ({"external_id": 7}, "external_id"),
    ({"text": None}, "text"),
    ({"text": " \0"}, "text"),
    ({"text": "x" * 1_000_001}, "text"),
    ({"colour": "red"}, "colour"),
    ({"sender": "lin"}, "sender"),
    ({"sender": {}}, "sender"),
    ({"sender": {"email": "nonsense"}}, "sender.email"),
    ({"sender": {"phone": "12"}}, "sender.phone"),
    ({"sender": {"email": "a@b.example", "language": "Chinese language"}}, "sender.language"),
    ({"sent_at": "yesterday"}, "sent_at"),
    ({"sent_at": "2026-05-02T14:03:00"}, "sent_at"),
    ({"sent_at": 1777700000}, "sent_at"),
    ({"sent_at": "9999-12-31T23:59:59-14:00"}, "sent_at"),
    ({"sent_at": "0001-01-01T00:00:00+08:00"}, "sent_at"),
    ({"rating": 6}, "rating"),
    ({"rating": "5"}, "rating"),
    ({"opens_case": "no"}, "opens_case"),
]


@pytest.mark.parametrize(("body", "status", "code", "field"), BAD_BODIES)
def test_a_bad_body_is_refused_by_name_and_nothing_is_stored(post, body, status, code, field):
    answer = post(body)
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["field"]) == (status, code, field)
    assert set(counts().values()) == {0}


@pytest.mark.parametrize(("facts", "field"), BAD_FACTS)
def test_a_bad_field_is_named_and_nothing_is_stored(post, facts, field):
    answer = post({**GOOD, **facts})
    assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["field"]) == (422, "invalid", field)
    assert set(counts().values()) == {0}


def test_hostile_text_is_stored_as_it_is_but_for_what_no_database_holds(post):
    post(b'{"external_id":"h","text":"<script>alert(1)</script>\\u0000\\ud800=1+1","sender":{"email":"a@b.example"}}')
    assert Message.objects.get().body == "<script>alert(1)</script>?=1+1"


def test_a_body_over_the_limit_is_413_and_other_types_are_415(post, settings):
    assert post(GOOD, content_type="text/plain").status_code == 415
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = post(GOOD)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too-large")
    assert set(counts().values()) == {0}


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Bearer x", "Basic eDp5", "Bearer clnope.secret", "Bearer a\x01b.c", "Bearer " + "x" * 9000]
)
def test_without_a_valid_key_every_answer_is_the_same_401(cast, client, header):
    answer = client.post(URL, json.dumps(GOOD), content_type="application/json", headers={"Authorization": header})
    assert (answer.status_code, answer["WWW-Authenticate"], answer.json()["error"]["code"]) == (401, "Bearer", "unknown-key")
    assert set(counts().values()) == {0}


def test_a_right_prefix_with_a_wrong_secret_and_a_revoked_key_are_refused(cast, post, token, now):
    assert post(GOOD, key=token.split(".")[0] + ".wrong").status_code == 401
    revoke_api_key(key_id=cast.channel.keys.get().pk, actor=actor_of(cast.viewer(cast.owner)), now=now)
    assert post(GOOD).status_code == 401
    assert set(counts().values()) == {0}


def test_replies_of_the_own_channel_are_fetched_in_order_and_notes_never(cast, post, get, other_token, now):
    case_id = post(GOOD).json()["case_id"]
    other = post({**GOOD, "external_id": "o"}, key=other_token).json()["case_id"]
    viewer, outsider = cast.viewer(cast.agent), cast.viewer(cast.outsider)
    first = reply(case_id=case_id, body="We are sorry.", viewer=viewer, now=now)
    add_note(case_id=case_id, body="Batch B17 again", viewer=viewer, now=now)
    second = reply(case_id=case_id, body="A new one is on its way.", viewer=viewer, now=now + timedelta(minutes=1))
    reply(case_id=other, body="Not for the shop", viewer=outsider, now=now)
    answer = get(URL).json()
    assert [(message["id"], message["body"]) for message in answer["messages"]] == [
        (first.pk, "We are sorry."),
        (second.pk, "A new one is on its way."),
    ]
    assert answer["next_after"] == second.pk
    assert [message["id"] for message in get(URL, after=first.pk).json()["messages"]] == [second.pk]
    assert [message["id"] for message in get(URL, limit=1).json()["messages"]] == [first.pk]
    assert get(URL, after=second.pk).json() == {"messages": [], "next_after": second.pk}
    assert get(URL, direction="inbound").json()["messages"] == []  # the newest two seconds wait
    Message.objects.filter(direction="INBOUND").update(received_at=now)
    assert [message["body"] for message in get(URL, direction="inbound").json()["messages"]] == ["热水器漏水，要求退款"]
    assert get(URL, direction="note").status_code == 422


def test_a_known_customers_message_takes_a_fixed_number_of_queries(post):
    post(GOOD)
    with CaptureQueriesContext(connection) as known:
        assert post({**GOOD, "external_id": "second"}).status_code == 201
    with CaptureQueriesContext(connection) as repeated:
        assert post({**GOOD, "external_id": "second"}).status_code == 200
    assert (len(known), len(repeated)) == (19 if connection.vendor == "sqlite" else 18, 6)  # SQLite writes its full-text table itself
