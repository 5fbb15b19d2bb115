"""A file on its way: an agent attaches it, the customer's page shows it, the customer answers with another one; a name behind an @."""

from datetime import UTC, datetime

import pytest
from playwright.sync_api import expect

from careloop.desk.cases.models import Case, Message
from careloop.desk.intake.actions import receive_message
from careloop.desk.outbox.delivery import deliver
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.teamwork.customer_links import make_token
from careloop.desk.teamwork.models import Attachment
from careloop.desk.writing.models import Draft

PDF = {"name": "换货单.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 x"}
PROGRAM = {"name": "setup.exe", "mimeType": "application/octet-stream", "buffer": b"MZ\x90\x00"}
PICTURE = {"name": "leak.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + b"0" * 20}


@pytest.fixture
def case(desk, inbound, now) -> Case:
    return Case.objects.get(pk=receive_message(inbound(channel_slug="contact"), now=now).case_id)


def test_a_file_goes_to_the_customer_and_another_comes_back(desk, visit, case, settings, assert_accessible):
    settings.UNDO_SEND_SECONDS = 10
    agent = visit(f"/cases/{case.pk}/", desk.cast.agent)
    picker = agent.locator("#reply-form input[type=file]")
    picker.set_input_files(PROGRAM)
    expect(agent.locator("#chosen-reply [role=alert]")).to_contain_text("“setup.exe” is no picture")
    picker.set_input_files(PDF)
    chosen = agent.locator("#chosen-reply .files")
    expect(chosen).to_contain_text("换货单.pdf")
    agent.get_by_label("Reply to the customer").fill("Please sign the letter.")
    assert_accessible(agent)
    agent.keyboard.press("Control+Enter")
    held = agent.locator(".held")
    expect(held).to_contain_text("换货单.pdf")
    expect(chosen).to_be_hidden()
    held.get_by_role("button").click()
    expect(chosen).to_contain_text("换货单.pdf")  # taken back: the file is in the composer again
    expect(agent.get_by_label("Reply to the customer")).to_have_value("Please sign the letter.")
    with agent.expect_response("**/typed/"):  # and what is typed now is kept again
        agent.get_by_label("Reply to the customer").fill("Please sign the letter. Thank you.")
    assert Draft.objects.get().body == "Please sign the letter. Thank you."
    settings.UNDO_SEND_SECONDS = 0
    agent.get_by_role("button", name="Send and wait").click()
    expect(agent.locator(".msg.out .files")).to_contain_text("换货单.pdf")
    deliver(OutboxItem.objects.get().pk, now=datetime.now(UTC))

    customer = visit(f"/c/{make_token(case, now=datetime.now(UTC))}/", phone=True, locale="zh-CN")
    with customer.expect_download() as download:
        customer.get_by_role("link", name="换货单.pdf").click()
    assert download.value.path().read_bytes() == PDF["buffer"]
    customer.locator("#id_text").fill("签好了")
    customer.locator("#id_files").set_input_files(PICTURE)
    assert_accessible(customer)
    assert customer.evaluate("document.documentElement.scrollWidth <= innerWidth")
    customer.locator("form[enctype] button.primary").click()
    expect(customer.locator(".banner.good")).to_be_visible()
    expect(customer.get_by_role("link", name="leak.png")).to_be_visible()
    expect(agent.locator(".msg .files").filter(has_text="leak.png")).to_be_visible()
    assert (Message.objects.count(), Attachment.objects.count()) == (3, 2)


def test_an_at_in_a_note_offers_colleagues_by_keyboard(desk, visit, case):
    page = visit(f"/cases/{case.pk}/", desk.cast.agent)
    page.keyboard.press("n")
    note = page.get_by_label("Internal note")
    note.press_sequentially("@s")
    option = page.locator(".mention-box li")
    expect(option).to_have_text(["Sun"])
    note.press("Enter")
    expect(note).to_have_value("@Sun ")
    note.press_sequentially("mail x@o")
    expect(page.locator(".mention-box")).to_be_hidden()
    note.press_sequentially(" @")
    expect(option).to_have_text(["Ana", "Olga", "Sun"])
    note.press("ArrowDown")
    note.press("Tab")
    expect(note).to_have_value("@Sun mail x@o @Olga ")
    note.press_sequentially("@a")
    note.press("Escape")
    expect(page.locator(".mention-box")).to_be_hidden()
    expect(note).to_be_focused()
