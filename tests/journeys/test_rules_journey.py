"""A supervisor makes a rule with a group of conditions, sees what it would have done, hears of a circle, meets a colleague's version."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from careloop.desk.automation.models import Macro, Rule
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message


@pytest.fixture
def case(desk, inbound, now) -> Case:
    """A case of today, so that the dry run looks at it."""
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    Case.objects.update(last_message_at=timezone.now(), opened_at=timezone.now())
    CaseEvent.objects.update(at=timezone.now())
    return case


def test_a_rule_from_its_first_line_to_two_versions(desk, visit, case, assert_accessible):
    page = visit("/rules/", desk.cast.supervisor)
    page.get_by_role("link", name="New rule").first.click()
    page.get_by_label("Name").fill("Refunds first")
    page.get_by_label("Fact").first.select_option(label="Text of the message")
    expect(page.get_by_label("Comparison").first).to_have_value("contains")
    page.get_by_label("Value").first.fill("退款")
    page.get_by_role("button", name="A group inside").click()
    group = page.locator("#block-c\\.0")
    expect(group.get_by_label("How these conditions count")).to_have_value("any")
    expect(page.get_by_label("Value").first).to_have_value("退款")
    group.get_by_label("Fact").first.select_option(label="Priority")
    group.get_by_label("Value").first.fill("Normal")
    action = page.locator(".act").first
    action.get_by_label("Action").select_option(label="Add the task")
    expect(action.get_by_label("Value")).to_have_attribute("placeholder", "Look for the parcel | Warehouse | 2")
    action.get_by_label("Action").select_option(label="Set the priority")
    action.get_by_label("Value").fill("Urgent")
    page.get_by_role("button", name="What it would have done").click()
    expect(page.locator("#told")).to_contain_text("would have touched 1 case")
    assert_accessible(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("one of: Priority is Normal")).to_be_visible()
    assert_accessible(page)
    rule = Rule.objects.get()
    assert rule.condition["all"][1] == {"any": [{"field": "priority", "op": "is", "value": [20]}]}

    olga = visit(f"/rules/{rule.pk}/", desk.cast.owner)
    page.get_by_role("link", name="Refunds first").click()
    page.get_by_label("Name").fill("Refunds at once")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("link", name="Refunds at once")).to_be_visible()
    olga.get_by_label("Order").fill("7")
    olga.get_by_role("button", name="Save", exact=True).click()
    expect(olga.get_by_role("row", name=re.compile("Name Refunds at once Refunds first"))).to_be_visible()
    assert_accessible(olga)
    assert Rule.objects.get().name == "Refunds at once"
    olga.get_by_role("link", name="Keep theirs").click()
    expect(olga.get_by_label("Name")).to_have_value("Refunds at once")


def test_a_circle_is_told_in_chinese_and_on_a_phone(desk, visit, now, assert_accessible):
    Macro.objects.create(name="谢谢", scope="ALL", body="收到", changed_at=now)
    Rule.objects.create(name="记录", events=["REPLIED"], condition={"all": []}, actions=[{"do": "ADD_NOTE", "value": "x"}], changed_at=now)
    page = visit("/rules/new/", desk.cast.supervisor, phone=True, locale="zh-CN")
    page.locator("#id_name").fill("回复")
    page.get_by_label("已创建", exact=True).uncheck()
    page.get_by_label("已添加备注", exact=True).check()
    page.locator(".act select").first.select_option("REPLY")
    page.locator(".act input").first.fill("谢谢")
    page.locator(".condition select").first.select_option("kind")
    page.locator(".condition input").first.fill("退款")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.locator("#circles")).to_contain_text("“回复” → ")
    assert_accessible(page)
    page.get_by_role("button", name="仍然保存").click()
    expect(page.get_by_text("回复", exact=True).first).to_be_visible()
    assert Rule.objects.count() == 2
