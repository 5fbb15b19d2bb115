"""Why: rules of slow cases, the way of cases and what moves ratings, from facts; who may see them; and too little said as such."""

import csv
import io
import random
from collections import defaultdict
from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest
from django.utils import translation

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.measures.case_rows import longest_states, read_cases
from careloop.desk.measures.explaining import draw_way, estimate_silent, explain_satisfaction, explain_slowness
from careloop.desk.measures.models import AnswerFact, CaseFact, Facets, Ledger, WorkFact
from careloop.desk.measures.working import measure_work, score_work
from careloop.desk.reports.why_words import percent, points
from careloop.desk.watch import explanations
from careloop.desk.watch.models import Explanation, WatchSetting
from tests.desk.watch.conftest import TODAY

pytestmark = pytest.mark.django_db
SECOND = int(datetime.combine(TODAY, time(6), UTC).timestamp())


def cell_of(one):
    return "" if one is None else repr(one) if isinstance(one, float) else str(one)


@pytest.fixture
def year(cast, now, settings):
    """1,200 cases: refunds take five times as long; a late first response costs a star, an hour longer 0.1; a third answer."""
    settings.TIME_ZONE = "UTC"
    rng = np.random.default_rng(4)
    facets = {
        kind: Facets.objects.create(team_id=cast.team.pk, channel_id=cast.channel.pk, kind=kind) for kind in ("REFUND", "CONSULTATION")
    }
    cases, answers = [], []
    for number in range(1, 1_201):
        kind = "REFUND" if rng.random() < 0.3 else "CONSULTATION"
        day = TODAY - timedelta(days=int(rng.integers(10, 300)))
        second = int(datetime.combine(day, time(int(rng.integers(8, 18))), UTC).timestamp())
        hours = rng.exponential(3.0)
        is_late = hours > 4
        cases.append(
            CaseFact(
                case_id=500_000 + number, facets=facets[kind], known_from=now, opened_on=day.toordinal(), opened_second=second,
                resolved_on=day.toordinal(), resolution_seconds=int(rng.exponential(20_000) * (5 if kind == "REFUND" else 1)) + 60,
                response_seconds=int(hours * 3600), is_response_late=bool(is_late), replies=int(rng.integers(1, 4)),
            )
        )  # fmt: skip
        score = float(np.clip(round(4.6 - 0.1 * min(hours, 9) - 1.2 * is_late + rng.normal(0, 0.5)), 1, 5))
        has_answered = rng.random() < 0.35
        answers.append(
            AnswerFact(
                origin="SURVEY", origin_id=number, case_id=500_000 + number, facets=facets[kind], known_from=now, scale="CSAT",
                sent_on=day.toordinal(), answered_on=day.toordinal() if has_answered else None,
                hundredths=int(score * 100) if has_answered else None, score=int(score) if has_answered else None,
            )
        )  # fmt: skip
    CaseFact.objects.bulk_create(cases)
    AnswerFact.objects.bulk_create(answers)
    Ledger.objects.update_or_create(pk=1, defaults={"shown_at": now})
    return read_cases(since_day=0, most=5_000, team_id=None, now_second=SECOND)


def test_what_makes_cases_slow_is_told_with_the_cases(year):
    found = explain_slowness(year)
    (rule,) = [one for one in found["rules"] if one["conditions"] == [["kind", "is", "REFUND"]]]
    assert rule["share"] > 0.5 > 0.2 > rule["rest_share"]
    slow = CaseFact.objects.filter(case_id__in=rule["cases"]).values_list("facets__kind", flat=True)
    assert set(slow) == {"REFUND"}
    assert found["n_found"] + found["n_held"] == 1_200


def test_what_moves_ratings_is_told_in_points(year):
    found = explain_satisfaction(year)
    effects = {(one["column"], one["value"]): one for one in found["effects"]}
    late = effects["late", None]
    assert late["is_shown"]
    assert late["low"] < -1.2 < late["high"] < 0
    assert not effects["kind", "REFUND"]["is_shown"]
    assert found["n"] == AnswerFact.objects.exclude(hundredths=None).count()
    assert {"column": "handed_over", "value": None, "reason": "never varies", "n_with": 0} in found["untold"]


