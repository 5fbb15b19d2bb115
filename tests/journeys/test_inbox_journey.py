"""Working the inbox by hand and by keys, while messages come in."""

import re

import pytest
from playwright.sync_api import expect

from careloop.desk.cases.models import Case
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_messages


@pytest.fixture
def arrive(desk, inbound, now):
    """Makes `count` more customers write; returns their cases."""

    def write(count: int, **facts) -> list[Case]:
        begin = Case.objects.count()
        names = range(begin, begin + count)
        receive_messages(
            [
                inbound(
                    **{
                        "external_id": f"x-{name}",
                        "subject": f"Matter {name:02}",
                        "sender_name": f"Customer {name:02}",
                        "addresses": (AddressValue("EMAIL", f"c{name}@example.com"),),
                        **facts,
                    }
                )
                for name in names
            ],
            now=now,
        )
        return list(Case.objects.order_by("pk"))[begin:]

    return write


def test_keys_move_open_and_search(desk, visit, arrive):
    arrive(3)
    page = visit("/?sort=oldest", desk.cast.agent)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("j")
    expect(page.locator(".row").nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Matter 01")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/cases/\d+/\?sort=oldest$"))
    expect(page).to_have_title(re.compile("Matter 01 · Careloop"))
    expect(page.locator(".row").nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("/")
    expect(page.locator("#search-box")).to_be_focused()
    page.keyboard.type("Matter 02")
    expect(page.locator(".row")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"/\?q=Matter(\+|%20)02&sort=oldest$"))
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_filters_live_in_the_address_and_back_goes_back(desk, visit, arrive):
    one, _ = arrive(2)
    Case.objects.filter(pk=one.pk).update(kind="REFUND", sentiment="NEGATIVE")
    page = visit("/", desk.cast.agent)
    page.locator("summary[aria-label='Filters and order']").click()
    page.get_by_label("Kind").select_option("REFUND")
    expect(page.locator(".row")).to_have_count(1)
    expect(page).to_have_url(desk.url + "/?kind=REFUND")
    page.go_back()
    expect(page.locator(".row")).to_have_count(2)
    page.goto("/?kind=REFUND&view=all")
    page.get_by_title("Remove this filter").click()
    expect(page.locator(".row")).to_have_count(2)
    expect(page).to_have_url(desk.url + "/?view=all")
    page.get_by_role("link", name="Mine").click()
    expect(page.get_by_text("You have no cases")).to_be_visible()


def test_new_messages_wait_behind_a_bar_and_move_no_row(desk, visit, arrive):
    first = arrive(1)[0]
    page = visit("/", desk.cast.agent)
    expect(page.locator(".desk")).to_have_attribute("data-live", "yes")
    arrive(3)
    expect(page.get_by_role("button", name="3 new")).to_be_visible()
    expect(page).to_have_title("(3) Inbox · Careloop")
    expect(page.get_by_role("link", name="Open 4")).to_be_visible()
    assert [row.get_attribute("data-case") for row in page.locator(".row").all()] == [str(first.pk)]
    page.get_by_role("button", name="3 new").click()
    expect(page.locator(".row")).to_have_count(4)
    expect(page.locator("#newbar")).to_be_hidden()
    expect(page).to_have_title("Inbox · Careloop")


def test_an_outsider_hears_nothing(desk, visit, arrive):
    page = visit("/", desk.cast.outsider)
    expect(page.locator(".desk")).to_have_attribute("data-live", "yes")
    arrive(1)
    arrive(1, channel_slug="wholesale", subject="For us")
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    page.get_by_role("button", name="1 new").click()
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator(".row")).to_contain_text("For us")


def test_a_lost_line_is_said_and_found_again(desk, visit, monkeypatch):
    from careloop.desk.web import stream

    page = visit("/", desk.cast.agent)
    expect(page.locator(".desk")).to_have_attribute("data-live", "yes")
    stream.hub.stop()
    expect(page.get_by_text("Offline, trying again…")).to_be_visible()
    stream.hub.is_stopping = False
    expect(page.locator(".desk")).to_have_attribute("data-live", "yes", timeout=20_000)
    expect(page.get_by_text("Offline, trying again…")).to_be_hidden()


def test_the_inbox_is_open_to_everybody(desk, visit, arrive, assert_accessible, in_every_look):
    page = visit("/?view=mine", desk.cast.agent)
    assert_accessible(page)
    one, two, three = arrive(3)
    Case.objects.filter(pk=one.pk).update(kind="COMPLAINT", kind_probability=0.6, sentiment="NEGATIVE", priority=40, status="WAITING")
    Case.objects.filter(pk=two.pk).update(kind="PRAISE", sentiment="POSITIVE", assignee=desk.cast.agent, priority=30)
    Case.objects.filter(pk=three.pk).update(kind="REFUND", sentiment="NEUTRAL", status="RESOLVED")
    page.goto("/?view=all&sentiment=&sort=oldest")
    page.locator("summary[aria-label='Filters and order']").click()
    for look in in_every_look(page):
        expect(page.locator(".row")).to_have_count(3)
        assert_accessible(page, look)
    page.locator("#rows").click(position={"x": 100, "y": 600})
    page.locator("body").press("?")
    assert_accessible(page)


def test_nothing_is_wider_than_a_phone(desk, visit, arrive):
    arrive(2, subject="A subject " * 15, text="超" * 500)
    page = visit("/", desk.cast.agent, phone=True, locale="zh-CN")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
