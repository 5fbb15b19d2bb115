"""A supervisor goes from the overview to the agents, to the cases behind a number, and puts a dashboard together."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from careloop.desk.cases import actions as cases
from careloop.desk.intake.actions import receive_message
from careloop.desk.measures.actions import refresh
from careloop.desk.reports.models import Dashboard


@pytest.fixture
def answered(desk, inbound):
    """A case of today that an agent has and has answered."""
    now = timezone.now()
    number = receive_message(inbound(sent_at=now), now=now).case_id
    agent = desk.cast.viewer(desk.cast.agent)
    cases.reply(case_id=number, body="Somebody comes tomorrow.", viewer=agent, now=now, status="RESOLVED")
    refresh(now=now)


def test_from_the_overview_to_a_dashboard(desk, visit, answered, assert_accessible):
    page = visit("/reports/", desk.cast.supervisor)
    page.get_by_role("navigation", name="Split by").get_by_role("link", name="Agent").click()
    row = page.get_by_role("row", name="Chen").or_(page.get_by_role("row", name="Nobody")).first
    row.get_by_role("link", name="1", exact=True).first.click()
    expect(page.get_by_role("heading", name="Cases opened: 1")).to_be_visible()
    expect(page.get_by_role("row").nth(1)).to_contain_text("林晓彤")
    page.goto(f"{desk.url}/reports/dashboards/")
    page.get_by_role("link", name="New dashboard").first.click()
    page.get_by_label("Name").fill("Mornings")
    page.get_by_role("button", name="Take away").first.click()
    expect(page.get_by_label("Name")).to_have_value("Mornings")
    page.get_by_role("button", name="Add a tile").click()
    assert_accessible(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="Mornings")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("link", name="90 days").click()
    assert page.url.endswith("?period=90")
    assert len(Dashboard.objects.get().tiles) == 6
    with page.expect_download() as paper:
        page.get_by_role("link", name="PDF").click()
    assert paper.value.suggested_filename.startswith("dashboard-")
    page.locator(".page-header").get_by_role("link", name="By mail").click()
    expect(page.get_by_label("Report or dashboard").locator("option:checked")).to_have_text("Mornings")
    assert_accessible(page)
    page.get_by_role("button", name="Mail it").click()
    expect(page.get_by_text("every Monday, 08:00")).to_be_visible()
