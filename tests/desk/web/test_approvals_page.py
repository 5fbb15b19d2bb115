"""The list of approvals: what waits for whom, deciding from it, and the number beside its link."""

import pytest

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases import actions, moves
from careloop.desk.cases.approval_queries import count_mine, list_waiting
from careloop.desk.cases.models import Approval, Case, Decision
from careloop.desk.customers.rules import AddressValue
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.intake.actions import receive_message

pytestmark = pytest.mark.django_db
MINE = 'id="for-you"'
OTHERS = 'id="for-others"'


@pytest.fixture
def ask(cast, inbound, now):
    """Makes a refund of 600.00 that waits for an approval asked for by this person."""
    ensure_shipped(now=now)

    def make(who, name: str = "lin", slug: str = "shop") -> Approval:
        message = inbound(external_id=name, channel_slug=slug, addresses=(AddressValue("EMAIL", f"{name}@x.example"),))
        case = Case.objects.get(pk=receive_message(message, now=now).case_id)
        actions.triage(readings={case.pk: {"kind": "REFUND", "kind_probability": 0.9}}, now=now)
        facts = {"case_id": case.pk, "viewer": viewer_of(who), "now": now}
        case.refresh_from_db()
        case = moves.move(transition="CHECK", expected_version=case.version, entered={"ORDER": "1"}, **facts)
        return moves.ask_approval(transition="AGREE", expected_version=case.version, entered={"AMOUNT": "600"}, comment="twice", **facts)

    return make


def sees(client, who) -> str:
    client.force_login(who)
    return client.get("/approvals/").content.decode()


def test_who_decides_sees_it_first_and_who_asked_sees_that_somebody_else_decides(client, cast, ask):
    asked = ask(cast.agent)
    page = sees(client, cast.supervisor)
    assert (MINE in page, OTHERS in page) == (True, False)
    assert [word in page for word in ("Agree to the refund", "Amount 600.00 CNY", "asked by Chen", "twice")] == [True] * 4
    assert f'href="/cases/{asked.case_id}/"' in page
    page = sees(client, cast.agent)
    assert (MINE in page, OTHERS in page) == (False, True)
    assert "You asked; somebody else decides (four eyes)." in page
    assert 'name="decision"' not in page


def test_a_supervisor_who_asked_waits_for_somebody_else(client, cast, ask):
    asked = ask(cast.supervisor)
    page = sees(client, cast.supervisor)
    assert "You asked; somebody else decides (four eyes)." in page
    assert 'name="decision"' not in page
    answer = client.post(f"/cases/{asked.case_id}/approvals/{asked.pk}/", {"decision": "yes", "next": "/approvals/"})
    assert answer.status_code == 403
    assert (Approval.objects.get().state, Decision.objects.count()) == ("ASKED", 0)
    assert MINE in sees(client, cast.owner)


@pytest.mark.parametrize(("said", "state", "told"), [("yes", "GIVEN", "You agreed; case #"), ("no", "REFUSED", "You refused; case #")])
def test_deciding_from_the_list_leads_back_to_it(client, cast, ask, said, state, told):
    asked = ask(cast.agent)
    client.force_login(cast.supervisor)
    facts = {"decision": said, "comment": "fine", "next": "/approvals/"}
    answer = client.post(f"/cases/{asked.case_id}/approvals/{asked.pk}/", facts, follow=True)
    assert answer.redirect_chain == [("/approvals/", 302)]
    page = answer.content.decode()
    assert f"{told}{asked.case_id}." in page
    assert "Nothing waits for an approval" in page
    assert (Approval.objects.get().state, Decision.objects.get().comment) == (state, "fine")


def test_a_way_back_to_elsewhere_is_not_taken(client, cast, ask):
    asked = ask(cast.agent)
    client.force_login(cast.supervisor)
    facts = {"decision": "yes", "next": "https://elsewhere.example/"}
    assert client.post(f"/cases/{asked.case_id}/approvals/{asked.pk}/", facts)["Location"] == f"/cases/{asked.case_id}/"


def test_other_teams_see_nothing_of_it_and_decide_nothing(client, cast, ask, now):
    asked = ask(cast.agent)
    rival = User.objects.create(email="rival@desk.example", display_name="Rival", role="SUPERVISOR", date_joined=now)
    rival.teams.set([cast.other_team])
    for person, refusal in ((cast.outsider, 403), (rival, 404)):
        page = sees(client, person)
        assert "Nothing waits for an approval" in page
        answer = client.post(f"/cases/{asked.case_id}/approvals/{asked.pk}/", {"decision": "yes", "next": "/approvals/"})
        assert answer.status_code == refusal
    assert (Approval.objects.get().state, Decision.objects.count(), count_mine(viewer_of(rival))) == ("ASKED", 0, 0)
    client.force_login(cast.analyst)
    assert client.get("/approvals/").status_code == 403


def test_of_two_that_have_to_agree_the_first_waits_for_the_second(cast, ask, now):
    asked = ask(cast.agent)
    Approval.objects.update(needs=2)
    moves.decide(approval_id=asked.pk, is_yes=True, viewer=viewer_of(cast.supervisor), now=now)
    assert [(count_mine(viewer_of(who))) for who in (cast.agent, cast.supervisor, cast.owner)] == [0, 0, 1]
    (row,), is_more = list_waiting(viewer_of(cast.supervisor))
    assert (row.is_mine, [one.who for one in row.decisions], is_more) == (False, [cast.supervisor], False)


def test_closed_and_decided_ones_wait_for_nobody(cast, ask, now):
    first, second = ask(cast.agent, "a"), ask(cast.agent, "b")
    assert count_mine(viewer_of(cast.supervisor)) == 2
    moves.decide(approval_id=first.pk, is_yes=False, viewer=viewer_of(cast.owner), now=now)
    Approval.objects.filter(pk=second.pk).update(closed_at=now)
    assert (count_mine(viewer_of(cast.supervisor)), list_waiting(viewer_of(cast.supervisor))) == (0, ([], False))


def test_the_number_stands_beside_the_link_and_in_the_inbox(client, cast, ask):
    ask(cast.agent)
    client.force_login(cast.supervisor)
    assert client.get("/approvals/count/").content.decode().strip() == '<span class="n">1</span>'
    assert "1 approval waits for you" in client.get("/approvals/count/?place=inbox").content.decode()
    assert "/approvals/count/?place=inbox" in client.get("/").content.decode()
    client.force_login(cast.agent)
    assert client.get("/approvals/count/").content.decode().strip() == '<span class="n"></span>'
    assert "/approvals/count/?place=inbox" not in client.get("/").content.decode()


def test_the_list_costs_the_same_for_any_number(client, cast, ask, django_assert_max_num_queries):
    ask(cast.agent, "a")
    client.force_login(cast.supervisor)
    with django_assert_max_num_queries(30) as few:
        client.get("/approvals/")
    for name in "bcdef":
        ask(cast.agent, name)
    with django_assert_max_num_queries(len(few)):
        page = client.get("/approvals/").content.decode()
    assert page.count('<article class="asked"') == 6
