"""The strip of steps on the case page: what it shows to whom, and what its forms do."""

import re

import pytest

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases import actions, moves
from careloop.desk.cases.models import Approval, Case, CaseFlow
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.flows.queries import versions_by_kind
from careloop.desk.intake.actions import receive_message

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def case(cast, inbound, now) -> Case:
    """A refund at its start."""
    ensure_shipped(now=now)
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    actions.triage(readings={case.pk: {"kind": "REFUND", "kind_probability": 0.9}}, now=now)
    case.refresh_from_db()
    return case


@pytest.fixture
def browser(client, cast):
    """The agent's browser."""
    client.force_login(cast.agent)
    return client


def post(browser, case, **given):
    case.refresh_from_db()
    facts = {"version": case.version, **{f"field-{name}" if name.isupper() else name: value for name, value in given.items()}}
    return browser.post(f"/cases/{case.pk}/step/", facts, headers=HTMX)


def strip(browser, case) -> str:
    page = browser.get(f"/cases/{case.pk}/").content.decode()
    found = re.search(r'<div class="flow".*?</header>', page, re.DOTALL)
    assert found
    return found.group(0)


def test_a_case_without_a_flow_has_no_strip(browser, case):
    CaseFlow.objects.all().delete()
    assert '<div class="flow"' not in browser.get(f"/cases/{case.pk}/").content.decode()


def test_the_strip_shows_the_way_and_where_the_case_is_in_the_readers_language(browser, cast, case):
    path = re.findall(r'<li class="(\w+)"[^>]*>(.*?)</li>', strip(browser, case))
    assert path == [("here", "Received"), ("ahead", "Being checked"), ("ahead", "Being paid"), ("ahead", "Refunded")]
    browser.cookies["django_language"] = "zh-hans"
    cast.agent.language = "zh-hans"
    cast.agent.save()
    assert [name for _when, name in re.findall(r'<li class="(\w+)"[^>]*>(.*?)</li>', strip(browser, case))] == [
        "已受理",
        "审核中",
        "退款中",
        "已退款",
    ]


def test_a_step_is_taken_with_what_it_asks_for(browser, case):
    answer = post(browser, case, step="CHECK", ORDER="20418837")
    assert answer.status_code == 200
    assert CaseFlow.objects.get().state == "CHECKING"
    page = strip(browser, case)
    assert 'name="field-AMOUNT" type="text" inputmode="decimal"' in page
    assert "Amount above 500.00 CNY needs an approval: Supervisor, Owner. Another currency always does." in page
    assert "Brings a task: Pay the refund (Finance)" in page
    told = browser.get(f"/cases/{case.pk}/").content.decode()
    assert "Chen took the step “Check”; the case is at “Being checked”" in told
    assert "Chen entered Order" in told


def test_a_step_that_is_not_possible_says_why_beside_the_form(browser, case):
    answer = post(browser, case, step="CHECK")
    assert (answer.status_code, answer["HX-Retarget"]) == (422, "#refusals")
    assert "“Check” needs first: Order." in answer.content.decode()
    assert CaseFlow.objects.get().state == "RECEIVED"


def test_what_was_entered_is_kept_without_a_step(browser, case):
    post(browser, case, step="CHECK", ORDER="77", do="keep")
    assert (CaseFlow.objects.get().state, CaseFlow.objects.get().values) == ("RECEIVED", {"ORDER": "77"})
    assert 'value="77"' in strip(browser, case)


def test_a_supervisor_decides_in_the_case_and_the_asker_does_not(browser, client, cast, case):
    post(browser, case, step="CHECK", ORDER="1")
    post(browser, case, step="AGREE", AMOUNT="600", do="ask", comment="broken twice")
    asked = Approval.objects.get()
    mine = strip(browser, case)
    assert "You asked; somebody else decides (four eyes)." in mine
    assert "Amount 600.00 CNY" in mine
    assert f"/approvals/{asked.pk}/" not in mine
    client.force_login(cast.supervisor)
    assert "broken twice" in strip(client, case)
    answer = client.post(f"/cases/{case.pk}/approvals/{asked.pk}/", {"decision": "yes", "comment": "fine"}, headers=HTMX)
    assert answer.status_code == 200
    assert Approval.objects.get().state == "GIVEN"
    assert "Sun agreed to “Agree to the refund”: fine" in client.get(f"/cases/{case.pk}/").content.decode()


def test_an_amount_that_waits_for_approval_can_be_put_right_and_is_asked_for_again(browser, cast, case):
    post(browser, case, step="CHECK", ORDER="1")
    post(browser, case, step="AGREE", AMOUNT="8000", do="ask")
    page = strip(browser, case)
    assert "Change its amount, and the request is taken back." in page
    assert re.findall(r'name="do" value="(\w+)">', page[page.index('value="AGREE"') : page.index('value="REFUSE"')]) == ["keep"]
    post(browser, case, step="AGREE", AMOUNT="800", do="keep")
    assert (CaseFlow.objects.get().state, CaseFlow.objects.get().values["AMOUNT"]["minor"]) == ("CHECKING", 80_000)
    assert Approval.objects.get().closed_at is not None
    post(browser, case, step="AGREE", do="ask")
    assert [(one.amount["minor"], one.closed_at is None) for one in Approval.objects.order_by("pk")] == [(800_000, False), (80_000, True)]


def test_a_decision_is_yes_or_no(client, cast, case, now):
    viewer = viewer_of(cast.agent)
    facts = {"case_id": case.pk, "viewer": viewer, "now": now}
    moves.move(transition="CHECK", entered={"ORDER": "1"}, expected_version=case.version, **facts)
    case.refresh_from_db()
    asked = moves.ask_approval(transition="AGREE", entered={"AMOUNT": "600"}, expected_version=case.version, **facts)
    client.force_login(cast.supervisor)
    answer = client.post(f"/cases/{case.pk}/approvals/{asked.pk}/", {"decision": "perhaps"}, headers=HTMX)
    assert answer.status_code == 422
    assert Approval.objects.get().state == "ASKED"


def test_an_analyst_sees_the_steps_and_takes_none(client, cast, case):
    client.force_login(cast.analyst)
    page = strip(client, case)
    assert "Your role takes no steps." in page
    assert "<form" not in page
    assert post(client, case, step="CHECK", ORDER="1").status_code == 403
    assert CaseFlow.objects.get().state == "RECEIVED"


def test_states_passed_long_ago_are_one_so_that_the_cases_own_is_in_sight(browser, cast, case, now):
    complaint = versions_by_kind()["COMPLAINT"]
    states = [state["code"] for state in complaint.definition["states"]]
    CaseFlow.objects.filter(case=case).update(flow_version=complaint, state=states[4])
    path = re.findall(r'<li class="(\w+)"[^>]*>(.*?)</li>', strip(browser, case), re.DOTALL)
    assert [when for when, _name in path][:3] == ["done", "done", "here"]
    assert 'title="Received → Being analysed → Remedy being designed"' in path[0][1]
    assert ">3</span>" in path[0][1]
