"""A house begins with what its trade needs."""

import pytest

from careloop.desk.analysis.models import Category, Taxonomy
from careloop.desk.audit.models import AuditEntry
from careloop.desk.flows.models import Flow
from careloop.desk.kernel.errors import InvalidInput, NotAllowed
from careloop.desk.sla.models import Calendar, ServiceLevel
from careloop.desk.solutions.models import Solution
from careloop.desk.starting.actions import SETS, Made, is_fresh, read_set, start_with

pytestmark = pytest.mark.django_db


def start(cast, now, code="shop", **facts):
    return start_with(**{"code": code, "zone": "Asia/Shanghai", "country": "CN", "viewer": cast.viewer(cast.owner), "now": now, **facts})


@pytest.mark.parametrize("code", SETS)
def test_every_set_can_be_made(cast, now, code):
    given = read_set(code)
    made = start(cast, now, code)
    wanted = sum(len(group["categories"]) for group in given["categories"])
    assert made == Made(wanted, 2, 5, len(given["solutions"]))
    assert Category.objects.filter(parent__isnull=False).count() == wanted
    assert (ServiceLevel.objects.count(), Flow.objects.count(), Solution.objects.count()) == (2, 5, len(given["solutions"]))
    assert all(solution.categories for solution in Solution.objects.all())


@pytest.mark.parametrize("code", SETS)
def test_every_set_speaks_both_languages(code):
    given = read_set(code)
    words = [given["name"], *given["categories"], *(one for group in given["categories"] for one in group["categories"])]
    assert all(one["en"].strip() and one["zh"].strip() for one in words)
    for solution in given["solutions"]:
        assert all(solution[language][part].strip() for language in ("en", "zh") for part in ("title", "body", "reply"))


def test_what_a_house_has_already_stays_as_it_is(cast, now):
    start(cast, now)
    assert not is_fresh(cast.viewer(cast.owner))
    assert start(cast, now, "finance") == Made()
    assert (Taxonomy.objects.count(), Calendar.objects.count()) == (1, 1)


def test_all_or_nothing(cast, now):
    with pytest.raises(InvalidInput, match="no time zone"):
        start(cast, now, zone="Mars/Olympus")
    with pytest.raises(InvalidInput, match="no starting set “moon”"):
        start(cast, now, "moon")
    assert (Taxonomy.objects.count(), Flow.objects.count(), AuditEntry.objects.filter(action="start.with").count()) == (0, 0, 0)


def test_only_owners_start_a_house(cast, now):
    with pytest.raises(NotAllowed):
        start(cast, now, viewer=cast.viewer(cast.supervisor))
    assert Taxonomy.objects.count() == 0


def test_the_page_makes_the_chosen_set(client, cast):
    client.force_login(cast.owner)
    page = client.get("/start/").content.decode()
    assert all(f'value="{code}"' in page for code in SETS)
    response = client.post("/start/", {"code": "travel", "zone": "Europe/Berlin", "country": "DE"})
    assert (response.status_code, Calendar.objects.get().zone) == (302, "Europe/Berlin")
    refused = client.post("/start/", {"code": "moon", "zone": "UTC", "country": ""})
    assert (refused.status_code, "no starting set" in refused.content.decode()) == (422, True)


def test_a_house_that_chose_no_time_zone_is_offered_the_one_of_its_language(client, cast, settings):
    client.force_login(cast.owner)
    offered = {}
    for house, language in (("UTC", "zh-hans"), ("UTC", "en"), ("Europe/Berlin", "zh-hans")):
        settings.TIME_ZONE = house
        page = client.get("/start/", headers={"accept-language": language}).content.decode()
        offered[house, language] = page.partition("<option selected>")[2].partition("<")[0]
    assert offered == {("UTC", "zh-hans"): "Asia/Shanghai", ("UTC", "en"): "UTC", ("Europe/Berlin", "zh-hans"): "Europe/Berlin"}
