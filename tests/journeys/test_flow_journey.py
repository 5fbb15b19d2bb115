"""A supervisor's day with flows: a complaint in Chinese from arrival to its end, and refunds in English below and above their limit."""

import re

import pytest
from playwright.sync_api import Page, expect

from careloop.desk.cases import actions
from careloop.desk.cases.models import Approval, Case, CaseFlow
from careloop.desk.customers.rules import AddressValue
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.intake.actions import receive_message


@pytest.fixture
def arrive(desk, inbound, now):
    """A case of a kind, at the start of its flow."""
    ensure_shipped(now=now)

    def make(kind: str, name: str, text: str) -> Case:
        message = inbound(external_id=name, text=text, sender_name=name, addresses=(AddressValue("EMAIL", f"{name}@x.example"),))
        case = Case.objects.get(pk=receive_message(message, now=now).case_id)
        reading = {"kind": kind, "kind_probability": 0.9, "sentiment": "NEGATIVE", "sentiment_probability": 0.1}
        actions.triage(readings={case.pk: reading}, now=now)
        case.refresh_from_db()
        return case

    return make


def step(page: Page, name: str, **fields: str) -> None:
    """Take a step from the strip: at once, or after opening it and entering what it asks for."""
    strip = page.locator("#work .flow").first
    if not fields:
        strip.get_by_role("button", name=name, exact=True).click()
        return
    strip.locator("summary", has_text=name).click()
    form = strip.locator("details[open] form")
    for label, value in fields.items():
        box = form.get_by_label(label)
        if box.evaluate("one => one.tagName") == "SELECT":
            box.select_option(label=value)
        else:
            box.fill(value)
    form.get_by_role("button", name=name, exact=True).click()


def stands_at(page: Page, name: str) -> None:
    expect(page.locator(".flow .states li.here").first).to_have_text(name)


def test_a_complaint_goes_from_arrival_to_its_end_in_chinese(desk, visit, arrive, in_every_look, assert_accessible):
    case = arrive("COMPLAINT", "lin", "热水器又漏水了，客服态度还很差！")
    page = visit("/approvals/", desk.cast.supervisor, locale="zh-CN")
    page.context.route("**/stream**", lambda route: route.abort())  # what others do meanwhile is shown in another journey
    page.goto(f"/cases/{case.pk}/")
    stands_at(page, "已受理")
    step(page, "开始分析")
    stands_at(page, "原因分析")
    step(page, "制定方案", 原因="产品质量")
    stands_at(page, "制定补救方案")
    page.locator(".flow summary", has_text="批准方案").click()
    form = page.locator(".flow details[open] form")
    form.get_by_label("补救方式").select_option(label="换货")
    form.get_by_label("补救成本").fill("680")
    form.get_by_label("审批人").fill("第二次漏水，建议换新机")
    form.get_by_role("button", name="申请审批").click()
    expect(page.locator(".asked")).to_contain_text("由您申请，须由他人决定（双人复核）。")
    other = visit("/approvals/", desk.cast.owner, locale="zh-CN")
    expect(other.locator("article.asked")).to_contain_text("补救成本 680.00 CNY")
    for look in in_every_look(other):
        assert_accessible(other, look)
    other.get_by_role("textbox").fill("同意换新")
    other.get_by_role("button", name="同意").click()
    expect(other.get_by_text("没有待审批的事项")).to_be_visible()
    page.reload()
    expect(page.locator(".asked.GIVEN")).to_contain_text("同意换新")
    page.locator(".flow summary", has_text="批准方案").click()
    page.locator(".flow details[open] form").get_by_role("button", name="批准方案", exact=True).click()
    stands_at(page, "方案已批准")
    step(page, "执行方案")
    stands_at(page, "执行中")
    step(page, "跟进回访", 执行日期="2026-05-06")
    stands_at(page, "跟进回访")
    step(page, "评估效果", 客户是否满意="是")
    stands_at(page, "效果评估")
    step(page, "结案")
    stands_at(page, "已结案")
    case.refresh_from_db()
    row = CaseFlow.objects.get(case=case)
    assert (case.status, row.state) == ("RESOLVED", "CLOSED")
    assert row.values == {
        "CAUSE": "PRODUCT",
        "REMEDY": "REPLACEMENT",
        "COST": {"minor": 68_000, "currency": "CNY"},
        "DONE_ON": "2026-05-06",
        "SATISFIED": True,
    }


def test_refunds_below_and_above_the_limit_go_from_the_board_through_approval_to_paid(desk, visit, arrive):
    small, large = arrive("REFUND", "ann", "Please refund my kettle."), arrive("REFUND", "bob", "Please refund my boiler.")
    page = visit(f"/cases/{small.pk}/", desk.cast.agent)
    step(page, "Check", Order="77")
    step(page, "Agree to the refund", Amount="499.99")
    stands_at(page, "Being paid")
    page = visit(f"/cases/{large.pk}/", desk.cast.agent)
    step(page, "Check", Order="78")
    step(page, "Agree to the refund", Amount="EUR 20")
    expect(page.locator("#refusals")).to_contain_text("needs an approval first")
    stands_at(page, "Being checked")
    page.locator(".flow details[open] form").get_by_role("button", name="Ask for approval").click()
    expect(page.locator(".asked")).to_contain_text("Amount 20.00 EUR")
    boss = visit("/", desk.cast.supervisor)
    boss.get_by_role("link", name="1 approval waits for you").click()
    boss.get_by_role("button", name="Agree").click()
    expect(boss.get_by_text(f"You agreed; case #{large.pk}.")).to_be_visible()
    flow = CaseFlow.objects.get(case=large).flow_version.flow_id
    boss.goto(f"/board/?by=flow&flow={flow}")
    boss.locator(f'[data-card="{large.pk}"]').drag_to(boss.locator('[data-column="PAYING"]'))
    expect(boss.locator('[data-column="PAYING"] article')).to_have_count(2)
    boss.locator(f'[data-card="{small.pk}"]').drag_to(boss.locator('[data-column="REFUNDED"]'))
    expect(boss.get_by_role("alert")).to_have_text("“Refund paid” needs first: Paid on.")
    boss.get_by_role("link", name=re.compile("kettle")).click()
    step(boss, "Refund paid", **{"Paid on": "2026-05-05"})
    stands_at(boss, "Refunded")
    small.refresh_from_db()
    assert (small.status, Approval.objects.get().state) == ("RESOLVED", "GIVEN")
