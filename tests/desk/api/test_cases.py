"""Cases and health as a program sees them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.analysis.actions import understand
from careloop.desk.cases.actions import add_note, reply
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message, receive_messages
from careloop.desk.jobs.models import Heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def get(client, cast, now):
    token = create_api_key(name="Shop", channel_id=cast.channel.pk, actor=actor_of(cast.viewer(cast.owner)), now=now)[1]

    def fetch(path, **parameters):
        return client.get(f"/api/v1{path}", parameters, headers={"Authorization": f"Bearer {token}"})

    return fetch


def test_a_case_is_read_with_what_was_said_and_without_notes(cast, get, inbound, now):
    case_id = receive_message(inbound(subject="漏水"), now=now).case_id
    reply(case_id=case_id, body="We are sorry.", viewer=cast.viewer(cast.agent), now=now)
    add_note(case_id=case_id, body="Batch B17", viewer=cast.viewer(cast.agent), now=now)
    case = get(f"/cases/{case_id}").json()
    assert (case["id"], case["subject"], case["status"], case["channel"]) == (case_id, "漏水", "WAITING", "shop")
    assert case["opened_at"] == "2026-05-04T06:00:00Z"
    assert [(message["direction"], message["body"]) for message in case["messages"]] == [
        ("inbound", "热水器漏水，我要求退款。订单 20418837"),
        ("outbound", "We are sorry."),
    ]


def test_a_message_tells_what_it_speaks_of_once_it_is_read(cast, get, inbound, now):
    receipt = receive_message(inbound(text="物流慢，但客服好"), now=now)
    (message,) = get(f"/cases/{receipt.case_id}").json()["messages"]
    assert message["aspects"] == []
    understand([receipt.message_id], now=now)
    (message,) = get(f"/cases/{receipt.case_id}").json()["messages"]
    assert [(one["aspect"], one["sentiment"], one["probability"] > 0.5) for one in message["aspects"]] == [
        ("delivery", "negative", False),
        ("service", "positive", True),
    ]
    (listed,) = get("/messages", direction="inbound").json()["messages"]
    assert listed["aspects"] == message["aspects"]


def test_another_teams_case_is_not_found_and_not_listed(cast, get, inbound, now):
    theirs = receive_message(inbound(channel_slug="wholesale"), now=now).case_id
    answer = get(f"/cases/{theirs}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not-found")
    assert get("/cases").json() == {"cases": [], "next_after": 0}


def test_cases_are_listed_by_number_and_filtered_by_status(cast, get, inbound, now):
    ids = [
        receive_message(inbound(external_id=name, addresses=(AddressValue("EMAIL", f"{name}@x.example"),)), now=now).case_id
        for name in "abc"
    ]
    reply(case_id=ids[1], body="Done.", viewer=cast.viewer(cast.agent), now=now, status="RESOLVED")
    assert [case["id"] for case in get("/cases").json()["cases"]] == ids
    assert get("/cases", after=ids[0], limit=1).json()["next_after"] == ids[1]
    assert [case["id"] for case in get("/cases", status="RESOLVED").json()["cases"]] == [ids[1]]


@pytest.mark.parametrize(
    ("path", "field"), [("/cases?afte=5", "afte"), ("/cases?limit=1&limit=2", "limit"), ("/cases/1?x=1", "x"), ("/health?x=1", "x")]
)
def test_an_unknown_or_repeated_parameter_is_refused_rather_than_ignored(get, path, field):
    answer = get(path)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, field)


@pytest.mark.parametrize(
    "path", ["/cases/0", "/cases/9223372036854775808", "/cases/x", "/cases?limit=0", "/cases?status=open", "/messages?after=-1"]
)
def test_a_wrong_parameter_is_named(get, path):
    answer = get(path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "invalid")
    assert answer.json()["error"]["field"] in {"case_id", "limit", "status", "after"}


def test_the_list_takes_as_many_queries_for_many_cases_as_for_one(get, inbound, now):
    def queries() -> int:
        with CaptureQueriesContext(connection) as made:
            assert get("/cases").status_code == 200
        return len(made)

    get("/cases")  # the key's first use is noted
    receive_message(inbound(), now=now)
    one = queries()
    receive_messages([inbound(external_id=f"m{i}", addresses=(AddressValue("EMAIL", f"{i}@x.example"),)) for i in range(20)], now=now)
    assert (one, queries()) == (5, 5)


@pytest.mark.parametrize("path", ["/cases", "/cases/1", "/messages"])
def test_nothing_is_read_without_a_key(client, path):
    assert client.get(f"/api/v1{path}").status_code == 401


def test_health_says_whether_database_migrations_and_worker_are_there(client):
    answer = client.get("/api/v1/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "degraded", "database": True, "migrations": True, "worker": False})
    now = timezone.now()
    Heartbeat.objects.create(worker_id="w", started_at=now, seen_at=now)
    assert client.get("/api/v1/health").json() == {"status": "ok", "database": True, "migrations": True, "worker": True}


def test_the_document_is_openapi_3_1_and_names_every_operation(client):
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert {(path, method) for path, methods in document["paths"].items() for method in methods} == {
        ("/api/v1/messages", "post"),
        ("/api/v1/messages", "get"),
        ("/api/v1/cases", "get"),
        ("/api/v1/cases/{case_id}", "get"),
        ("/api/v1/cases/{case_id}/flow", "get"),
        ("/api/v1/cases/{case_id}/team", "post"),
        ("/api/v1/cases/{case_id}/work-time", "get"),
        ("/api/v1/cases/{case_id}/steps", "post"),
        ("/api/v1/cases/{case_id}/approvals", "post"),
        ("/api/v1/cases/{case_id}/approvals/{approval_id}", "post"),
        ("/api/v1/approvals", "get"),
        ("/api/v1/flows", "get"),
        ("/api/v1/flows/{flow_id}", "get"),
        ("/api/v1/cases/{case_id}/comparisons/{comparison_id}", "post"),
        ("/api/v1/cases/{case_id}/solutions", "get"),
        ("/api/v1/cases/{case_id}/solutions/{solution_id}", "post"),
        ("/api/v1/comparisons", "get"),
        ("/api/v1/comparisons/{comparison_id}", "get"),
        ("/api/v1/figures", "get"),
        ("/api/v1/help/{slug}/votes", "post"),
        ("/api/v1/invitations/{invitation_id}/answer", "post"),
        ("/api/v1/measures", "get"),
        ("/api/v1/solutions", "get"),
        ("/api/v1/purchases", "post"),
        ("/api/v1/reports/{report}", "get"),
        ("/api/v1/dashboards", "get"),
        ("/api/v1/dashboards/{dashboard_id}", "get"),
        ("/api/v1/times", "get"),
        ("/api/v1/retention", "get"),
        ("/api/v1/explanations", "get"),
        ("/api/v1/surveys", "get"),
        ("/api/v1/surveys/{survey_id}/invitations", "post"),
        ("/api/v1/surveys/{survey_id}/results", "get"),
        ("/api/v1/health", "get"),
    }
