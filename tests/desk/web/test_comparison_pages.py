"""Comparisons on the screen: made, looked at, ended; the file and the API say the same."""

import csv
import json
from datetime import UTC, datetime
from io import StringIO

import pytest

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.automation.models import Rule
from careloop.desk.experiments.actions import ArmFacts
from careloop.desk.experiments.models import Comparison, Exposure
from careloop.desk.measures.trial_lines import COLUMNS, lines_of
from careloop.desk.web.comparison_words import window_words
from tests.desk.measures.test_trials import DAY, House

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(cast, now):
    return House(cast, now)


@pytest.fixture
def signed_in(client, cast):
    def sign_in(person):
        client.force_login(person)
        return client

    return sign_in


def filled(house, n=60):
    comparison = house.comparison()
    for number in range(n):
        at = house.now - 40 * DAY
        house.expose(comparison, house.case(at=at, resolution=3600 + number, response=60, reopened=number % 2, rating=1 + number % 5), at)
    return comparison


def test_a_comparison_is_made_and_ended_by_form(signed_in, cast, now):
    rule = Rule.objects.create(name="Apologise", events=["OPENED"], condition={"all": []}, actions=[], changed_at=now)
    client = signed_in(cast.analyst)
    sent = {"design": "RANDOMISED", "name": "Apology", "outcome": "REOPENED", "unit": "CASE", "first": f"RULE:{rule.pk}", "held_out": "20"}
    planned = client.post("/comparisons/new/", {**sent, "do": "plan", "wanted": "10"})
    assert planned.status_code == 200 and b"cases are needed if you look daily" in planned.content and not Comparison.objects.exists()
    assert b"How long that takes cannot be told" in planned.content
    answer = client.post("/comparisons/new/", {**sent, "do": "begin", "planned": "500"})
    made = Comparison.objects.get()
    assert answer.status_code == 302 and answer["Location"] == f"/comparisons/{made.pk}/"
    assert [(arm.name, round(arm.ratio, 2), arm.subject_id) for arm in made.arms.all()] == [
        ("Apologise", 0.8, rule.pk),
        ("Without it", 0.2, None),
    ]
    page = client.get(answer["Location"]).content.decode()
    assert "Too few yet to say anything" in page and "End it" in page
    client.post(f"/comparisons/{made.pk}/end/")
    made.refresh_from_db()
    assert made.state == "ENDED" and "End it" not in client.get(answer["Location"]).content.decode()
    assert "Apology" in client.get("/comparisons/").content.decode()


def test_up_to_five_groups_are_made_by_form_and_the_winner_is_used(signed_in, cast, now):
    names = ("A", "B", "C", "D")
    rules = [Rule.objects.create(name=name, events=["OPENED"], condition={"all": []}, actions=[], changed_at=now) for name in names]
    places = dict(zip(("first", "second", "third", "fourth"), (f"RULE:{rule.pk}" for rule in rules), strict=True))
    sent = {"design": "RANDOMISED", "name": "Wordings", "outcome": "ANSWERED", "unit": "CASE", "planned": "500", "held_out": "20", **places}
    client = signed_in(cast.supervisor)
    refused = client.post("/comparisons/new/", {**sent, "share_first": "50"})
    assert refused.status_code == 422 and "Give the per cent of every group" in refused.content.decode() and not Comparison.objects.exists()
    shares = {"share_first": "30", "share_second": "20", "share_third": "20", "share_fourth": "10"}
    client.post("/comparisons/new/", {**sent, **shares})
    made = Comparison.objects.get()
    assert [(arm.name, round(arm.ratio, 2)) for arm in made.arms.all()] == [
        ("A", 0.3), ("B", 0.2), ("C", 0.2), ("D", 0.1), ("Without it", 0.2)
    ]  # fmt: skip
    page = client.get(f"/comparisons/{made.pk}/").content.decode()
    assert "All pairs of groups" in page and "switch the others off" in page
    analyst = signed_in(cast.analyst)
    assert "switch the others off" not in analyst.get(f"/comparisons/{made.pk}/").content.decode()
    assert analyst.post(f"/comparisons/{made.pk}/end/", {"used": "1"}).status_code == 403
    made.refresh_from_db()
    assert made.state == "RUNNING" and Rule.objects.filter(is_active=True).count() == 4
    signed_in(cast.supervisor).post(f"/comparisons/{made.pk}/end/", {"used": "1"})
    made.refresh_from_db()
    assert (made.state, made.used) == ("ENDED", 1)
    assert [rule.name for rule in Rule.objects.filter(is_active=True)] == ["B"]
    page = signed_in(cast.supervisor).get(f"/comparisons/{made.pk}/").content.decode()
    assert "Used since: B." in page and "End it" not in page


def test_the_plan_says_in_chinese_how_long_it_takes(signed_in, cast, house, now):
    today = datetime.now(UTC)
    for number in range(28):
        house.case(at=today - number * DAY, resolution=60)
    rule = Rule.objects.create(name="Apologise", events=["OPENED"], condition={"all": []}, actions=[], changed_at=now)
    sent = {"design": "RANDOMISED", "outcome": "RESOLUTION", "first": f"RULE:{rule.pk}", "held_out": "50", "do": "plan", "wanted": "50"}
    client = signed_in(cast.analyst)
    page = client.post("/comparisons/new/", {**sent, "concerned": "10"}, headers={"accept-language": "zh-hans"}).content.decode()
    assert "按每天 10" in page and "其中 100% 能说明问题" in page


