"""The rail and the tabs of its areas: what each role finds there, and where a page belongs."""

import pytest
from django.urls import reverse

from careloop.desk.accounts.rules import PERMISSIONS
from careloop.desk.web.places import AREAS, places_of

pytestmark = pytest.mark.django_db


def _labels(entries):
    return [str(entry["label"]) for entry in entries]


@pytest.mark.parametrize(
    ("role", "areas"),
    [
        ("OWNER", ["Inbox", "Customers", "Feedback", "Reports", "Solutions", "Workflow", "Settings"]),
        ("SUPERVISOR", ["Inbox", "Customers", "Feedback", "Reports", "Solutions", "Workflow", "Settings"]),
        ("ANALYST", ["Inbox", "Customers", "Feedback", "Reports", "Solutions", "Settings"]),
        ("AGENT", ["Inbox", "Customers", "Feedback", "Solutions"]),
    ],
)
def test_the_rail_has_the_areas_of_the_role(role, areas):
    assert _labels(places_of("/", PERMISSIONS[role])["rail"]) == areas


def test_whoever_is_not_signed_in_is_led_nowhere():
    shown = places_of("/settings/users/", frozenset())
    assert (shown["rail"], shown["tabs_of_area"]) == ([], [])


def test_an_area_leads_to_the_first_place_that_the_role_may_see():
    settings = places_of("/", PERMISSIONS["ANALYST"])["rail"][-1]
    assert (str(settings["label"]), settings["url"]) == ("Settings", "/categories/")


@pytest.mark.parametrize(
    ("path", "area", "place"),
    [
        ("/", "Inbox", "Inbox"),
        ("/cases/7/", "Inbox", "Inbox"),
        ("/board/", "Inbox", "Inbox"),
        ("/surveys/3/edit/", "Feedback", "Surveys"),
        ("/reports/agents/", "Reports", "Reports"),
        ("/reports/dashboards/4/", "Reports", "Dashboards"),
        ("/alarms/9/", "Reports", "Watch"),
        ("/solutions/12/", "Solutions", "Library"),
        ("/solutions/gaps/", "Solutions", "Gaps"),
        ("/models/of/kind/", "Settings", "Categories"),
        ("/settings/audit/", "Settings", "Audit trail"),
    ],
)
def test_a_page_belongs_to_the_place_with_the_longest_address(path, area, place):
    shown = places_of(path, PERMISSIONS["OWNER"])
    assert [str(one["label"]) for one in shown["rail"] if one["is_current"]] == [area]
    assert str(shown["place_name"]) == place
    assert [str(one["label"]) for one in shown["tabs_of_area"] if one["is_current"]] == ([] if area == "Inbox" else [place])


def test_one_page_may_belong_nowhere():
    assert places_of("/notices/", PERMISSIONS["OWNER"])["place_name"] is None


def test_an_area_that_the_role_may_not_enter_shows_no_tabs():
    assert places_of("/macros/", PERMISSIONS["AGENT"])["tabs_of_area"] == []


@pytest.mark.parametrize("role", sorted(PERMISSIONS))
def test_every_way_that_is_shown_is_open(client, cast, role):
    client.force_login({"OWNER": cast.owner, "SUPERVISOR": cast.supervisor, "ANALYST": cast.analyst, "AGENT": cast.agent}[role])
    shown = [places_of(reverse(place.route), PERMISSIONS[role]) for area in AREAS for place in area.places]
    ways = {entry["url"] for one in shown for entry in [*one["rail"], *one["tabs_of_area"]]}
    assert {url: client.get(url).status_code for url in ways} == dict.fromkeys(ways, 200)
