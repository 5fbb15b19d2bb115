"""Flows and steps of cases as a program sees and takes them; a key without a person, of another team, or too late changes nothing."""

import pytest

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases import actions
from careloop.desk.cases.models import Approval, Case, CaseEvent, CaseFlow, Decision
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.flows.models import Flow
from careloop.desk.intake.actions import receive_message

pytestmark = pytest.mark.django_db
SIX_HUNDRED = {"minor": 60_000, "currency": "CNY"}


@pytest.fixture
def case(cast, inbound, now) -> Case:
    """A refund at its start."""
    ensure_shipped(now=now)
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    actions.triage(readings={case.pk: {"kind": "REFUND", "kind_probability": 0.9}}, now=now)
    case.refresh_from_db()
    return case


@pytest.fixture
def program(client, cast, now):
    """Requests with the key of a person (None: of nobody) and a channel."""
    tokens = {}

    def request(who, path, body=None, *, channel=None):
        of = channel or cast.channel
        facts = {"name": "ERP", "channel_id": of.pk, "actor": actor_of(cast.viewer(cast.owner)), "now": now}
        token = tokens.setdefault((who, of), None) or create_api_key(person_id=who.pk if who else None, **facts)[1]
        tokens[who, of] = token
        headers = {"Authorization": f"Bearer {token}"}
        if body is None:
            return client.get(f"/api/v1{path}", headers=headers)
        return client.post(f"/api/v1{path}", body, content_type="application/json", headers=headers)

    return request


@pytest.fixture
def asked(cast, case, program) -> Approval:
    """The agent's program asked for 600.00."""
    checked = program(cast.agent, f"/cases/{case.pk}/steps", {"step": "CHECK", "expected_version": case.version, "fields": {"ORDER": "1"}})
    body = {"step": "AGREE", "expected_version": checked.json()["version"], "fields": {"AMOUNT": "600"}, "comment": "twice"}
    assert program(cast.agent, f"/cases/{case.pk}/approvals", body).status_code == 200
    case.refresh_from_db()
    return Approval.objects.get()


def kept() -> dict:
    tables = (Case, CaseFlow, Approval, Decision)
    return {one.__name__: list(one.objects.order_by("pk").values()) for one in tables} | {"events": CaseEvent.objects.count()}


def refused(answer_of, status: int, code: str) -> str:
    """The sentence of a refusal, after which everything is as it was."""
    before = kept()
    answer = answer_of()
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert kept() == before
    return answer.json()["error"]["message"]


def test_flows_are_listed_and_read_version_by_version(program, cast, case):
    listed = program(None, "/flows").json()["flows"]
    assert [one["kind"] for one in listed] == ["COMPLAINT", "CONSULTATION", "PRAISE", "REFUND", "SUGGESTION"]
    flow = Flow.objects.get(kind="REFUND")
    read = program(None, f"/flows/{flow.pk}").json()
    assert (read["name"], read["version"], read["versions"]) == ({"en": "Refund and return", "zh": "退款退货"}, 1, [1])
    assert read["definition"] == flow.versions.get().definition
    assert program(None, f"/flows/{flow.pk}?version=1").json() == read
    assert program(None, f"/flows/{flow.pk}?version=2").status_code == 404
    assert program(None, "/flows/999").status_code == 404


def test_a_case_says_where_it_stands_and_what_each_step_needs(program, cast, case):
    read = program(cast.agent, f"/cases/{case.pk}/flow").json()
    assert (read["state"], read["state_name"]["zh"], read["version"], read["values"]) == ("RECEIVED", "已受理", case.version, {})
    assert read["steps"] == [
        {
            "code": "CHECK",
            "name": {"en": "Check", "zh": "开始审核"},
            "target": "CHECKING",
            "is_possible": False,
            "obstacle": "MISSING",
            "missing": ["ORDER"],
            "why": "“Check” needs first: Order.",
        }
    ]
    CaseFlow.objects.all().delete()
    nowhere = program(None, f"/cases/{case.pk}/flow").json()
    assert (nowhere["flow_id"], nowhere["steps"], nowhere["approvals"]) == (None, [], [])


