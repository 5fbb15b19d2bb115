"""Every chart of reports, dashboards, times and explanations has a sentence and a table beside it, and prints without what is pressed."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from careloop.desk.reports.actions import DashboardFacts, save_dashboard
from careloop.desk.reports.rules.layouts import LAYOUTS
from careloop.desk.reports.rules.tiles import BY_GROUP, OVER_TIME, Tile
from careloop.desk.watch.explanations import explain_house

STYLES = Path(__file__).parents[3] / "src/careloop/desk/web/static/careloop"


class Sections(HTMLParser):
    """For each section of a page: the sentences of its charts, and how many rows its tables have."""

    def __init__(self, text):
        super().__init__()
        self.open, self.found = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "section":
            self.open.append({"charts": [], "rows": 0})
            self.found.append(self.open[-1])
        elif tag == "svg" and given.get("role") == "img":
            assert self.open, "a chart stands outside of any section"
            self.open[-1]["charts"].append(given.get("aria-label", ""))
        elif tag == "tr" and self.open:
            self.open[-1]["rows"] += 1

    def handle_endtag(self, tag):
        if tag == "section":
            self.open.pop()


@pytest.fixture
def explained(counted):
    explain_house(now=counted.now)
    return counted


@pytest.fixture
def dashboard(cast, now, explained):
    tiles = [Tile("opened", OVER_TIME, width="4"), Tile("satisfied", OVER_TIME, width="1"), Tile("resolution", BY_GROUP, "channel")]
    return save_dashboard(facts=DashboardFacts("Mornings", "ALL", tiles), viewer=cast.viewer(cast.owner), now=now)


def test_each_chart_has_a_sentence_and_a_table(client, cast, dashboard):
    client.force_login(cast.owner)
    paths = [f"/reports/{slug}/?period=365" for slug in LAYOUTS]
    paths += [f"/reports/times/?period=365&target={target}&by=kind" for target in ("first_response", "resolution")]
    paths += ["/why/", f"/reports/dashboards/{dashboard.pk}/?period=365"]
    seen = 0
    for path in paths:
        for section in Sections(client.get(path).content.decode()).found:
            for sentence in section["charts"]:
                seen += 1
                assert len(sentence) > 20, path
                assert section["rows"] > 1, path
    assert seen >= 2 * len(LAYOUTS) + 2 + 1 + 2


def test_on_paper_tables_are_open_and_nothing_that_is_pressed_stands():
    style = (STYLES / "reports.css").read_text(encoding="utf-8")
    printed = style[style.index("@media print") :]
    hidden = re.search(r"([^{}]+)\{ display: none !important \}", printed)[1]
    assert {".rail", ".choose", ".pages-of", ".places", ".segments", ".page-header .actions"} <= {one.strip() for one in hidden.split(",")}
    assert "details::details-content { content-visibility: visible" in printed


def test_tiles_are_as_wide_as_chosen(client, cast, dashboard):
    client.force_login(cast.owner)
    text = client.get(f"/reports/dashboards/{dashboard.pk}/").content.decode()
    assert re.findall(r'<section class="card (\w+(?: w\d)?)">', text) == ["time w4", "time w1", "groups"]