def test_the_page_as_it_was(signed_in, cast, house, now):
    comparison = filled(house)
    client = signed_in(cast.analyst)
    page = client.get(f"/comparisons/{comparison.pk}/", {"as_of": (now - 60 * DAY).date().isoformat()}).content.decode()
    assert "As it was shown on" in page and "Too few yet" in page
    wrong = client.get(f"/comparisons/{comparison.pk}/", {"as_of": "yesterday"}).content.decode()
    assert "neither a day" in wrong and "No difference can be shown yet" in wrong


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"first": ""}, "Choose what is tried."),
        ({"first": "RULE:999"}, "Choose what is tried."),
        ({"held_out": "x"}, "“x” is no number."),
        ({"held_out": "0"}, "A comparison needs two groups"),
        ({"planned": "nan"}, "“nan” is no number."),
        ({"name": ""}, "0 characters"),
        ({"design": "BEFORE_AFTER"}, "Say whom the change concerned"),
    ],
)
def test_a_wrong_form_says_what_is_wrong_and_makes_nothing(signed_in, cast, now, changed, words):
    rule = Rule.objects.create(name="Apologise", events=["OPENED"], condition={"all": []}, actions=[], changed_at=now)
    sent = {"design": "RANDOMISED", "name": "Apology", "outcome": "REOPENED", "unit": "CASE", "first": f"RULE:{rule.pk}", "planned": "500"}
    answer = signed_in(cast.supervisor).post("/comparisons/new/", {**sent, "held_out": "20", **changed})
    assert answer.status_code == 422 and words in answer.content.decode()
    assert not Comparison.objects.exists()


def test_page_file_and_api_say_the_same(signed_in, cast, house, now):
    comparison = filled(house)
    lines = lines_of(house.judge(comparison))
    client = signed_in(cast.analyst)
    rows = list(csv.DictReader(StringIO(client.get(f"/comparisons/{comparison.pk}/csv/").content.decode("utf-8-sig"))))
    told = [{name: "" if line[name] is None else str(line[name]) for name in COLUMNS} for line in lines]
    assert rows == told and {row["line"] for row in rows} == {"GROUP"}
    _key, token = create_api_key(name="Shop", channel_id=cast.channel.pk, actor=house_actor(cast), now=now, person_id=cast.supervisor.pk)
    answer = client.get(f"/api/v1/comparisons/{comparison.pk}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200 and json.loads(answer.content)["lines"] == json.loads(json.dumps(lines))
    listed = client.get("/api/v1/comparisons", headers={"Authorization": f"Bearer {token}"}).json()
    assert [(one["id"], one["exposed"]) for one in listed] == [(comparison.pk, 60)]
    page = client.get(f"/comparisons/{comparison.pk}/").content.decode()
    first = lines[0]
    assert f"{100 * first['value']:.1f}%" in page
    assert "No difference can be shown yet" in page
    assert 'class="plot"' in page


def test_a_program_asks_for_the_group_of_a_case(signed_in, cast, house, now):
    arms = (ArmFacts("Voucher", 0.5, 1), ArmFacts("Nothing", 0.5))
    comparison, case = house.comparison(subject="OTHER", arms=arms), house.case(at=now)
    facts = {"actor": house_actor(cast), "now": now, "person_id": cast.agent.pk}
    tokens = [create_api_key(name="k", channel_id=one.pk, **facts)[1] for one in (cast.channel, cast.other_channel)]
    path, client = f"/api/v1/cases/{case.pk}/comparisons/{comparison.pk}", signed_in(cast.agent)
    refused = client.post(path, headers={"Authorization": f"Bearer {tokens[1]}"})
    assert refused.status_code == 404 and not Exposure.objects.exists()
    first, again = (client.post(path, headers={"Authorization": f"Bearer {tokens[0]}"}).json() for _time in range(2))
    noted = Exposure.objects.get()
    assert first == again == {"comparison": comparison.pk, "group": noted.arm.name, "goes_without": noted.arm.name == "Nothing"}


def house_actor(cast):
    from careloop.desk.accounts.queries import actor_of

    return actor_of(cast.viewer(cast.owner))


def test_before_and_after_by_form(signed_in, cast, house, now):
    for number in range(40):
        for team in (cast.team, cast.other_team):
            house.case(at=now - number * DAY, team=team, resolution=3600 if number % 3 else 100_000, response=60)
    sent = {"design": "BEFORE_AFTER", "name": "New shifts", "outcome": "RESOLUTION", "group": f"team:{cast.team.pk}", "days": "20"}
    client = signed_in(cast.owner)
    assert client.post("/comparisons/new/", {**sent, "changed_on": "soon"}).status_code == 422
    answer = client.post("/comparisons/new/", {**sent, "changed_on": (now - 20 * DAY).date().isoformat()})
    page = client.get(answer["Location"]).content.decode()
    assert "Resolved within 24 hours" in page and "Changed by" in page and "Not enough cases to say anything." in page


def test_a_range_beside_zero_that_may_be_chance_says_why():
    line = {"outcome": "SATISFACTION", "verdict": "NOT_SHOWN", "difference_low": -0.98, "difference_high": -0.07}
    assert window_words(line) == (
        "No difference can be shown: alone it would be −0.98 to −0.07, but one of so many outcomes looks so by chance."
    )
    assert window_words(line | {"difference_high": 0.1}) == "No difference can be shown; its range is −0.98 to +0.10."


def test_agents_and_outsiders_are_refused(signed_in, cast, house):
    comparison = house.comparison()
    for person in (cast.agent, cast.outsider):
        client = signed_in(person)
        for path in ("/comparisons/", "/comparisons/new/", f"/comparisons/{comparison.pk}/", f"/comparisons/{comparison.pk}/csv/"):
            assert client.get(path).status_code == 403
        assert client.post(f"/comparisons/{comparison.pk}/end/").status_code == 403
    comparison.refresh_from_db()
    assert comparison.state == "RUNNING"
