"""What is known of a case when its customer is asked, and what the page says of those who did not answer."""

from datetime import timedelta

import pytest

from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message
from careloop.desk.measures.case_rows import _read_events, course_columns, read_cases
from careloop.desk.measures.explaining import estimate_silent
from careloop.desk.measures.models import AnswerFact, CaseFact, Facets
from careloop.desk.watch import explanations
from careloop.desk.watch.models import Explanation
from tests.desk.watch import test_explaining
from tests.desk.watch.test_explaining import SECOND

pytestmark = pytest.mark.django_db
year = test_explaining.year


def test_a_case_counts_as_it_stood_when_its_customer_was_asked(cast, inbound, now):
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    happened = (
        (10, "REPLIED", "WAITING"),
        (20, "STATUS", "RESOLVED"),
        (90, "STATUS", "OPEN"),
        (95, "REPLIED", "WAITING"),
        (99, "STATUS", "RESOLVED"),
    )
    for minutes, kind, status in happened:  # the bad answer of minute 80 reopened it
        facts = {"actor_kind": "user", "actor_name": "", "after": {"status": status}}
        CaseEvent.objects.create(case=case, team=case.team, kind=kind, at=now + timedelta(minutes=minutes), **facts)
    facets = Facets.objects.create(team_id=cast.team.pk, channel_id=cast.channel.pk)
    CaseFact.objects.create(
        case_id=case.pk, facets=facets, known_from=now, opened_on=now.date().toordinal(), opened_second=int(now.timestamp()),
        resolution_seconds=99 * 60, response_seconds=600, is_response_late=False, replies=2, reopened=1, messages_in=1,
    )  # fmt: skip
    rows = read_cases(since_day=0, most=10, team_id=None, now_second=int(now.timestamp()) + 86_400)
    later = course_columns(rows)
    assert [later[name] for name in ("replies", "reopened", "resolution_hours")] == [[2.0], [True], [99 / 60]]
    rows.asked_at[case.pk] = now + timedelta(minutes=30)
    rows.steps.clear()
    _read_events(rows, [case.pk])
    then = course_columns(rows)
    assert [then[name] for name in ("replies", "reopened", "resolution_hours", "messages_in")] == [[1.0], [False], [20 / 60], [1.0]]
    assert (then["first_response_hours"], then["late"]) == ([600 / 3600], [False])
    rows.asked_at[case.pk] = now + timedelta(minutes=5)
    assert (course_columns(rows)["first_response_hours"], course_columns(rows)["late"]) == ([None], [None])


def test_everyone_the_same_score_and_too_few_answers_are_said(client, year, cast, now):
    AnswerFact.objects.exclude(hundredths=None).update(hundredths=500)
    rows = read_cases(since_day=0, most=5_000, team_id=None, now_second=SECOND)
    part, model = estimate_silent(rows)
    assert (model, part["n_bad"], part["answered"]["value"]) == (None, 0, pytest.approx(1.0))
    assert "0 of them dissatisfied, are not enough data" in part["problem"]
    explanations.explain_house(now=now)
    client.force_login(cast.owner)
    text = client.get("/why/").content.decode()
    assert f"there are {part['n_scored']}, 0 of them dissatisfied; it needs 200, with 30 dissatisfied and 30 not" in text


def test_the_page_says_how_good_the_estimate_is_and_what_it_goes_by(client, year, cast, now):
    explanations.explain_house(now=now)
    silent = Explanation.objects.get(team=None).parts["silent"]
    assert silent["share"]["low"] < silent["share"]["value"] < silent["share"]["high"]
    assert "first_response_hours" in [one["column"] for one in silent["influences"][:2]]
    client.force_login(cast.owner)
    text = client.get("/why/").content.decode()
    for words in (
        "Brier score",
        "Calibration error",
        "chance alone makes",
        "Learnt from the older four fifths",
        "Hours until the first response",
    ):
        assert words in text
    Explanation.objects.filter(team=None).update(parts={**Explanation.objects.get(team=None).parts, "silent": {**silent_as_before(silent)}})
    assert "The model is learnt with the next explanation" in client.get("/why/").content.decode()


def silent_as_before(silent):
    """The part as an earlier version stored it."""
    return {"answered": silent["answered"], "quality": {"auc": 0.7, "calibration_error": 0.03}, "algorithm": "logistic regression, C = 0.5"}