def test_who_did_not_answer_is_estimated_by_a_measured_model(year):
    part, model = estimate_silent(year)
    assert part["answered"]["n_invited"] == 1_200
    assert part["answered"]["bounds"][0] < part["answered"]["value"] < part["answered"]["bounds"][1]
    assert part["quality"]["auc"] > 0.8
    assert part["quality"]["is_useful"]
    assert part["quality"]["n"] == AnswerFact.objects.exclude(hundredths=None).count()
    assert model["task"] == "satisfaction"


def test_the_newest_cases_of_a_team_are_read(year, cast):
    assert len(read_cases(since_day=0, most=50, team_id=None, now_second=SECOND).facts) == 50
    assert read_cases(since_day=0, most=50, team_id=cast.other_team.pk, now_second=SECOND).facts == []


def test_the_way_is_that_of_the_events(cast, inbound, now):
    receipt = receive_message(inbound(), now=now)
    case = Case.objects.get(pk=receipt.case_id)
    for minutes, status in ((60, "WAITING"), (90, "OPEN"), (100, "RESOLVED")):
        facts = {"actor_kind": "system", "actor_name": "", "after": {"status": status}}
        CaseEvent.objects.create(case=case, team=case.team, kind="STATUS", at=now + timedelta(minutes=minutes), **facts)
    facets = Facets.objects.create(team_id=cast.team.pk, channel_id=cast.channel.pk)
    CaseFact.objects.create(
        case_id=case.pk, facets=facets, known_from=now, opened_on=now.date().toordinal(), opened_second=int(now.timestamp()),
        resolution_seconds=6000,
    )  # fmt: skip
    rows = read_cases(since_day=0, most=10, team_id=None, now_second=int(now.timestamp()) + 86_400)
    assert [step.state for step in rows.steps] == ["OPEN", "WAITING", "OPEN", "RESOLVED"]
    assert longest_states(rows) == {case.pk: "OPEN"}
    found = draw_way(rows)
    assert [(one["source"], one["target"], one["median_seconds"]) for one in found["steps"]] == [
        ("OPEN", "RESOLVED", 600.0),
        ("OPEN", "WAITING", 3600.0),
        ("WAITING", "OPEN", 1800.0),
    ]
    assert (found["n_cases"], found["n_with_returns"]) == (1, 1)


def test_too_little_is_said_and_nothing_fails(cast, now):
    assert explanations.explain_house(now=now) == 0
    Ledger.objects.create(pk=1, shown_at=now)
    assert explanations.explain_house(now=now) == 3
    house = Explanation.objects.get(team=None)
    assert [sorted(house.parts[name]) for name in ("slow", "waits", "way", "drivers")] == [["problem"]] * 4
    silent = {"n_scored": 0, "n_bad": 0, "least_answers": 200, "least_of_each": 30, "problem": "no answers"}
    assert (house.parts["silent"], house.model) == ({"answered": {"problem": "nobody was invited"}, **silent}, None)


def test_explanations_are_shown_in_words_to_who_sees_what_they_are_of(client, year, cast, now):
    owner, supervisor = cast.viewer(cast.owner), cast.viewer(cast.supervisor)
    client.force_login(cast.owner)
    assert "Nothing has been explained yet" in client.get("/why/").content.decode()
    assert explanations.explain_house(now=now) == Explanation.objects.count() == 3
    assert explanations.find_explanation(None, owner).model is not None
    assert explanations.find_explanation(cast.team.pk, supervisor).model is None
    for team_id in (None, cast.other_team.pk):
        with pytest.raises(NotFound):
            explanations.find_explanation(team_id, supervisor)
    assert [code for code, _name in explanations.scopes_of(supervisor)] == [str(cast.team.pk)]
    assert len(explanations.scopes_of(owner)) == 3
    text = client.get("/why/").content.decode()
    assert "Kind: Refund" in text
    assert "First response late" in text
    assert "area under the curve" in text
    assert client.get("/why/slow/0/?team=").status_code == 200
    _key, token = create_api_key(name="k", channel_id=cast.channel.pk, actor=actor_of(owner), now=now, person_id=cast.owner.pk)
    answer = client.get("/api/v1/explanations", HTTP_AUTHORIZATION=f"Bearer {token}").json()
    rows = list(csv.DictReader(io.StringIO(client.get(f"/why/csv/?team={cast.team.pk}").content.decode("utf-8-sig"))))
    assert [{name: cell_of(one) for name, one in line.items()} for line in answer["lines"]] == rows
    assert {row["part"] for row in rows} == {"slow", "waits", "drivers", "silent"}
    team_page = client.get(f"/why/?team={cast.team.pk}").content.decode()
    for row in rows:
        if row["figure"] in {"slow_share", "satisfied_of_invited"} or (row["part"], row["figure"]) == ("drivers", "explained_ratio"):
            assert percent(float(row["value"])) in team_page
        if row["figure"] == "effect":
            assert row["group_name"] in team_page
            assert points(float(row["value"])) in team_page
    assert client.get("/why/slow/99/?team=").status_code == client.get("/why/way/0/").status_code == 404
    client.cookies["django_language"] = "zh-hans"
    with translation.override("en"):  # the language of a request stays with the thread
        assert "退款" in client.get("/why/").content.decode()


