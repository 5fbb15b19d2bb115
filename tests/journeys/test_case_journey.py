"""A case from reading to resolved, alone and with a colleague, with nothing typed ever lost."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.analysis.models import Reading
from careloop.desk.automation.actions import MacroFacts, save_macro
from careloop.desk.cases import actions
from careloop.desk.cases.models import Case, Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.slots import slot_of


@pytest.fixture
def case(desk, inbound, now) -> Case:
    """A leaking heater, read."""
    receipt = receive_message(inbound(), now=now)
    message = Message.objects.get(pk=receipt.message_id)
    Reading.objects.create(
        message=message,
        team=message.team,
        channel=message.channel,
        case=message.case,
        slot=slot_of(message.sent_at),
        state="DONE",
        language="zh-Hans",
        sentiment="NEGATIVE",
        sentiment_probability=0.06,
        kind="REFUND",
        kind_probability=0.97,
        keywords=["漏水", "退款"],
        details={
            "sentiment_abstained": False,
            "sentiment_evidence": [[3, 5, -1.5]],
            "kind_abstained": False,
            "kind_evidence": [[9, 11, 1.0]],
            "entities": [{"type": "order", "text": "20418837", "start": 15, "end": 23, "value": "20418837"}],
            "summary": "热水器漏水，要求退款。",
        },
        model_versions={"sentiment": "3"},
        read_at=now,
    )
    Case.objects.filter(pk=receipt.case_id).update(kind="REFUND", kind_probability=0.97, sentiment="NEGATIVE", version=2)
    return Case.objects.get(pk=receipt.case_id)


def test_a_case_is_worked_by_keys_alone(desk, visit, case):
    page = visit(f"/cases/{case.pk}/", desk.cast.agent)
    expect(page.locator("#thread mark.neg")).to_have_text("漏水")
    page.keyboard.press("n")
    page.keyboard.type("Batch B17 again: r, n, a and e are only letters here.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.note .body")).to_have_text("Batch B17 again: r, n, a and e are only letters here.")
    page.keyboard.press("r")
    page.keyboard.type("We send a new one today.")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.out .body")).to_have_text("We send a new one today.")
    expect(page.locator(".msg.out .delivery")).to_have_text("Queued")
    expect(page.get_by_label("Reply to the customer")).to_have_value("")
    expect(page.get_by_label("Status")).to_have_value("WAITING")
    expect(page.get_by_label("Assignee")).to_have_value(str(desk.cast.agent.pk))
    page.keyboard.press("e")
    expect(page.get_by_label("Status")).to_have_value("RESOLVED")
    expect(page.get_by_role("button", name="Open again")).to_be_visible()
    page.keyboard.press("a")
    expect(page.get_by_label("Assignee")).to_be_focused()
    case.refresh_from_db()
    assert (case.status, case.assignee) == ("RESOLVED", desk.cast.agent)


def test_what_is_typed_survives_leaving_and_reloading(desk, visit, case):
    page = visit(f"/cases/{case.pk}/", desk.cast.agent)
    page.get_by_label("Reply to the customer").fill("Dear Lin,\nwe are")
    expect(page.get_by_text("Draft kept on this device")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Reply to the customer")).to_have_value("Dear Lin,\nwe are")


def test_a_macro_is_picked_by_keys_and_changes_case_and_row(desk, visit, case, now):
    facts = MacroFacts("Calm", "PERSON", "Dear {{customer.name}},", [{"do": "SET_PRIORITY", "value": 40}])
    save_macro(facts=facts, viewer=viewer_of(desk.cast.agent), now=now)
    page = visit(f"/cases/{case.pk}/?view=all", desk.cast.agent)
    expect(page.locator(".row")).to_have_count(1)
    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Calm")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reply to the customer")).to_have_value("Dear 林晓彤,")
    expect(page.get_by_label("Priority")).to_have_value("40")
    expect(page.locator(".row .chip", has_text="Urgent")).to_be_visible()


def test_files_are_chosen_without_a_complaint_of_the_page(desk, visit, case):
    page = visit(f"/cases/{case.pk}/", desk.cast.agent)
    said = []
    page.on("console", lambda message: said.append(message.text))
    for name in ("bill.txt", "photo.txt"):
        page.locator("#reply-form input[type=file]").set_input_files({"name": name, "mimeType": "text/plain", "buffer": b"text"})
        expect(page.locator("#chosen-reply").get_by_text(name)).to_be_visible()
    page.get_by_role("button", name="Leave out: bill.txt").click()
    expect(page.locator("#chosen-reply").get_by_text("bill.txt")).to_be_hidden()
    expect(page.locator("#chosen-reply").get_by_text("photo.txt")).to_be_visible()
    assert said == []


def test_a_customers_new_message_appears_without_touching_what_is_being_typed(desk, visit, case, inbound, now):
    page = visit(f"/cases/{case.pk}/", desk.cast.agent)
    expect(page.locator(".desk")).to_have_attribute("data-live", "yes")
    field = page.get_by_label("Reply to the customer")
    field.click()
    page.keyboard.type("Dear Lin, ")
    receive_message(inbound(external_id="m-2", text="没人回复我"), now=now)
    expect(page.locator(".msg .body", has_text="没人回复我")).to_be_visible()
    expect(field).to_be_focused()
    page.keyboard.type("sorry")
    expect(field).to_have_value("Dear Lin, sorry")
    expect(page.get_by_text("A new message arrived while you were writing.")).to_be_visible()


def test_a_reply_past_an_unread_message_keeps_the_text_and_shows_the_message(desk, visit, case, inbound, now):
    page = visit(f"/cases/{case.pk}/", desk.cast.agent)
    page.evaluate("document.querySelector('.desk').dataset.stream = '/nowhere'")
    page.route(re.compile("/parts/"), lambda route: route.abort())
    page.get_by_label("Reply to the customer").fill("We send a new one.")
    page.evaluate("document.querySelector('[name=seen]').value = '0'")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Somebody else was faster")).to_be_visible()
    expect(page.get_by_label("Reply to the customer")).to_have_value("We send a new one.")
    assert Message.objects.filter(direction="OUTBOUND").count() == 0
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg.out .body")).to_have_text("We send a new one.")
    expect(page.get_by_text("Somebody else was faster")).to_be_hidden()


def test_two_changes_at_once_show_both_and_one_may_be_done_nevertheless(desk, visit, case, now):
    page = visit(f"/cases/{case.pk}/", desk.cast.agent)
    page.route(re.compile("/parts/"), lambda route: route.abort())  # what the colleague does is not shown by itself
    actions.set_priority(case_id=case.pk, priority=40, expected_version=2, viewer=viewer_of(desk.cast.supervisor), now=datetime.now(UTC))
    page.get_by_label("Priority").select_option("10")
    expect(page.get_by_text("Sun set the priority to Urgent").first).to_be_visible()
    expect(page.get_by_role("row", name="Priority Urgent Low")).to_be_visible()
    page.get_by_role("button", name="Use mine").click()
    expect(page.get_by_label("Priority")).to_have_value("10")
    expect(page.get_by_role("row", name="Priority Urgent Low")).to_be_hidden()
    assert Case.objects.get(pk=case.pk).priority == 10


def test_a_colleagues_change_appears_by_itself(desk, visit, case):
    page = visit(f"/cases/{case.pk}/", desk.cast.agent)
    expect(page.locator(".desk")).to_have_attribute("data-live", "yes")
    expect(page.locator(".row")).to_have_count(1)
    actions.set_priority(case_id=case.pk, priority=40, expected_version=2, viewer=viewer_of(desk.cast.supervisor), now=datetime.now(UTC))
    expect(page.get_by_text("Sun set the priority to Urgent")).to_be_visible()
    expect(page.get_by_label("Priority")).to_have_value("40")
    expect(page.locator(".row .chip", has_text="Urgent")).to_be_visible()


def test_on_a_phone_list_case_and_panels_are_three_screens(desk, visit, case):
    page = visit("/", desk.cast.agent, phone=True)
    page.locator(".row").click()
    expect(page.get_by_role("heading", name="热水器漏水")).to_be_visible()
    expect(page.locator("#list")).to_be_hidden()
    expect(page.get_by_label("Reply to the customer")).to_be_in_viewport()
    page.get_by_role("button", name="Reading and customer").click()
    expect(page.get_by_text("li***@example.com")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("li***@example.com")).to_be_hidden()
    page.get_by_role("link", name="Back to the inbox").click()
    expect(page.locator(".row")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_the_case_page_is_open_to_everybody(desk, visit, case, now, assert_accessible, in_every_look):
    agent = viewer_of(desk.cast.agent)
    actions.add_note(case_id=case.pk, body="A note", viewer=agent, now=now)
    failed = actions.reply(case_id=case.pk, body="An answer", viewer=agent, now=now)
    actions.record_delivery(message_id=failed.pk, delivery="FAILED", error="The customer has no e-mail address.", now=now)
    page = visit(f"/cases/{case.pk}/?view=all", desk.cast.agent)
    expect(page.locator(".row")).to_have_count(1)
    for look in in_every_look(page):
        assert_accessible(page, look)
    page.get_by_role("button", name="Reading and customer").click()
    assert_accessible(page)


def test_a_word_of_a_million_letters_wraps_on_a_phone(desk, visit, inbound, now):
    number = receive_message(inbound(text="W" * 1_000_000), now=now).case_id
    page = visit(f"/cases/{number}/", desk.cast.agent, phone=True)
    expect(page.get_by_role("link", name="Open all 1000000 characters")).to_be_visible()
    actions.set_status(case_id=number, status="WAITING", expected_version=1, viewer=viewer_of(desk.cast.agent), now=now)
    expect(page.get_by_label("Status")).to_have_value("WAITING")
    assert page.evaluate("[document.documentElement, document.querySelector('#main')].map(one => one.scrollWidth)") == [390, 390]
    for part in (".composer", ".msg", ".case-head", "#thread"):
        box = page.locator(part).first.bounding_box()
        assert box["x"] >= 0, part
        assert box["x"] + box["width"] <= 390, part
    assert page.evaluate("document.querySelector('.msg .body').textContent.length") == 20_000