def test_a_program_takes_a_step_in_a_persons_name(program, cast, case):
    body = {"step": "CHECK", "expected_version": case.version, "fields": {"ORDER": "77"}}
    answer = program(cast.agent, f"/cases/{case.pk}/steps", body).json()
    assert (answer["state"], answer["values"], answer["version"]) == ("CHECKING", {"ORDER": "77"}, case.version + 1)
    moved = CaseEvent.objects.filter(kind="MOVED").last()
    assert (moved.actor_kind, moved.actor_id, moved.actor_name) == ("user", cast.agent.pk, "Chen (ERP)")


def test_whoever_saw_an_older_version_takes_no_step_and_decides_nothing(program, cast, case, asked):
    stale = {"expected_version": case.version - 1}
    for who, path, body in (
        (cast.agent, "steps", {"step": "REFUSE", **stale, "fields": {"REASON": "late"}}),
        (cast.agent, "approvals", {"step": "AGREE", **stale, "fields": {"AMOUNT": "700"}}),
        (cast.supervisor, f"approvals/{asked.pk}", {"decision": "yes", **stale}),
    ):
        sentence = refused(lambda who=who, path=path, body=body: program(who, f"/cases/{case.pk}/{path}", body), 409, "conflict")
        assert sentence.startswith(f"Somebody else changed case #{case.pk} in between")


def test_four_eyes_hold_for_programs_too(program, cast, case, asked):
    path, body = f"/cases/{case.pk}/approvals/{asked.pk}", {"decision": "yes", "expected_version": case.version, "comment": "fine"}
    assert (asked.amount, asked.comment) == (SIX_HUNDRED, "twice")
    refused(lambda: program(cast.agent, path, body), 403, "not-allowed")
    answer = program(cast.supervisor, path, body).json()
    assert [(one["state"], one["amount"], one["decisions"][0]["who"]) for one in answer["approvals"]] == [("GIVEN", SIX_HUNDRED, "Sun")]
    refused(lambda: program(cast.owner, path, {**body, "expected_version": answer["version"]}), 409, "conflict")
    paid = program(cast.agent, f"/cases/{case.pk}/steps", {"step": "AGREE", "expected_version": answer["version"]})
    assert paid.json()["state"] == "PAYING"


def test_one_who_asked_as_a_supervisor_does_not_decide(program, cast, case, asked):
    Approval.objects.update(asked_by=cast.supervisor)
    body = {"decision": "yes", "expected_version": case.version}
    sentence = refused(lambda: program(cast.supervisor, f"/cases/{case.pk}/approvals/{asked.pk}", body), 403, "not-allowed")
    assert sentence == "You asked for this approval yourself; somebody else decides (four eyes)."
    refuse = program(cast.owner, f"/cases/{case.pk}/approvals/{asked.pk}", {**body, "decision": "no"}).json()
    assert [one["state"] for one in refuse["approvals"]] == ["REFUSED"]


def test_what_waits_is_listed_with_what_the_person_decides_first(program, cast, asked):
    (mine,) = program(cast.supervisor, "/approvals").json()["approvals"]
    assert (mine["id"], mine["step"], mine["may_decide"], mine["asked_by"]) == (asked.pk, "AGREE", True, "Chen")
    assert program(cast.agent, "/approvals").json()["approvals"][0]["may_decide"] is False
    assert program(cast.outsider, "/approvals", channel=cast.other_channel).json() == {"approvals": [], "is_more": False}