@pytest.fixture
def worked(cast, now):
    """Three cases of two agents: 2 replies and 1 in an hour each, 3 in two hours by both; the consultation is open."""
    today = now.date().toordinal()
    lines = [
        ("REFUND", cast.agent, 2, 7200, {cast.agent: 3600}),
        ("COMPLAINT", cast.agent, 3, 900, {cast.agent: 3600, cast.supervisor: 3600}),
    ]
    lines.append(("CONSULTATION", cast.supervisor, 1, None, {cast.supervisor: 3600}))
    for number, (kind, agent, replies, resolution, seconds) in enumerate(lines, start=700_001):
        facets = Facets.objects.create(team_id=cast.team.pk, channel_id=cast.channel.pk, agent_id=agent.pk, kind=kind, category="leak")
        CaseFact.objects.create(
            case_id=number, facets=facets, known_from=now, opened_on=today, opened_second=SECOND - 9000, resolution_seconds=resolution,
            resolved_on=today if resolution else None, response_seconds=600, replies=replies,
        )  # fmt: skip
        for person, worked_seconds in seconds.items():
            WorkFact.objects.create(
                case_id=number, user_id=person.pk, worked_on=today, facets=facets, known_from=now, seconds=worked_seconds
            )
    return read_cases(since_day=0, most=10, team_id=None, now_second=SECOND)


def test_efficiency_is_tasks_done_by_hours_spent(worked, cast):
    found = measure_work(worked, 0, {"value": 0.8, "low": 0.7, "high": 0.9})
    assert {task: (one["value"], one["done"], one["hours"]) for task, one in found["whole"].items()} == {
        "communication": (1.5, 6, 4.0),
        "consultation": (0.0, 0, 1.0),
        "complaint": (0.5, 1, 2.0),
        "refund": (1.0, 1, 1.0),
    }
    agent, supervisor = (found["groups"]["agent"][str(person.pk)]["communication"] for person in (cast.agent, cast.supervisor))
    assert (agent["done"], agent["hours"], supervisor["done"], supervisor["hours"]) == (5, 2.0, 1, 2.0)
    assert list(found["groups"]["category"]) == ["leak"]


def test_every_group_is_what_a_count_case_by_case_gives(worked, cast, now):
    """Sixty cases with time of several people, some not of theirs; tasks and hours are added up one by one."""
    rng, today = random.Random(4), now.date().toordinal()
    people, spent = (cast.agent, cast.supervisor, cast.owner), defaultdict(int)
    for number in range(700_100, 700_160):
        kind, category = rng.choice(["REFUND", "COMPLAINT", "CONSULTATION", "PRAISE"]), rng.choice(["leak", "late", ""])
        team, who = rng.choice([cast.team, cast.other_team]), rng.choice(people)
        facets = Facets.objects.get_or_create(team_id=team.pk, channel_id=cast.channel.pk, agent_id=who.pk, kind=kind, category=category)[0]
        end = rng.choice([None, 7200])
        CaseFact.objects.create(
            case_id=number, facets=facets, known_from=now, opened_on=today, opened_second=SECOND - 9000, resolution_seconds=end,
            resolved_on=today if end else None, response_seconds=600, replies=rng.randrange(4),
        )  # fmt: skip
        for person in rng.sample(people, rng.randrange(1, 3)):
            WorkFact.objects.create(
                case_id=number, user_id=person.pk, worked_on=today, facets=facets, known_from=now, seconds=rng.randrange(60, 3600)
            )
    rows = read_cases(since_day=0, most=100, team_id=None, now_second=SECOND)
    for one in WorkFact.objects.all():
        spent[one.case_id, one.user_id] += one.seconds
    found = measure_work(rows, 0, {})["groups"]
    for fact in rows.facts:
        assert str(fact.facets.team_id) in found["team"]
    for group, of in (("team", "team_id"), ("channel", "channel_id"), ("category", "category"), ("agent", "agent_id")):
        for code, tasks in found[group].items():
            for task, one in tasks.items():
                done = seconds = 0
                for fact in rows.facts:
                    is_task = task == "communication" or fact.facets.kind == task.upper()
                    if is_task and str(getattr(fact.facets, of)) == code:
                        done += fact.replies if task == "communication" else fact.resolution_seconds is not None
                    for (case_id, user_id), worked_seconds in spent.items():
                        is_here = str(user_id) == code if group == "agent" else str(getattr(fact.facets, of)) == code
                        if is_task and is_here and case_id == fact.case_id:
                            seconds += worked_seconds
                assert (one["done"], one["hours"]) == (done, pytest.approx(seconds / 3600))
                assert one["value"] == (pytest.approx(done / (seconds / 3600)) if seconds else None)


