"""Two colleagues at work on the same cases: they see each other, take back what they did, and neither goes over the other unseen."""

import re

import pytest
from playwright.sync_api import expect

from careloop.desk.cases.models import Case, Message
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message


@pytest.fixture
def cases(desk, inbound, now) -> list[Case]:
    """Four cases of four customers."""
    for place in range(4):
        receive_message(inbound(external_id=f"m-{place}", addresses=(AddressValue("EMAIL", f"lin{place}@example.com"),)), now=now)
    return list(Case.objects.order_by("pk"))


def test_two_on_one_case_see_each_other_and_both_versions(desk, visit, cases, settings):
    settings.UNDO_SEND_SECONDS = 10
    case = cases[0]
    chen, sun = visit(f"/cases/{case.pk}/", desk.cast.agent), visit(f"/cases/{case.pk}/", desk.cast.supervisor)
    expect(sun.locator("#others")).to_contain_text("Chen")
    field = chen.get_by_label("Reply to the customer")
    field.fill("We send a new one today.")
    chen.keyboard.press("Control+Enter")
    held = chen.locator(".held")
    expect(held).to_contain_text("We send a new one today.")
    held.get_by_role("button").click()
    expect(held).to_be_hidden()
    expect(field).to_have_value("We send a new one today.")
    assert Message.objects.filter(direction="OUTBOUND").count() == 0
    chen.route(re.compile("/parts/"), lambda route: route.abort())  # what Sun does is not shown by itself
    sun.get_by_label("Status").select_option("RESOLVED")
    expect(sun.get_by_role("button", name="Open again")).to_be_visible()
    chen.get_by_label("Status").select_option("WAITING")
    expect(chen.get_by_text("Sun resolved the case").first).to_be_visible()
    expect(chen.get_by_role("row", name="Status Resolved Waiting for the customer")).to_be_visible()
    expect(field).to_have_value("We send a new one today.")
    chen.get_by_role("button", name="Keep theirs").click()
    expect(chen.locator("table.sides")).to_be_hidden()
    assert Case.objects.get(pk=case.pk).status == "RESOLVED"


def test_many_cases_are_changed_by_keys_and_given_back(desk, visit, cases, assert_accessible):
    page = visit("/?view=all", desk.cast.agent)
    expect(page.locator(".row")).to_have_count(4)
    page.keyboard.press("x")
    ticks = page.locator(".picks input")
    expect(ticks.first).to_be_focused()
    page.keyboard.press("Space")
    ticks.nth(2).click(modifiers=["Shift"])
    expect(page.locator("[data-chosen]")).to_have_text("3 chosen")
    assert_accessible(page)
    page.get_by_label("What to set").select_option(label="Urgent")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("3 cases would change")).to_be_visible()
    assert_accessible(page)
    assert Case.objects.filter(priority=40).count() == 0
    page.keyboard.press("Enter")
    expect(page.get_by_text("3 cases were changed")).to_be_visible()
    assert Case.objects.filter(priority=40).count() == 3
    page.get_by_role("button", name="Take it back").click()
    expect(page.get_by_text("3 cases are as they were before.")).to_be_visible()
    assert Case.objects.filter(priority=40).count() == 0
    page.get_by_role("link", name="Back to the inbox").click()
    expect(page).to_have_url(re.compile(r"view=all"))


def test_a_phone_shows_ticks_bar_and_preview_without_scrolling_sideways(desk, visit, cases, assert_accessible):
    page = visit("/?view=all", desk.cast.agent, phone=True, locale="zh-CN")
    page.locator("[data-select-cases]").click()
    page.locator("[data-all]").check()
    expect(page.locator("[data-chosen]")).to_contain_text("4")
    assert_accessible(page)
    page.locator("select[name=change]").select_option("assignee:" + str(desk.cast.agent.pk))
    page.locator("[data-preview]").click()
    expect(page.locator(".bulk-sums")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
