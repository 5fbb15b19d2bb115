"""Dashboards: what a tile may be, who sees and changes which, two editors, and the same figures as on reports."""

import pytest

from careloop.desk.audit.models import AuditEntry
from careloop.desk.kernel.errors import Conflict, InvalidInput, NotAllowed, NotFound
from careloop.desk.measures.actions import refresh
from careloop.desk.reports.actions import DashboardFacts, delete_dashboard, save_dashboard
from careloop.desk.reports.dashboards import ALLOWED, get_dashboard, list_dashboards
from careloop.desk.reports.models import Dashboard
from careloop.desk.reports.rules.tiles import BY_GROUP, NUMBER, OVER_TIME, BadTile, Tile, address_of, check_tiles, read_tile, rearrange

FIRST = [Tile("opened"), Tile("first_response", OVER_TIME), Tile("satisfied", BY_GROUP, "agent")]


@pytest.mark.parametrize(
    ("tile", "code"),
    [
        (Tile("happiness"), "measure"),
        (Tile("opened", "pie"), "form"),
        (Tile("backlog", OVER_TIME), "undated"),
        (Tile("opened", BY_GROUP), "by"),
        (Tile("opened", BY_GROUP, "weather"), "by"),
        (Tile("opened", period="5"), "period"),
        (Tile("opened", chosen=(("weather", "1"),)), "facet"),
    ],
)
def test_what_is_no_tile_is_named_with_its_place(tile, code):
    with pytest.raises(BadTile) as refused:
        check_tiles([Tile("opened"), tile], ALLOWED)
    assert (refused.value.code, refused.value.place) == (code, 2)


def test_at_most_24_tiles():
    check_tiles([Tile("opened")] * 24, ALLOWED)
    with pytest.raises(BadTile) as refused:
        check_tiles([Tile("opened")] * 25, ALLOWED)
    assert refused.value.code == "many"


def test_a_tile_is_the_same_after_it_was_stored_and_forgets_what_its_form_does_not_need():
    tile = Tile("opened", BY_GROUP, "agent", "90", (("kind", "REFUND"), ("team", "3")))
    assert read_tile(tile.to_json()) == tile
    assert read_tile({**tile.to_json(), "form": NUMBER}).by == ""
    assert read_tile({"measure": "opened", "form": NUMBER, "chosen": {"team": ""}}).chosen == ()


def test_tiles_go_up_down_and_out():
    first, second, third = FIRST
    assert rearrange(FIRST, "up", 1) == [second, first, third]
    assert rearrange(FIRST, "down", 1) == [first, third, second]
    assert rearrange(FIRST, "out", 1) == [first, third]
    assert [rearrange(FIRST, *step) for step in (("up", 0), ("down", 2), ("out", 7), ("over", 1))] == [FIRST] * 4


def test_a_tiles_own_choice_goes_before_the_pages():
    page = {"since": "2026-05-01", "until": "2026-05-04", "team": "1", "by": "agent", "as_of": "2026-05-04"}
    assert address_of(Tile("opened"), page) == {key: value for key, value in page.items() if key != "by"}
    own = Tile("opened", period="90", chosen=(("team", "2"),))
    assert address_of(own, page) == {"period": "90", "team": "2", "as_of": "2026-05-04"}


@pytest.fixture
def make(cast, now):
    def made(who, scope="PERSON", team=None, tiles=FIRST):
        facts = DashboardFacts("Mornings", scope, list(tiles), team.pk if team else None)
        return save_dashboard(facts=facts, viewer=cast.viewer(who), now=now)

    return made


def test_who_sees_which(cast, make):
    own, of_team, of_all = make(cast.analyst), make(cast.supervisor, "TEAM", cast.team), make(cast.owner, "ALL")
    assert set(list_dashboards(cast.viewer(cast.analyst))) == {own, of_team, of_all}
    assert set(list_dashboards(cast.viewer(cast.supervisor))) == {of_team, of_all}
    cast.supervisor.teams.set([cast.other_team])
    assert set(list_dashboards(cast.viewer(cast.supervisor))) == {of_all}
    for who in (cast.agent, cast.outsider):
        with pytest.raises(NotAllowed):
            list_dashboards(cast.viewer(who))


