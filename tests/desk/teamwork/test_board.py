"""The board: whose cases stand in which column, and moving a card through the actions of the case page; a refusal changes nothing."""

import re

import pytest

from careloop.desk.accounts.models import Team
from careloop.desk.cases import actions, moves
from careloop.desk.cases.models import Approval, Case, CaseEvent, CaseFlow
from careloop.desk.customers.rules import AddressValue
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.flows.models import Flow
from careloop.desk.intake.actions import receive_message
from careloop.desk.teamwork import board as boards
from careloop.desk.teamwork.board import Wanted, board

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def refund(cast, inbound, now):
    """Makes a refund at its start; of a channel."""
    ensure_shipped(now=now)

    def make(name: str = "lin", slug: str = "shop", kind: str = "REFUND") -> Case:
        message = inbound(external_id=name, channel_slug=slug, addresses=(AddressValue("EMAIL", f"{name}@x.example"),))
        case = Case.objects.get(pk=receive_message(message, now=now).case_id)
        actions.triage(readings={case.pk: {"kind": kind, "kind_probability": 0.9}}, now=now)
        case.refresh_from_db()
        return case

    return make


@pytest.fixture
def browser(client, cast):
    """The agent's browser."""
    client.force_login(cast.agent)
    return client


def flow_id() -> int:
    return Flow.objects.get(kind="REFUND").pk


def drop(browser, case, to: str, by: str = "flow", headers=None, **query):
    case.refresh_from_db()
    asked = "&".join(f"{name}={value}" for name, value in {"by": by, **query}.items())
    return browser.post(f"/board/cases/{case.pk}/?{asked}", {"to": to, "version": case.version}, headers=headers)


def state(case) -> str:
    return CaseFlow.objects.get(case=case).state


def kept(case) -> tuple:
    case.refresh_from_db()
    return case.version, case.status, case.assignee_id, state(case), CaseEvent.objects.count()


def totals(found) -> dict[str, int]:
    return {one.name: one.total for one in found.columns}


def test_columns_of_a_flow_are_its_states_and_count_the_viewers_cases(cast, refund, now):
    case = refund("a")
    refund("b")
    refund("c", "wholesale")
    refund("d", kind="PRAISE")
    facts = {"case_id": case.pk, "expected_version": case.version, "viewer": cast.viewer(cast.agent), "now": now}
    moves.move(transition="CHECK", entered={"ORDER": "1"}, **facts)
    found = board(Wanted("flow", flow_id=flow_id()), cast.viewer(cast.agent), now=now)
    assert totals(found) == {
        "Received": 1, "Being checked": 1, "Goods on their way back": 0, "Being paid": 0, "Refunded": 0, "Refused": 0,
    }  # fmt: skip
    assert totals(board(Wanted("flow", flow_id=flow_id()), cast.viewer(cast.outsider), now=now))["Received"] == 1
    assert totals(board(Wanted("flow", flow_id=flow_id()), cast.viewer(cast.owner), now=now))["Received"] == 2


def test_columns_of_people_begin_with_nobody_and_are_of_one_team(cast, refund, now):
    case = refund("a")
    refund("b")
    actions.assign(case_id=case.pk, assignee_id=cast.agent.pk, expected_version=case.version, viewer=cast.viewer(cast.agent), now=now)
    found = board(Wanted("person"), cast.viewer(cast.agent), now=now)
    assert totals(found) == {"Nobody yet": 1, "Chen": 1, "Olga": 0, "Sun": 0}
    assert found.wanted.team_id == cast.team.pk
    assert totals(board(Wanted("person", team_id=cast.other_team.pk), cast.viewer(cast.owner), now=now)) == {
        "Nobody yet": 0, "Olga": 0, "Wang": 0,
    }  # fmt: skip


def test_a_card_dropped_on_a_state_takes_the_step_that_leads_there(browser, refund):
    case = refund()
    moves_to = drop(browser, case, "CHECKING", flow=flow_id())
    assert moves_to.status_code == 422
    assert "“Check” needs first: Order." in moves_to.content.decode()
    assert state(case) == "RECEIVED"
    CaseFlow.objects.update(values={"ORDER": "1"})
    assert drop(browser, case, "CHECKING", flow=flow_id()).status_code == 302
    assert drop(browser, case, "step ASK_BACK", flow=flow_id())["Location"] == f"/board/?by=flow&flow={flow_id()}"
    case.refresh_from_db()
    assert (state(case), case.status) == ("RETURNING", "WAITING")