def test_a_key_of_nobody_reads_and_takes_no_step(program, cast, case, asked):
    assert program(None, f"/cases/{case.pk}/flow").json()["state"] == "CHECKING"
    body = {"step": "REFUSE", "expected_version": case.version, "fields": {"REASON": "x"}}
    sentence = refused(lambda: program(None, f"/cases/{case.pk}/steps", body), 403, "not-allowed")
    assert sentence == "This key works for nobody; an owner makes one that works for a person under Settings, API keys."
    decision = {"decision": "yes", "expected_version": case.version}
    refused(lambda: program(None, f"/cases/{case.pk}/approvals/{asked.pk}", decision), 403, "not-allowed")
    assert program(None, "/approvals").status_code == 403


def test_a_person_who_was_switched_off_works_through_no_key(program, cast, case):
    path, body = f"/cases/{case.pk}/steps", {"step": "CHECK", "expected_version": case.version, "fields": {"ORDER": "1"}}
    assert program(cast.agent, f"/cases/{case.pk}/flow").status_code == 200
    cast.agent.is_active = False
    cast.agent.save()
    refused(lambda: program(cast.agent, path, body), 403, "not-allowed")


def test_outsiders_reach_no_case_through_any_key(program, cast, case, asked):
    step = {"step": "REFUSE", "expected_version": case.version, "fields": {"REASON": "x"}}
    decision = {"decision": "yes", "expected_version": case.version}
    for who, channel in ((cast.outsider, cast.other_channel), (cast.outsider, cast.channel), (cast.owner, cast.other_channel)):
        for path, body in (("steps", step), ("approvals", {**step, "step": "AGREE"}), (f"approvals/{asked.pk}", decision), ("flow", None)):
            answer = lambda who=who, path=path, body=body, channel=channel: program(  # noqa: E731
                who, f"/cases/{case.pk}/{path}", body, channel=channel
            )
            refused(answer, 404, "not-found")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"step": "CHECK"}, 422, "expected_version"),
        ({"step": "CHECK", "expected_version": "3"}, 422, "expected_version"),
        ({"step": "CHECK", "expected_version": 3, "colour": "red"}, 422, "colour"),
        ({"step": "CHECK", "expected_version": 3, "fields": {"ORDER": 1}}, 422, "fields.ORDER"),
        ({"step": "CHECK", "expected_version": 3, "fields": {"COLOUR": "red"}}, 422, "COLOUR"),
        ({"step": "PAID", "expected_version": 3}, 422, "transition"),
        ("[]", 400, ""),
    ],
)
def test_a_body_that_is_wrong_says_where(program, cast, case, body, status, field):
    assert case.version == 2
    given = {**body, "expected_version": 2} if isinstance(body, dict) and body.get("expected_version") == 3 else body
    before = kept()
    answer = program(cast.agent, f"/cases/{case.pk}/steps", given)
    assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)
    assert kept() == before


def test_the_trail_says_in_whose_name_a_key_works(program, cast, case):
    program(cast.agent, "/flows")
    details = AuditEntry.objects.get(action="key.create").details
    assert details["person"] == cast.agent.pk


def test_a_program_gives_a_case_to_another_team_and_sees_it_no_more(program, cast, case):
    path, body = f"/cases/{case.pk}/team", {"team": cast.other_team.pk, "expected_version": case.version}
    before = kept()
    assert program(None, path, body).status_code == 403
    assert program(cast.outsider, path, body, channel=cast.other_channel).status_code == 404
    assert program(cast.agent, path, {**body, "expected_version": 1}).status_code == 409
    unknown = program(cast.agent, path, {**body, "team": 999})
    assert (unknown.status_code, unknown.json()["error"]["field"]) == (422, "team")
    assert f"{cast.other_team.pk} (Wholesale)" in unknown.json()["error"]["message"]
    assert kept() == before
    answer = program(cast.agent, path, body)
    told = {"case_id": case.pk, "team": cast.other_team.pk, "version": case.version + 1, "assignee_id": None, "is_in_sight": False}
    assert (answer.status_code, answer.json()) == (200, told)
    assert program(cast.agent, f"/cases/{case.pk}").status_code == 404
