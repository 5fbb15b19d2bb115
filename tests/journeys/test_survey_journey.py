"""From a resolved case to an answer: a mail, one click, a bad score that opens the case again; without script a button; in a frame."""

import re
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from playwright.sync_api import expect

from careloop.desk.accounts.models import Channel
from careloop.desk.cases.actions import set_status
from careloop.desk.cases.models import Case
from careloop.desk.intake.actions import receive_message
from careloop.desk.outbox.delivery import deliver
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.surveys import inviting
from careloop.desk.surveys.actions import SurveyFacts, save_survey
from careloop.desk.surveys.models import Answer, Invitation, Survey, SurveySetting
from careloop.desk.surveys.rules.questions import BEGINNINGS

FACTS = SurveyFacts("Was it good?", "CSAT", BEGINNINGS["CSAT"], is_active=True, sent_when="RESOLVED", delay_minutes=0, bad_at_most=2)


@pytest.fixture
def letter(desk, inbound, mailoutbox) -> str:
    """The mail that asks a customer about a resolved case."""
    now = datetime.now(UTC)
    cast = desk.cast
    SurveySetting.objects.create(pk=1, quiet_from_minutes=0, quiet_until_minutes=0)
    Channel.objects.create(kind="EMAIL", name="Mail", slug="mail", team=cast.team, created_at=now)
    facts = replace(FACTS, bad_tells=("SUPERVISORS",), embed_channel_id=cast.form.pk)
    save_survey(facts=facts, viewer=cast.viewer(cast.supervisor), now=now)
    case_id = receive_message(inbound(channel_slug="mail", sent_at=now - timedelta(hours=1)), now=now).case_id
    inviting.follow_events(now=now)
    set_status(case_id=case_id, status="RESOLVED", expected_version=1, viewer=cast.viewer(cast.agent), now=now)
    inviting.follow_events(now=now)
    assert inviting.send_due(now=now) == 1
    deliver(OutboxItem.objects.get().pk, now=now)
    return str(mailoutbox[0].body)


def link_in(letter: str, score: int) -> str:
    return re.search(rf"http://[^/]+(/a/\S+\?score={score})", letter)[1]


def test_one_click_in_the_mail_is_the_answer(desk, visit, letter, assert_accessible, in_every_look):
    page = visit(link_in(letter, 2), locale="zh-CN", phone=True)
    expect(page.get_by_text("您选择了 2 分（满分 5 分）。")).to_be_visible()
    assert Answer.objects.get().score == 2
    assert Case.objects.get().status == "OPEN"
    for look in in_every_look(page):
        assert_accessible(page, look)
    page.get_by_label("我们哪里可以做得更好？").fill("等太久了")
    page.get_by_role("button", name="提交更改").click()
    expect(page.get_by_role("heading", name="谢谢")).to_be_visible()
    assert Answer.objects.get().message.body == "等太久了"
    desk_page = visit("/", desk.cast.supervisor)
    desk_page.goto(f"/cases/{Case.objects.get().pk}/surveys/")
    expect(desk_page.get_by_text("2 / 5")).to_be_visible()
    desk_page.goto(f"/surveys/{Invitation.objects.get().survey_id}/")
    expect(desk_page.get_by_text("等太久了")).to_be_visible()
    assert_accessible(desk_page)


def test_without_script_one_button_is_the_answer(desk, browser, letter):
    context = browser.new_context(base_url=desk.url, java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(link_in(letter, 4) + "&lang=en")
    assert Answer.objects.count() == 0
    page.get_by_role("button", name="Yes, send this answer").click()
    expect(page.get_by_text("You chose 4 of 5.")).to_be_visible()
    assert Answer.objects.get().score == 4
    page.get_by_role("link", name="I would rather not be asked").click()
    page.get_by_role("button", name="Do not ask me any more").click()
    expect(page.get_by_role("heading", name="We will not ask you any more")).to_be_visible()
    context.close()


def test_a_colleague_sees_the_page_and_answers_nothing(desk, visit, letter):
    page = visit(link_in(letter, 4), desk.cast.agent)
    expect(page.get_by_role("status")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    assert Answer.objects.count() == 0


@pytest.fixture
def shop(desk, letter):
    """Somebody's website, which shows the survey in a frame."""
    survey_url = f"{desk.url}/survey/{Survey.objects.get().pk}/?lang=en"

    class Site(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(f'<!doctype html><title>Shop</title><iframe src="{survey_url}" title="Survey" height="600"></iframe>'.encode())

        def log_message(self, *_args):
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_the_houses_site_shows_the_survey_in_a_frame(browser, shop, monkeypatch):
    from careloop.desk.web.views import form

    monkeypatch.setattr(form, "FASTEST_SECONDS", -1)
    SurveySetting.objects.update(sites=[shop])
    page = browser.new_page()
    page.goto(shop)
    frame = page.frame_locator("iframe")
    frame.get_by_label("5", exact=True).check()
    frame.get_by_role("button", name="Send").click()
    expect(frame.get_by_role("heading", name="Thank you")).to_be_visible()
    assert Answer.objects.get().invitation.origin == "EMBED"
    SurveySetting.objects.update(sites=[])
    page.goto(shop)
    expect(frame.get_by_role("button", name="Send")).to_have_count(0)
    page.close()