def test_what_is_refused_is_said_above_the_board_and_changes_nothing(browser, cast, refund, now):
    case = refund()
    CaseFlow.objects.update(state="CHECKING", values={"ORDER": "1", "AMOUNT": {"minor": 60_000, "currency": "CNY"}})
    before = kept(case)
    for to, by, sentence in (
        ("REFUNDED", "flow", f"No step leads from “Being checked” to “Refunded”; open case #{case.pk} to see its steps."),
        ("PAYING", "flow", "“Agree to the refund” needs an approval first (Supervisor, Owner); ask for it."),
        ("step PAID", "flow", "“PAID” is no step from “Being checked”; load the page again."),
        ("RESOLVED", "status", "“Refund and return” stands at “Being checked”; before the case is resolved these steps are taken"),
        (str(cast.outsider.pk), "person", "That person does not work in this case&#x27;s team; choose somebody from the list."),
        ("somebody", "person", "There is no such person; choose somebody from the list."),
        ("Finance", "department", f"Tasks go to another department where they are changed; open case #{case.pk}."),
        ("", "status", f"Choose where case #{case.pk} goes."),
    ):
        answer = drop(browser, case, to, by, HTMX)
        assert (answer.status_code, answer["HX-Retarget"]) == (422, "#board")
        page = answer.content.decode()
        assert sentence in page.replace("&quot;", '"')
        assert (page.lstrip().startswith('<div id="board">'), kept(case)) == (True, before)
    assert Approval.objects.count() == 0


def test_a_card_of_before_is_refused_and_the_board_shows_how_things_stand(browser, cast, refund, now):
    case = refund()
    actions.set_priority(case_id=case.pk, priority=40, expected_version=case.version, viewer=cast.viewer(cast.supervisor), now=now)
    answer = browser.post(f"/board/cases/{case.pk}/?by=status", {"to": "WAITING", "version": case.version}, headers=HTMX)
    case.refresh_from_db()
    assert (answer.status_code, case.status) == (409, "OPEN")
    assert f'name="version" value="{case.version}"' in answer.content.decode()


def test_people_and_statuses_change_through_the_same_actions(browser, cast, refund):
    case = refund()
    assert drop(browser, case, str(cast.agent.pk), "person", team=cast.team.pk).status_code == 302
    assert drop(browser, case, "WAITING", "status", HTMX).status_code == 200
    case.refresh_from_db()
    assert (case.assignee, case.status) == (cast.agent, "WAITING")
    assert drop(browser, case, "0", "person").status_code == 302
    case.refresh_from_db()
    assert case.assignee is None
    assert [event.kind for event in CaseEvent.objects.order_by("pk")][-3:] == ["ASSIGNED", "STATUS", "ASSIGNED"]


def test_outsiders_and_readers_move_nothing(client, cast, refund):
    case = refund()
    before = kept(case)
    for person, status in ((cast.outsider, 404), (cast.analyst, 403)):
        client.force_login(person)
        for by, to in (("status", "WAITING"), ("flow", "CHECKING"), ("person", "0")):
            assert drop(client, case, to, by).status_code == status
    assert kept(case) == before
    assert "draggable" not in client.get("/board/?by=flow").content.decode().replace('draggable="false"', "")
    client.force_login(cast.outsider)
    assert f"/cases/{case.pk}/" not in client.get("/board/").content.decode()


def test_the_list_on_a_card_offers_what_is_possible_and_says_why_not(browser, refund):
    case = refund()
    page = browser.get(f"/board/?by=flow&flow={flow_id()}").content.decode()
    options = re.findall(r'<option value="(step [^"]*)"( disabled)?>(.*?)</option>', page)
    assert options == [("step CHECK", " disabled", "Check → Being checked – “Check” needs first: Order.")]
    assert f'action="/board/cases/{case.pk}/?by=flow&amp;flow={flow_id()}"' in page


def test_a_board_by_what_is_not_known_or_of_another_team_is_refused(browser, cast):
    assert browser.get("/board/?by=colour").status_code == 422
    assert browser.get(f"/board/?team={cast.other_team.pk}").status_code == 422


def test_a_long_column_is_cut_and_opened(browser, cast, refund, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(boards, "IN_A_COLUMN", 2)
    for name in "abc":
        refund(name)
    path = f"/board/?by=flow&flow={flow_id()}"
    with django_assert_max_num_queries(30) as few:
        page = browser.get(path).content.decode()
    as_many = len(few)
    assert (page.count("data-card"), "Open all 3" in page) == (2, True)
    page = browser.get(f"{path}&all=RECEIVED").content.decode()
    assert (page.count("data-card"), "Open all 3" in page) == (3, False)
    for name in "defg":
        refund(name)
    monkeypatch.setattr(boards, "IN_A_COLUMN", 7)
    with django_assert_max_num_queries(as_many):
        assert browser.get(path).content.decode().count("data-card") == 7
    assert browser.get("/board/?by=person&all=0").content.decode().count("data-card") == 7
    assert browser.get("/board/?by=person&all=x").status_code == 200


def test_a_house_without_flows_or_teams_says_so(client, cast, now):
    client.force_login(cast.owner)
    assert "There is no flow, so no case stands at a step." in client.get("/board/?by=flow").content.decode()
    cast.owner.teams.clear()
    assert client.get(f"/board/?by=person&team={Team.objects.first().pk}").status_code == 200
