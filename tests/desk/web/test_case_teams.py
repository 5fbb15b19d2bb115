"""Giving a case to another team on its page, on the board and in the history; whoever loses sight of it is told."""

import pytest
from django.urls import reverse
from django.utils import translation

from careloop.desk.automation.actions import MacroFacts, save_macro
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.cases.teams import give_to_team
from careloop.desk.intake.actions import receive_message
from careloop.desk.notices.actions import notify
from careloop.desk.web.stream import teams_of
from careloop.desk.web.timeline import describe

pytestmark = pytest.mark.django_db
TOLD = "was given to the team Wholesale, whose cases you do not see."


@pytest.fixture
def case(cast, inbound, now):
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


def wish(case, team, **more):
    return {"version": case.version, "team": team.pk, **more}


def test_whoever_gives_a_case_out_of_sight_is_told_so_in_the_inbox(client, cast, case):
    client.force_login(cast.agent)
    assert "Wholesale (out of your sight)" in client.get(reverse("case", args=[case.pk])).content.decode()
    done = client.post(reverse("case-team", args=[case.pk]), wish(case, cast.other_team), follow=True)
    assert done.redirect_chain == [(reverse("inbox"), 302)]
    assert f"Case #{case.pk} {TOLD}" in done.content.decode()
    assert Case.objects.get().team == cast.other_team
    gone = client.get(reverse("case", args=[case.pk]))
    assert (gone.status_code, TOLD in gone.content.decode()) == (404, True)


def test_a_live_page_is_led_to_the_inbox(client, cast, case):
    client.force_login(cast.agent)
    done = client.post(reverse("case-team", args=[case.pk]), wish(case, cast.other_team), headers={"HX-Request": "true"})
    assert (done.status_code, done["HX-Redirect"]) == (204, reverse("inbox"))


def test_who_sees_both_teams_stays_and_reads_the_history_in_both_languages(client, cast, case, now):
    client.force_login(cast.owner)
    done = client.post(reverse("case-team", args=[case.pk]), wish(case, cast.other_team), follow=True).content.decode()
    assert "Olga gave the case to the team Wholesale" in done
    with translation.override("zh-hans"):
        assert describe(CaseEvent.objects.get(kind="TEAM"), {}) == "Olga 把工单转给了团队 Wholesale"


def test_the_second_of_two_sees_both_versions(client, cast, case, now):
    give_to_team(case_id=case.pk, team_id=cast.other_team.pk, expected_version=case.version, viewer=cast.viewer(cast.owner), now=now)
    client.force_login(cast.owner)
    late = client.post(reverse("case-team", args=[case.pk]), wish(case, cast.team), headers={"HX-Request": "true"})
    assert late.status_code == 409
    assert Case.objects.get().team == cast.other_team
    shown = late.content.decode()
    assert "Wholesale" in shown
    assert "After-sales" in shown


def test_both_teams_hear_of_it(cast, case, now):
    give_to_team(case_id=case.pk, team_id=cast.other_team.pk, expected_version=case.version, viewer=cast.viewer(cast.owner), now=now)
    assert teams_of(CaseEvent.objects.get(kind="TEAM")) == {cast.team.pk, cast.other_team.pk}
    assert teams_of(CaseEvent.objects.get(kind="OPENED")) == {cast.other_team.pk}


def test_a_card_goes_to_another_team_on_the_board(client, cast, case):
    client.force_login(cast.agent)
    board = reverse("board") + "?by=team"
    assert f'<option value="{cast.other_team.pk}">Wholesale</option>' in client.get(board).content.decode()
    address = reverse("board-move", args=[case.pk]) + "?by=team"
    done = client.post(address, {"version": case.version, "to": cast.other_team.pk}, headers={"HX-Request": "true"})
    assert TOLD in done.content.decode()
    assert Case.objects.get().team == cast.other_team


def test_a_macro_that_gives_the_case_out_of_sight_leads_to_the_inbox_and_says_that_its_text_was_not_used(client, cast, case, now):
    steps = [{"do": "GIVE_TO_TEAM", "value": cast.other_team.pk}, {"do": "SET_PRIORITY", "value": 40}]
    facts = MacroFacts("To wholesale", "PERSON", "Hello", steps)
    macro = save_macro(facts=facts, viewer=cast.viewer(cast.agent), now=now)
    client.force_login(cast.agent)
    done = client.post(reverse("case-macro", args=[case.pk, macro.pk]), headers={"HX-Request": "true"})
    assert (done.status_code, done["HX-Redirect"]) == (204, reverse("inbox"))
    shown = client.get(reverse("inbox")).content.decode()
    assert TOLD in shown
    assert "The text of the macro was not used" in shown
    case.refresh_from_db()
    assert (case.team, case.priority) == (cast.other_team, 40)


def test_a_text_that_could_not_be_sent_stands_in_its_notice(client, cast, case, now):
    told = {"text": "Somebody wrote in between.", "body": "Dear Lin,\nwe pay."}
    notify(user_ids=[cast.agent.pk], kind="NOT_SENT", key="held 1", case_id=case.pk, facts=told, now=now)
    client.force_login(cast.agent)
    shown = client.get(reverse("notices")).content.decode()
    for words in ("Your reply was not sent", "Somebody wrote in between.", "Dear Lin,\nwe pay."):
        assert words in shown


@pytest.mark.parametrize("who", ["outsider", "analyst"])
def test_others_give_nothing_away(client, cast, case, who):
    client.force_login(getattr(cast, who))
    before = Case.objects.values().get()
    assert client.post(reverse("case-team", args=[case.pk]), wish(case, cast.other_team)).status_code in (403, 404)
    assert Case.objects.values().get() == before
