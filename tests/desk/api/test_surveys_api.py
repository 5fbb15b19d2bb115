"""Surveys as a program sees and uses them; the figures are those of the page, and another team's key reaches nothing."""

from datetime import UTC, datetime

import pytest

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message
from careloop.desk.outbox.webhooks import body_of
from careloop.desk.surveys import inviting
from careloop.desk.surveys.actions import SurveyFacts, save_survey
from careloop.desk.surveys.models import Answer, Invitation, SurveySetting
from careloop.desk.surveys.queries import results_of
from careloop.desk.surveys.rules.questions import BEGINNINGS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_quiet_hours(db):
    """The API looks at the clock itself."""
    SurveySetting.objects.create(pk=1, quiet_from_minutes=0, quiet_until_minutes=0)


@pytest.fixture
def survey(cast, now):
    facts = SurveyFacts("Was it good?", "CSAT", BEGINNINGS["CSAT"], is_active=True)
    return save_survey(facts=facts, viewer=cast.viewer(cast.supervisor), now=now)


@pytest.fixture
def case(cast, inbound, now):
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


@pytest.fixture
def program(client, cast, now):
    """Requests with a key of a channel."""

    def request(path, body=None, *, channel=None):
        facts = {"name": "Shop", "channel_id": (channel or cast.channel).pk, "actor": actor_of(cast.viewer(cast.owner)), "now": now}
        headers = {"Authorization": f"Bearer {create_api_key(**facts)[1]}"}
        if body is None:
            return client.get(f"/api/v1{path}", headers=headers)
        return client.post(f"/api/v1{path}", body, content_type="application/json", headers=headers)

    return request


def test_surveys_are_listed_with_their_newest_questions(program, survey):
    [told] = program("/surveys").json()["surveys"]
    assert (told["id"], told["kind"], told["version"], told["questions"][0]["high"]) == (survey.pk, "CSAT", 1, 5)


def test_a_program_asks_once_and_gets_the_link(program, survey, case, client):
    body = {"case_id": case.pk, "key": "order-7", "sends": False}
    told = program(f"/surveys/{survey.pk}/invitations", body).json()
    assert told["state"] == "SENT" and told["reason"] == ""
    assert client.get(told["link"].removeprefix("http://127.0.0.1:8000")).status_code == 200
    assert program(f"/surveys/{survey.pk}/invitations", body).json()["id"] == told["id"]
    again = program(f"/surveys/{survey.pk}/invitations", {**body, "key": "order-8"}).json()
    assert (again["state"], again["reason"], again["link"]) == ("SKIPPED", "TOO_SOON", "")
    assert Invitation.objects.count() == 2


def test_a_program_lets_the_desk_write(program, survey, case):
    told = program(f"/surveys/{survey.pk}/invitations", {"case_id": case.pk, "key": "a"}).json()
    assert told["state"] == "QUEUED"
    assert inviting.send_due(now=datetime.now(UTC)) == 1
    message = Invitation.objects.get().message
    assert message.body.count("http") == 2 and "?score=" not in message.body  # one plain link, and the one to refuse


def test_an_answer_is_submitted_and_changed(program, survey, case, cast):
    told = program(f"/surveys/{survey.pk}/invitations", {"case_id": case.pk, "key": "a", "sends": False}).json()
    answered = program(f"/invitations/{told['id']}/answer", {"answers": {"score": 2, "why": "太慢"}})
    assert (answered.status_code, answered.json()["score"], answered.json()["score_max"]) == (200, 2, 5)
    assert program(f"/invitations/{told['id']}/answer", {"answers": {"score": 3}}).json()["score"] == 3
    assert Answer.objects.get().earlier.count() == 1
    results = program(f"/surveys/{survey.pk}/results").json()
    found = results_of(survey, cast.viewer(cast.agent))
    assert (results["asked"], results["answered"], results["rate"], results["average"]) == (1, 1, 1.0, 3.0)
    assert (results["rate_low"], results["scores"]["3"]) == (found.counts.rate.low, 1)


@pytest.mark.parametrize(
    ("body", "status"),
    [({"answers": {"score": 9}}, 422), ({"answers": {}}, 422), ({"answers": {"score": "x"}}, 422), ({}, 422), ({"answers": [1]}, 422)],
)
def test_an_answer_that_does_not_fit_changes_nothing(program, survey, case, body, status):
    told = program(f"/surveys/{survey.pk}/invitations", {"case_id": case.pk, "key": "a", "sends": False}).json()
    assert program(f"/invitations/{told['id']}/answer", body).status_code == status
    assert Answer.objects.count() == 0


def test_another_teams_key_asks_nobody_and_answers_nothing(program, survey, case, cast):
    told = program(f"/surveys/{survey.pk}/invitations", {"case_id": case.pk, "key": "a", "sends": False}).json()
    other = cast.other_channel
    assert program(f"/surveys/{survey.pk}/invitations", {"case_id": case.pk, "key": "b"}, channel=other).status_code == 404
    assert program(f"/invitations/{told['id']}/answer", {"answers": {"score": 5}}, channel=other).status_code == 404
    assert program(f"/surveys/{survey.pk}/results", channel=other).json()["asked"] == 0
    assert (Invitation.objects.count(), Answer.objects.count()) == (1, 0)


def test_other_systems_are_told_the_score_and_no_text(program, survey, case):
    told = program(f"/surveys/{survey.pk}/invitations", {"case_id": case.pk, "key": "a", "sends": False}).json()
    program(f"/invitations/{told['id']}/answer", {"answers": {"score": 2, "why": "太慢"}})
    said = body_of(CaseEvent.objects.get(kind="SURVEY")).decode()
    assert '"survey": {"survey_id": ' in said and '"rating": 2, "low": 1, "high": 5, "changes": false' in said and "太慢" not in said
