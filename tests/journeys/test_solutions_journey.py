"""A day with solutions: an agent inserts a suggestion and sends it, an editor mends an article, the owner switches replies on and off."""

import pytest
from playwright.sync_api import expect

from careloop.desk.cases.models import Case, Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.solutions.actions import Facts, Wording, save_solution
from careloop.desk.solutions.models import AutomaticReplies, HelpVote, Solution, SolutionUse, Taken
from careloop.desk.solutions.using import note_uses

LEAK = {
    "zh": Wording("热水器漏水", "先断电关阀，再约上门。", "请先断电并关闭进水阀，我们今天安排师傅上门。"),
    "en": Wording("The water heater leaks", "Switch it off, close the valve.", "Please switch it off and close the valve."),
}


@pytest.fixture
def leak(desk, now) -> Solution:
    """A published solution whose review is due."""
    return save_solution(facts=Facts(LEAK, "PUBLISHED", review_on=now.date()), viewer=desk.cast.viewer(desk.cast.supervisor), now=now)


@pytest.fixture
def case(desk, inbound, now) -> Case:
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


def test_an_agent_inserts_what_is_suggested_and_the_use_is_noted(desk, visit, leak, case, settings, now, assert_accessible):
    settings.UNDO_SEND_SECONDS = 0
    page = visit(f"/cases/{case.pk}/", desk.cast.agent, locale="zh-CN")
    offer = page.locator("[data-offered]").first
    expect(offer).to_contain_text("热水器漏水")
    offer.get_by_role("button", name="插入").click()
    field = page.get_by_label("回复客户")
    expect(field).to_have_value("请先断电并关闭进水阀，我们今天安排师傅上门。")
    assert_accessible(page)
    field.focus()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".thread, main").first).to_contain_text("请先断电并关闭进水阀")
    expect(field).to_have_value("")
    sent = Message.objects.get(direction="OUTBOUND")
    assert sent.body == "请先断电并关闭进水阀，我们今天安排师傅上门。" and Taken.objects.count() == 1
    assert note_uses(now=sent.sent_at) == 1 and SolutionUse.objects.get().solution_id == leak.pk


def test_an_editor_mends_an_article_that_is_due_and_a_visitor_reads_it(desk, visit, leak):
    page = visit("/solutions/", desk.cast.supervisor)
    page.get_by_label("Due for review (1)").check()
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="The water heater leaks").click()
    english = page.get_by_role("group", name="English")
    english.get_by_label("Article").fill("Switch it off at the fuse box.")
    page.get_by_label("Review on").fill("2099-01-01")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved as version 2.")).to_be_visible()
    page.get_by_role("link", name="Back to the library").click()
    expect(page.get_by_label("Due for review (0)")).to_be_visible()
    visitor = visit("/help/?lang=en")
    visitor.get_by_role("link", name="The water heater leaks").click()
    expect(visitor.get_by_text("Switch it off at the fuse box.")).to_be_visible()
    visitor.get_by_role("button", name="Yes").click()
    expect(visitor.get_by_text("Thank you for telling us.")).to_be_visible()
    assert HelpVote.objects.get().has_helped


def test_the_owner_promises_switches_on_and_a_supervisor_stops_at_once(desk, visit, leak, assert_accessible):
    AutomaticReplies.objects.create(
        pk=1, threshold=0.9, n=60, n_answered=50, n_right=49, needed=45, derived_at=leak.changed_at, checked_seen=600, checked_answered=480,
        checked_right=462,
    )  # fmt: skip
    page = visit("/solutions/automatic/", desk.cast.owner)
    expect(page.get_by_text("thresholds of one half: 480 of 600 answered")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Switch on").click()
    expect(page.get_by_role("status").filter(has_text="Automatic replies are on.").first).to_be_visible()
    assert AutomaticReplies.objects.get().is_on
    other = visit("/solutions/automatic/", desk.cast.supervisor, locale="zh-CN", phone=True)
    other.get_by_role("button", name="立即关闭").click()
    expect(other.get_by_text("自动回复已关闭").first).to_be_visible()
    assert not AutomaticReplies.objects.get().is_on
    page.reload()
    page.get_by_label("Kept").select_option("AT_LEAST")
    page.get_by_role("button", name="Derive the threshold").click()
    expect(page.get_by_text("The worker derives the threshold anew")).to_be_visible()
    assert AutomaticReplies.objects.get().manner == "AT_LEAST"
