"""The way of cases: every number opens its cases, and the map holds its states and arcs apart, each with its numbers."""

from datetime import timedelta
from itertools import pairwise

import pytest

from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.measures.case_rows import read_cases
from careloop.desk.measures.explaining import draw_way
from careloop.desk.measures.models import CaseFact, Facets, Ledger
from careloop.desk.reports.rules.way import GAP, TALL, WIDE, lay_out
from careloop.desk.watch.models import Explanation

pytestmark = pytest.mark.django_db
TOO_LITTLE = {name: {"problem": "no cases"} for name in ("slow", "waits", "drivers")}


@pytest.fixture
def explained(cast, inbound, now):
    """Three cases: one went back and forth and was resolved, one was resolved at once, one is still open."""
    facets = Facets.objects.create(team_id=cast.team.pk, channel_id=cast.channel.pk)
    for number, ways in enumerate((("WAITING", "OPEN", "RESOLVED"), ("RESOLVED",), ())):
        addresses = (AddressValue("EMAIL", f"p{number}@example.com"),)
        receipt = receive_message(inbound(external_id=f"m-{number}", addresses=addresses), now=now)
        case = Case.objects.get(pk=receipt.case_id)
        for place, status in enumerate(ways):
            facts = {"actor_kind": "system", "actor_name": "", "after": {"status": status}}
            CaseEvent.objects.create(case=case, team=case.team, kind="STATUS", at=now + timedelta(hours=1 + place), **facts)
        CaseFact.objects.create(
            case_id=case.pk, facets=facets, known_from=now, opened_on=now.date().toordinal(), opened_second=int(now.timestamp()),
            resolution_seconds=3600 * len(ways) if ways else None,
        )  # fmt: skip
    Ledger.objects.update_or_create(pk=1, defaults={"shown_at": now})
    way = draw_way(read_cases(since_day=0, most=10, team_id=None, now_second=int(now.timestamp()) + 86_400))
    parts = {**TOO_LITTLE, "way": way, "silent": {"answered": {"problem": "nobody was invited"}}, "work": None}
    Explanation.objects.create(team=None, parts=parts, made_at=now)
    return way


def test_every_number_of_the_way_is_that_of_its_list(client, cast, explained):
    client.force_login(cast.owner)
    page = client.get("/why/")
    way, html = page.context["way"], page.content.decode()
    told = {one["name"]: (one["n_cases"], one["n_open"]) for one in way["states"]}
    assert told == {"Open": (3, 1), "Waiting for the customer": (1, 0), "Resolved": (2, 0)}
    steps = {(one["source"], one["target"]): (one["n"], one["n_cases"]) for one in way["steps"]}
    assert steps == {
        ("Open", "Resolved"): (2, 2), ("Open", "Waiting for the customer"): (1, 1), ("Waiting for the customer", "Open"): (1, 1),
    }  # fmt: skip
    for one in [*way["states"], *way["steps"]]:
        assert html.count(one["url"]) == 2  # in the map and in the table
        assert len(client.get(one["url"]).context["cases"]) == one["n_cases"]
    for one in way["states"]:
        assert len(client.get(one["open_url"]).context["cases"]) == one["n_open"]
        assert (one["open_url"] in html) is (one["n_open"] > 0)


def test_cases_of_the_way_are_those_in_sight(client, cast, explained):
    client.force_login(cast.outsider)
    assert client.get("/why/states/0/?team=").status_code in {403, 404}
    client.force_login(cast.owner)
    assert [client.get(f"/why/{part}/99/?team=").status_code for part in ("states", "open", "steps")] == [404] * 3
    Case.objects.all().update(team=cast.other_team)
    assert len(client.get("/why/states/0/?team=").context["cases"]) == 3


def test_the_map_says_count_share_and_time_on_each_arc_and_how_it_is_read(client, cast, explained):
    client.force_login(cast.owner)
    html = client.get("/why/").content.decode()
    for told in ("3 cases · 1 there now", "1 return", "2 · 67%", "1 · 33%", "1 · 100%", "1 h"):
        assert f">{told}</text>" in html or told in html, told
    assert "In a box: how many cases were ever in the state" in html
    assert html.count('class="told"') == 6


def test_states_and_labels_do_not_overlap():
    names = [f"S{number}" for number in range(8)]
    states = [{"name": name, "n_starts": 9 - number, "n_ends": number} for number, name in enumerate(names)]
    steps = [{"source": one, "target": other, "n": 1, "share": 0.5} for one in names for other in names]
    way = lay_out(states, steps)
    assert [box.state["name"] for box in way.boxes] == names
    assert [box.y - before.y for before, box in pairwise(way.boxes)] == [TALL + GAP] * 7
    assert (len(way.arcs), sum(one.is_forward for one in way.arcs)) == (56, 28)
    left = way.boxes[0].x
    for one in way.arcs:
        assert (one.label[0] > left + WIDE) if one.is_forward else (one.label[0] < left)
        assert all(0 <= x <= way.width and 0 <= y <= way.height for x, y in one.points)
    lengths = {abs(names.index(one.step["target"]) - names.index(one.step["source"])) for one in way.arcs}
    for far in lengths:
        rows = sorted(
            one.label[1] for one in way.arcs if one.is_forward and names.index(one.step["target"]) - names.index(one.step["source"]) == far
        )
        assert all(after - before >= 26 for before, after in pairwise(rows))
