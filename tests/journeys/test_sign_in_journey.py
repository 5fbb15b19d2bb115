"""Coming in, in both languages, by light and dark, on a desk and on a phone."""

import re

import pytest
from playwright.sync_api import expect

PASSWORD = "a password of four words"


@pytest.fixture
def agent(desk):
    """The agent, whose password we know."""
    desk.cast.agent.set_password(PASSWORD)
    desk.cast.agent.save()
    return desk.cast.agent


def test_a_wrong_password_is_said_in_words_and_the_right_one_opens_the_page_asked_for(desk, visit, agent):
    page = visit("/?view=mine")
    expect(page).to_have_url(re.compile(r"/accounts/login/\?next=/%3Fview%3Dmine"))
    expect(page.get_by_label("E-mail address")).to_be_focused()
    page.keyboard.type(agent.email)
    page.get_by_label("Password").fill("wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value(agent.email)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(desk.url + "/?view=mine")
    expect(page).to_have_title("Inbox · Careloop")


def test_signing_out_leads_to_the_door_and_forgets_drafts(desk, visit):
    page = visit("/", desk.cast.agent)
    page.evaluate("localStorage.setItem('careloop.draft.1.1.reply', 'half a sentence')")
    page.locator("[data-user-menu]").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/accounts/login/"))
    assert page.evaluate("localStorage.length") == 0


def test_the_browsers_language_is_spoken(visit):
    assert visit("/accounts/login/", locale="zh-CN").locator("html").get_attribute("lang") == "zh-Hans"
    assert visit("/accounts/login/", locale="de-DE").locator("html").get_attribute("lang") == "en"


def test_the_door_is_open_to_everybody(desk, visit, assert_accessible, in_every_look):
    page = visit("/accounts/login/")
    for path in ("/accounts/login/", "/accounts/password/reset/", "/nowhere/"):
        page.goto(path)
        for look in in_every_look(page):
            assert_accessible(page, look)


def test_ones_own_account_is_usable(desk, visit, agent, assert_accessible, in_every_look):
    page = visit("/accounts/password/change/", agent, phone=True)
    assert_accessible(page)
    page.goto("/accounts/2fa/totp/activate/")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_label("Authenticator secret")).to_be_visible()
    for look in in_every_look(page):
        assert_accessible(page, look)