def test_those_of_a_team_are_made_and_changed_by_its_supervisor_and_owners(cast, make, now):
    with pytest.raises(NotAllowed):
        make(cast.analyst, "TEAM", cast.team)
    with pytest.raises(InvalidInput):
        make(cast.supervisor, "TEAM", cast.other_team)
    with pytest.raises(NotAllowed):
        make(cast.agent)
    assert not Dashboard.objects.exists()
    of_team = make(cast.supervisor, "TEAM", cast.team)
    facts = DashboardFacts("Mine", "PERSON", [])
    for who, error in ((cast.analyst, NotAllowed), (cast.outsider, NotAllowed)):
        with pytest.raises(error):
            save_dashboard(facts=facts, viewer=cast.viewer(who), now=now, dashboard_id=of_team.pk, expected_version=1)
        with pytest.raises(error):
            delete_dashboard(dashboard_id=of_team.pk, viewer=cast.viewer(who), now=now)
    of_team.refresh_from_db()
    assert (of_team.name, of_team.version) == ("Mornings", 1)
    own = make(cast.analyst)
    with pytest.raises(NotFound):
        get_dashboard(own.pk, cast.viewer(cast.owner))


def test_the_second_editor_sees_both_versions(client, cast, make, now):
    one = make(cast.owner, "ALL")
    mine = DashboardFacts("Evenings", "ALL", [Tile("backlog")])
    save_dashboard(facts=mine, viewer=cast.viewer(cast.supervisor), now=now, dashboard_id=one.pk, expected_version=1)
    with pytest.raises(Conflict):
        save_dashboard(facts=mine, viewer=cast.viewer(cast.owner), now=now, dashboard_id=one.pk, expected_version=1)
    client.force_login(cast.owner)
    sent = {"name": "Nights", "scope": "ALL", "version": "1", "measure": ["opened"], "form": ["number"], "by": [""], "period": [""]}
    answer = client.post(f"/reports/dashboards/{one.pk}/edit/", sent)
    assert (answer.status_code, answer.context["version"]) == (409, "2")
    assert [(side.theirs, side.mine) for side in answer.context["sides"]] == [
        ("Evenings", "Nights"),
        ("Open cases · Number", "Cases opened · Number"),
    ]
    assert client.post(f"/reports/dashboards/{one.pk}/edit/", {**sent, "version": "2"}).status_code == 302
    one.refresh_from_db()
    assert (one.name, one.version, [tile["measure"] for tile in one.tiles]) == ("Nights", 3, ["opened"])
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["dashboard.save"] * 3


def test_buttons_change_the_form_and_nothing_is_written(client, cast):
    client.force_login(cast.analyst)
    sent = {"name": "x", "scope": "PERSON", "measure": ["opened", "backlog"], "form": ["number"] * 2, "by": ["", ""], "period": ["", "7"]}

    def after(button):
        return [row["tile"].measure for row in client.post("/reports/dashboards/new/", {**sent, "do": button}).context["rows"]]

    assert after("add") == ["opened", "backlog", "opened"]
    assert after("up:1") == ["backlog", "opened"]
    assert after("out:0") == ["backlog"]
    assert not Dashboard.objects.exists()
    answer = client.post("/reports/dashboards/new/", {**sent, "form": ["number", "time"]})
    assert (answer.status_code, "Tile 2 shows what stands now" in answer.content.decode()) == (422, True)
    assert not Dashboard.objects.exists()


def test_a_tile_shows_the_figure_of_the_report(client, cast, make, life, monkeypatch):
    played = life(21)
    played.play(60)
    refresh(now=played.now)
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *_args: played.now.date())
    chosen = Tile("opened", NUMBER, chosen=(("team", str(cast.other_team.pk)),))
    one = make(cast.owner, "ALL", tiles=[*FIRST, chosen, Tile("resolution", BY_GROUP, "channel", "365")])
    client.force_login(cast.owner)
    panels = client.get(f"/reports/dashboards/{one.pk}/?period=all&team={cast.team.pk}").context["panels"]
    report = client.get(f"/reports/?period=all&team={cast.team.pk}").context["tiles"]
    other = client.get(f"/reports/?period=all&team={cast.other_team.pk}").context["tiles"]
    assert [panels[place]["value"] for place in (0, 1)] == [report[place]["value"] for place in (0, 3)]
    assert (panels[3]["value"], panels[3]["own"]) == (other[0]["value"], "Team: Wholesale")
    assert panels[4]["own"] == "A year"
    assert len(client.get(panels[0]["url"]).context["cases"]) == int(panels[0]["value"])
    client.force_login(cast.supervisor)
    seen = client.get(f"/reports/dashboards/{one.pk}/?period=all").context["panels"]
    assert (seen[0]["value"], seen[3]["value"]) == (panels[0]["value"], "0")
