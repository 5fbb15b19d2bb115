"""Solutions as a program sees and uses them; another team's key, one of nobody and a withdrawn solution change nothing."""

import pytest

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message
from careloop.desk.solutions.actions import Facts, Wording
from careloop.desk.solutions.models import HelpVote, SolutionUse
from careloop.desk.solutions.queueing import save_solution

pytestmark = pytest.mark.django_db
LEAK = {
    "zh": Wording("热水器漏水", "先断电关阀。", "请先断电并关闭进水阀。"),
    "en": Wording("The water heater leaks", "Switch it off.", "Please switch it off."),
}
VISITOR = "a-visitor-of-our-shop"


@pytest.fixture
def leak(cast, now):
    return save_solution(facts=Facts(LEAK, "PUBLISHED", cast.team.pk, ("leak",)), viewer=cast.viewer(cast.supervisor), now=now)


@pytest.fixture
def case(cast, inbound, now):
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


@pytest.fixture
def program(client, cast, now):
    """Requests with the key of a person (None: of nobody) and a channel."""

    def request(who, path, body=None, *, channel=None):
        facts = {"name": "Shop", "channel_id": (channel or cast.channel).pk, "actor": actor_of(cast.viewer(cast.owner)), "now": now}
        headers = {"Authorization": f"Bearer {create_api_key(person_id=who.pk if who else None, **facts)[1]}"}
        if body is None:
            return client.get(f"/api/v1{path}", headers=headers)
        return client.post(f"/api/v1{path}", body, content_type="application/json", headers=headers)

    return request


def code_of(answer) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_solutions_are_searched_in_both_languages_and_only_by_the_team(program, cast, leak):
    facts = {"id": leak.pk, "slug": "the-water-heater-leaks", "categories": ["leak"], "n_used": 0, "n_judged": 0, "n_helped": 0}
    texts = {"language": "zh", "title": "热水器漏水", "body": "先断电关阀。", "reply": "请先断电并关闭进水阀。"}
    found = program(None, "/solutions?q=漏水&language=zh").json()
    assert found == {"solutions": [{**facts, **texts}], "next_after": leak.pk}
    assert program(None, "/solutions").json()["solutions"][0]["title"] == "The water heater leaks"
    assert program(None, "/solutions?q=退货").json() == {"solutions": [], "next_after": 0}
    assert program(None, "/solutions", channel=cast.other_channel).json()["solutions"] == []
    assert code_of(program(None, "/solutions?query=x")) == code_of(program(None, "/solutions?language=fr")) == (422, "invalid")


def test_a_case_has_suggestions_without_probabilities_while_nothing_was_learnt(program, cast, leak, case):
    told = {"solution_id": leak.pk, "title": "热水器漏水", "language": "zh", "probability": None, "reply": "请先断电并关闭进水阀。"}
    assert program(None, f"/cases/{case.pk}/solutions").json() == {"suggestions": [told], "is_sure": False}
    assert code_of(program(None, f"/cases/{case.pk}/solutions", channel=cast.other_channel)) == (404, "not-found")


def test_a_use_is_noted_once_in_the_persons_name_and_returns_the_letter(program, cast, leak, case):
    path = f"/cases/{case.pk}/solutions/{leak.pk}"
    first, again = program(cast.agent, path, {}), program(cast.agent, path, {})
    use = SolutionUse.objects.get()
    assert first.json() == again.json() and (use.how, use.who_id, use.is_first_reply) == ("INSERTED", cast.agent.pk, False)
    assert first.json() == {
        "use_id": use.pk,
        "letter": f"林晓彤，您好：\n\n请先断电并关闭进水阀。\n\n工单号 #{case.pk}，回复本消息即可继续联系我们。\n\nChen",
    }
    assert CaseEvent.objects.filter(kind="SOLUTION").count() == 1


def test_nobodys_key_an_analysts_another_teams_and_a_withdrawn_solution_note_nothing(program, cast, leak, case):
    path = f"/cases/{case.pk}/solutions/{leak.pk}"
    assert code_of(program(None, path, {})) == code_of(program(cast.analyst, path, {})) == (403, "not-allowed")
    assert code_of(program(cast.outsider, path, {}, channel=cast.other_channel)) == (404, "not-found")
    leak.status = "ARCHIVED"
    leak.save()
    assert code_of(program(cast.agent, path, {})) == (409, "conflict")
    assert not SolutionUse.objects.exists() and not CaseEvent.objects.filter(kind="SOLUTION").exists()


def test_a_visitor_counts_once_and_what_is_no_answer_is_refused(program, leak):
    path = f"/help/{leak.slug}/votes"
    assert program(None, path, {"visitor": VISITOR, "has_helped": False}).json() == {"is_counted": True}
    assert program(None, path, {"visitor": VISITOR, "has_helped": True}).json() == {"is_counted": False}
    for body in ({"visitor": "short", "has_helped": True}, {"visitor": VISITOR}, {"visitor": VISITOR, "has_helped": "yes"}):
        assert code_of(program(None, path, body)) == (422, "invalid")
    assert code_of(program(None, path, {"visitor": VISITOR, "has_helped": True, "name": "Lin"})) == (422, "invalid")
    assert code_of(program(None, "/help/none/votes", {"visitor": VISITOR, "has_helped": True})) == (404, "not-found")
    assert list(HelpVote.objects.values_list("has_helped", flat=True)) == [False]
