"""Screen, file and API give the same numbers to the digit: reports, dashboards, times and retention; a text in a file is no formula."""

import csv
import io

import pytest

from careloop.desk.accounts.actions import create_api_key
from careloop.desk.accounts.queries import actor_of
from careloop.desk.measures.retention import RATES
from careloop.desk.measures.rules.values import Figure
from careloop.desk.reports.actions import DashboardFacts, save_dashboard
from careloop.desk.reports.files import csv_text
from careloop.desk.reports.rules.layouts import LAYOUTS
from careloop.desk.reports.rules.tiles import BY_GROUP, NUMBER, OVER_TIME, Tile
from careloop.desk.reports.times_words import share_words, spans
from careloop.desk.web.measure_words import say


def rows_of(answer):
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def cells_of(line):
    """A line of the API as the file writes it."""
    return {name: "" if one is None else repr(one) if isinstance(one, float) else str(one) for name, one in line.items()}


def same(answer, file):
    """The lines of both, which must be alike; columns that a file has not are empty in the API's answer."""
    assert (answer.status_code, file.status_code) == (200, 200), answer.content
    told, rows = [cells_of(line) for line in answer.json()["lines"]], rows_of(file)
    head = rows[0].keys()
    assert [{name: line[name] for name in head} for line in told] == rows
    assert {value for line in told for name, value in line.items() if name not in head} <= {""}
    return rows


@pytest.mark.parametrize("slug", LAYOUTS)
def test_a_report_is_the_same_as_file_and_from_the_api(client, cast, counted, ask_api, slug):
    client.force_login(cast.owner)
    choice = f"?period=30&by=kind&team={cast.team.pk}"
    rows = same(ask_api(f"reports/{slug}{choice}"), client.get(f"/reports/{slug}/csv/{choice}"))
    page = client.get(f"/reports/{slug}/{choice}")
    text = page.content.decode()
    compared = LAYOUTS[slug].compared
    drawn = [row for row in rows if row["drawn"]]
    assert {row["measure"] for row in drawn} <= {compared}
    assert [say(compared, float(row["drawn"])) for row in drawn if say(compared, float(row["drawn"])) not in text] == []
    since, days = rows[0]["since"], {row["since"] for row in rows}
    before = [row for row in rows if row["since"] != since]
    assert len(days) == 2
    changes = [tile["change"] for tile in page.context["tiles"] if "change" in tile]
    told = [say(row["measure"], float(row["value"]) if row["value"] else None) for row in before]
    assert all(any(change.startswith(f"{word} ") for word in told) for change in changes)


@pytest.mark.parametrize("target", ["first_response", "resolution"])
def test_times_are_the_same_on_the_screen_as_file_and_from_the_api(client, cast, counted, ask_api, target):
    client.force_login(cast.owner)
    choice = f"?period=all&target={target}&by=kind&team={cast.team.pk}"
    rows = same(ask_api(f"times{choice}"), client.get(f"/reports/times/csv/{choice}"))
    page = client.get(f"/reports/times/{choice}")
    shown = {row["name"]: row for row in page.context["rows"]}
    points = [row for row in rows if row["figure"].startswith("over_by_") or row["figure"] == "mean"]
    assert len(points) == 5 * len(shown) > 5
    for place, row in enumerate(points):
        figure = Figure(*(float(row[name]) if row[name] else None for name in ("value", "low", "high")), int(row["n"]))
        assert shown[row["group_name"]]["points"][place % 5]["value"] == spans(figure)
        assert (shown[row["group_name"]]["n"], shown[row["group_name"]]["open"]) == (int(row["n"]), int(row["open"]))


def test_retention_is_the_same_on_the_screen_as_file_and_from_the_api(client, cast, counted, ask_api):
    client.force_login(cast.owner)
    choice = f"?period=all&within=7&team={cast.team.pk}"
    rows = same(ask_api(f"retention{choice}"), client.get(f"/reports/retention/csv/{choice}"))
    shown = client.get(f"/reports/retention/{choice}").context["rates"]
    for place, group in enumerate(("complaint", "without")):
        values = [row["value"] for row in rows if row["group"] == group and row["figure"] in RATES]
        assert [share_words(float(value) if value else None) for value in values] == [row["cells"][place]["value"] for row in shown]
    assert {"left_out_unknown_kind", "left_out_future", "contacts_change"} <= {row["figure"] for row in rows}


def test_a_dashboard_is_the_same_as_file_and_from_the_api(client, cast, counted, ask_api, now):
    tiles = [Tile("opened"), Tile("satisfied", OVER_TIME), Tile("resolution", BY_GROUP, "kind"), Tile("opened", NUMBER, period="7")]
    made = save_dashboard(facts=DashboardFacts("Mornings", "ALL", tiles), viewer=cast.viewer(cast.owner), now=now)
    assert ask_api("dashboards").json() == [{"id": made.pk, "name": "Mornings", "scope": "ALL", "team_id": None}]
    client.force_login(cast.owner)
    choice = f"?period=90&team={cast.team.pk}"
    assert len(same(ask_api(f"dashboards/{made.pk}{choice}"), client.get(f"/reports/dashboards/{made.pk}/csv/{choice}"))) > 4
    assert ask_api("dashboards/999").status_code == 404


@pytest.mark.parametrize("path", ["reports/overview", "times", "retention", "explanations", "dashboards"])
def test_whoever_may_see_no_reports_gets_none_from_the_api(client, cast, counted, now, path):
    owner = cast.viewer(cast.owner)
    for person_id in (None, cast.agent.pk):
        _key, token = create_api_key(name="k", channel_id=cast.channel.pk, actor=actor_of(owner), now=now, person_id=person_id)
        answer = client.get(f"/api/v1/{path}", HTTP_AUTHORIZATION=f"Bearer {token}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not-allowed")


def test_misspelt_choices_are_refused(cast, counted, ask_api):
    for path in (
        "times?target=lunch",
        "retention?within=31",
        "reports/lunch",
        "times?colour=red",
        "explanations?team=x",
        "times?by=weather",
    ):
        assert ask_api(path).status_code == 422, path


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "－1"])
def test_a_text_is_no_formula_and_numbers_below_zero_stay_numbers(text):
    (row,) = list(csv.reader(io.StringIO(csv_text(["a", "b", "c", "d"], [[text, -0.25, -3, None]])[1:], newline="")))[1:]
    assert row == [f"'{text}", "-0.25", "-3", ""]


@pytest.mark.parametrize("address", ["overview/csv/?by=team", "times/csv/?by=team&period=all"])
def test_a_teams_name_is_no_formula_in_any_file(client, cast, counted, address):
    cast.team.name = "=1+1"
    cast.team.save()
    client.force_login(cast.owner)
    names = {row["group_name"] for row in rows_of(client.get(f"/reports/{address}"))}
    assert "'=1+1" in names
    assert "=1+1" not in names
