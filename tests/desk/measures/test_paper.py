"""Reports on paper and as files: the same figures in each, both languages readable from the file, nobody sees more than on the screen."""

import csv
import io
import re

import pypdfium2
import pytest
from django.utils import translation

from careloop.desk.reports.actions import DashboardFacts, save_dashboard
from careloop.desk.reports.rules.layouts import LAYOUTS
from careloop.desk.reports.rules.tiles import BY_GROUP, NUMBER, OVER_TIME, Tile
from careloop.desk.reports.words import NAMES, say

CHOICE = "?period=365"


def text_of(pdf: bytes) -> str:
    """All pages' words with the white space between them taken away: where a line breaks is no part of a figure."""
    return re.sub(r"\s", "", "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(pdf)))


def lines_of(answer) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.fixture
def dashboard(cast, now, counted):
    tiles = [Tile("opened"), Tile("satisfied", OVER_TIME), Tile("resolution", BY_GROUP, "team"), Tile("opened", NUMBER, period="7")]
    return save_dashboard(facts=DashboardFacts("早会 Mornings", "ALL", tiles), viewer=cast.viewer(cast.owner), now=now)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_pdf_says_the_figures_of_the_file(client, cast, counted, language):
    cast.owner.language = language
    cast.owner.save()
    client.force_login(cast.owner)
    client.cookies["django_language"] = language
    for slug in ("overview", "satisfaction"):
        layout = LAYOUTS[slug]
        pdf = client.get(f"/reports/{slug}/pdf/{CHOICE}")
        assert pdf["Content-Type"] == "application/pdf"
        words = text_of(pdf.content)
        lines = [line for line in lines_of(client.get(f"/reports/{slug}/csv/{CHOICE}")) if not line["day"]]
        shown = [line for line in lines if line["measure"] in {*layout.tiles, *layout.columns}]
        assert len(shown) > len(layout.tiles)
        with translation.override(language):
            for line in shown:
                for column in ("value", "low", "high"):
                    assert re.sub(r"\s", "", say(line["measure"], float(line[column]) if line[column] else None)) in words
                assert re.sub(r"\s", "", str(NAMES[line["measure"]])) in words
                assert re.sub(r"\s", "", line["group_name"]) in words
        assert "careloopmanagereplay--as-of" in words


def test_a_dashboards_file_and_paper_have_the_figures_of_its_tiles(client, cast, dashboard):
    client.force_login(cast.owner)
    panels = client.get(f"/reports/dashboards/{dashboard.pk}/{CHOICE}").context["panels"]
    lines = lines_of(client.get(f"/reports/dashboards/{dashboard.pk}/csv/{CHOICE}"))
    wholes = [line for line in lines if not line["day"] and not line["group"]]
    assert [say(line["measure"], float(line["value"]) if line["value"] else None) for line in wholes] == [
        panel["value"] for panel in panels
    ]
    assert wholes[0]["since"] != wholes[3]["since"]
    words = text_of(client.get(f"/reports/dashboards/{dashboard.pk}/pdf/{CHOICE}").content)
    assert "早会Mornings" in words
    for panel in panels:
        assert re.sub(r"\s", "", panel["value"]) in words
        assert re.sub(r"\s", "", panel["interval"]) in words


def test_files_hold_what_the_viewer_may_see(client, cast, dashboard):
    client.force_login(cast.supervisor)
    lines = lines_of(client.get(f"/reports/dashboards/{dashboard.pk}/csv/{CHOICE}"))
    assert {line["group_name"] for line in lines if line["group"]} == {"After-sales"}
    client.force_login(cast.outsider)
    for path in (f"/reports/dashboards/{dashboard.pk}/csv/", f"/reports/dashboards/{dashboard.pk}/pdf/", "/reports/overview/pdf/"):
        assert client.get(path).status_code == 403


def test_nothing_counted_yet_is_said_on_paper(client, cast):
    client.force_login(cast.owner)
    assert "Thefiguresarebeingcounted" in text_of(client.get("/reports/overview/pdf/").content)


def test_a_name_is_no_formula_in_a_spreadsheet(client, cast, dashboard):
    cast.team.name = "=1+1"
    cast.team.save()
    client.force_login(cast.owner)
    lines = lines_of(client.get(f"/reports/dashboards/{dashboard.pk}/csv/{CHOICE}"))
    assert "'=1+1" in {line["group_name"] for line in lines}


def test_without_the_font_it_is_said_what_to_install(client, cast, counted, monkeypatch):
    monkeypatch.setattr("careloop.desk.reports.paper_page.FONT_PACKAGE", "no_such_font")
    client.force_login(cast.owner)
    answer = client.get("/reports/overview/pdf/")
    assert (answer.status_code, "install the package no-such-font" in answer.content.decode()) == (422, True)