def test_the_communication_score_is_its_formula(worked):
    parts = measure_work(worked, 0, {"value": 0.8, "low": 0.7, "high": 0.9})["parts"]
    assert (parts["median_seconds"], parts["target_seconds"]) == (600, 3600)
    assert parts["speed"]["value"] == pytest.approx(2 ** (-1 / 6))
    assert parts["first_contact"]["value"] == 0.0
    even = score_work(parts, {"speed": 1.0, "first_contact": 1.0, "satisfaction": 2.0})
    assert even.value == pytest.approx(100 * (2 ** (-1 / 6) + 0 + 1.6) / 4)
    unknown = measure_work(worked, 0, {"problem": "no answers"})["parts"]
    assert score_work(unknown, {"speed": 1.0, "first_contact": 1.0, "satisfaction": 1.0}).value is None
    assert score_work(unknown, {"speed": 1.0, "first_contact": 0.0, "satisfaction": 0.0}).value == pytest.approx(100 * 2 ** (-1 / 6))


def test_nobody_worked_is_said_and_weights_are_the_houses(client, worked, cast, now):
    WorkFact.objects.all().delete()
    whole = measure_work(worked, 0, {})["whole"]
    assert {one["value"] for one in whole.values()} == {None}
    owner = cast.viewer(cast.owner)
    weights = {"speed": 2, "first_contact": 0, "satisfaction": 1}
    changed = explanations.weigh_score(weights=weights, expected_version=1, viewer=owner, now=now)
    assert explanations.weights_of(changed) == weights
    for wrong, error in (({**weights, "speed": 11}, InvalidInput), (dict.fromkeys(weights, 0), InvalidInput), (weights, Conflict)):
        with pytest.raises(error):
            explanations.weigh_score(weights=wrong, expected_version=1, viewer=owner, now=now)
    with pytest.raises(NotAllowed):
        explanations.weigh_score(weights=weights, expected_version=2, viewer=cast.viewer(cast.analyst), now=now)
    assert (WatchSetting.objects.get().speed_weight, WatchSetting.objects.get().version) == (2, 2)


def test_the_page_shows_efficiency_and_score(client, worked, cast, now):
    Ledger.objects.create(pk=1, shown_at=now)
    explanations.explain_house(now=now)
    client.force_login(cast.owner)
    text = client.get("/why/").content.decode()
    assert "Communication score" in text
    assert "6 in 4.0 h" in text
    rows = list(csv.DictReader(io.StringIO(client.get("/why/csv/").content.decode("utf-8-sig"))))
    work = {(row["figure"], row["group"]): row for row in rows if row["part"] == "work"}
    assert [work["communication", ""][name] for name in ("value", "done", "hours", "n")] == ["1.5", "6.0", "4.0", "3"]
    assert work["refund", f"agent: {cast.agent.pk}"]["group_name"] == cast.agent.display_name
    score = {row["figure"]: row["value"] for row in rows if row["part"] == "score"}
    assert (score["score"], score["speed_weight"]) == ("", "1.0")
    answer = client.post("/why/weights/", {"speed": "1", "first_contact": "0", "satisfaction": "0", "expected_version": "1", "team": ""})
    assert (answer.status_code, answer["Location"]) == (302, "/why/?team=#efficiency")
    assert '<b class="score">89</b>' in client.get("/why/").content.decode()
