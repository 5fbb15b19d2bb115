"""The same number on the screen, in the file and from the API; each page says what it shows in plain words."""

import csv
import io
from datetime import date
from pathlib import Path

import pytest
from django.utils import translation

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.measures.actions import refresh
from careloop.desk.reports.rules.layouts import LAYOUTS
from careloop.desk.web.measure_words import DEFINITIONS, NAMES, say

TODAY = date(2026, 6, 1)


@pytest.mark.parametrize("slug", LAYOUTS)
def test_screen_file_and_api_give_the_same_numbers(client, cast, counted, ask_api, slug):
    layout = LAYOUTS[slug]
    client.force_login(cast.owner)
    choice = f"period=365&team={cast.team.pk}"
    page = client.get(f"/reports/{slug}/?{choice}").content.decode()
    text = client.get(f"/reports/{slug}/csv/?{choice}").content.decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text)))
    answer = ask_api(f"figures?measure={','.join(layout.columns)}&by={layout.by}&{choice}").json()
    tiles = ask_api(f"figures?measure={','.join(layout.tiles)}&{choice}").json()["whole"]
    for line in lines[: len(layout.tiles)]:
        told = tiles[line["measure"]]
        assert [line[name] for name in ("value", "low", "high")] == [
            "" if told[name] is None else repr(told[name]) for name in ("value", "low", "high")
        ]
        assert say(line["measure"], told["value"]) in page
    of_period = [line for line in lines[len(layout.tiles) :] if line["since"] == lines[0]["since"]]
    table = [line for line in of_period if not line["day"] and line["measure"] in layout.columns]
    assert len(table) == len(answer["rows"]) * len(layout.columns) > 0
    by_group = {str(row["group"] if row["group"] is not None else ""): row["figures"] for row in answer["rows"]}
    for line in table:
        told = by_group[line["group"]][line["measure"]]
        assert (line["value"], int(line["n"])) == ("" if told["value"] is None else repr(told["value"]), told["n"])


def test_every_measure_has_a_name_and_a_definition():
    from careloop.desk.measures.rules.definitions import MEASURES

    assert set(NAMES) == set(DEFINITIONS) == set(MEASURES)


def test_every_measure_is_defined_in_the_reference_as_on_the_screen():
    page = Path(__file__).parents[3].joinpath("docs/reference/measures.md").read_text(encoding="utf-8")
    with translation.override("en"):
        assert [key for key in NAMES if f"| `{key}` | {NAMES[key]} · " not in page or f"| {DEFINITIONS[key]} |" not in page] == []


def test_an_earlier_moment_is_shown_as_such(client, cast, counted):
    client.force_login(cast.analyst)
    before = client.get("/reports/?period=all")
    moment = before.context["as_of"].isoformat()
    counted.play(20)
    refresh(now=counted.now)
    again = client.get("/reports/", {"period": "all", "as_of": moment})
    assert [tile["value"] for tile in again.context["tiles"]] == [tile["value"] for tile in before.context["tiles"]]
    assert "As it was shown on" in again.content.decode()
    assert [tile["value"] for tile in client.get("/reports/?period=all").context["tiles"]] != [
        tile["value"] for tile in before.context["tiles"]
    ]


def test_nothing_counted_yet_is_said(client, cast):
    client.force_login(cast.analyst)
    assert "The figures are being counted" in client.get("/reports/").content.decode()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("period=5", "The period is “5”; choose one from the list."),
        ("since=yesterday", "“yesterday” is not a day; write it as 2026-05-04."),
        ("since=2026-05-04&until=2026-05-01", "before that; swap them."),
        ("team=x", "“x” is not a number; choose from the list."),
        ("as_of=noon", "“noon” is not a moment"),
    ],
)
def test_a_bad_address_is_refused_in_plain_words(client, cast, query, said):
    client.force_login(cast.analyst)
    answer = client.get(f"/reports/?{query}")
    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_the_cases_behind_a_number_are_those_that_it_counts(client, cast, counted):
    client.force_login(cast.supervisor)
    shown = client.get("/reports/?period=all").context["tiles"]
    opened = next(tile for tile in shown if tile["name"] == NAMES["opened"])
    behind = client.get(opened["url"])
    assert len(behind.context["cases"]) == int(opened["value"])
    assert {case.team_id for case in behind.context["cases"]} == {cast.team.pk}


def test_figures_need_a_key_that_works_for_somebody_who_may_see_them(client, cast, counted, now):
    owner = cast.viewer(cast.owner)
    for person_id in (None, cast.agent.pk):
        _key, token = create_api_key(name="k", channel_id=cast.channel.pk, actor=actor_of(owner), now=now, person_id=person_id)
        answer = client.get("/api/v1/figures?measure=opened", HTTP_AUTHORIZATION=f"Bearer {token}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not-allowed")


def test_a_report_asks_the_database_a_fixed_number_of_times(client, cast, counted, django_assert_num_queries):
    client.force_login(cast.owner)
    with django_assert_num_queries(32, exact=False):
        client.get("/reports/?period=90")
