"""From a stranger's form to the chart that counts it: feedback, customers and the public form in a real browser."""

from datetime import timedelta

import pytest
from django.utils import timezone

from careloop.desk.analysis.actions import understand
from careloop.desk.cases.models import Case, Message
from careloop.desk.customers.models import Customer
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_messages
from careloop.desk.web.views import form


@pytest.fixture
def reviews(desk, inbound):
    """Twelve reviews and two messages of the last days, read."""
    now = timezone.now()
    given = [
        ("太差了，漏水，没人处理", 1.0, "热水器"),
        ("质量很好，很满意", 5.0, "热水器"),
        ("Great, very happy with it", 5.0, "Tablet"),
    ] * 4
    texts = [
        inbound(
            external_id=f"r{i}",
            text=text,
            rating=rating,
            category=category,
            opens_case=False,
            addresses=(),
            sent_at=now - timedelta(days=i),
        )
        for i, (text, rating, category) in enumerate(given)
    ]
    texts += [inbound(external_id=f"m{i}", addresses=(AddressValue("EMAIL", f"m{i}@x.example"),), sent_at=now) for i in range(2)]
    receipts = receive_messages(texts, now=now)
    understand([receipt.message_id for receipt in receipts], now=now)


def click_bar(page, chart: str, index: int) -> None:
    """A click in the middle of a bar, as a person does it: Plotly catches it above the bars."""
    bar = page.locator(f"[data-chart={chart}] .bars path").nth(index)
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.click(x, y)


def test_a_click_on_a_bar_opens_its_texts(desk, visit, reviews):
    page = visit("/feedback/", desk.cast.agent)
    page.wait_for_selector("[data-chart=ratings] .bars path")
    assert page.locator("#rows li").count() == 14
    click_bar(page, "ratings", 0)
    page.wait_for_url("**/feedback/?stars_from=1&stars_to=1")
    assert page.locator("#rows li").count() == 4
    assert page.locator(".chosen .chip").first.inner_text().splitlines()[0] == "1★"
    page.locator(".chosen .chip").first.click()
    page.wait_for_url("**/feedback/?")
    page.wait_for_selector("[data-chart=categories] .bars path", state="attached")
    click_bar(page, "categories", -1)
    page.wait_for_url("**/feedback/?category=*")
    assert page.locator("#rows li").count() == 8


def test_the_feedback_page_is_accessible_and_fits_in_every_look(desk, visit, reviews, assert_accessible, in_every_look):
    page = visit("/feedback/?category=热水器", desk.cast.agent)
    for look in in_every_look(page):
        page.wait_for_selector("[data-chart=time] .bars path", state="attached")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), look
        assert_accessible(page, look)
    page.locator(".charts details summary").first.click()
    assert_accessible(page)


def test_customer_pages_are_accessible_and_fit_in_every_look(desk, visit, reviews, assert_accessible, in_every_look):
    page = visit("/customers/", desk.cast.supervisor)
    person = Customer.objects.earliest("pk")
    for path in ("/customers/", f"/customers/{person.pk}/", f"/customers/{person.pk}/edit/"):
        page.goto(path)
        for look in in_every_look(page):
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), look
            assert_accessible(page, look)


def test_a_stranger_writes_without_script_and_gets_a_number(desk, browser, monkeypatch):
    monkeypatch.setattr(form, "FASTEST_SECONDS", 0)  # a browser that is driven types faster than people
    context = browser.new_context(base_url=desk.url, java_script_enabled=False, locale="zh-CN", viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto("/form/contact/")
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    page.fill("#id_name", "林晓彤")
    page.fill("#id_text", "热水器漏水")
    page.locator("button.primary").click()  # without an address
    assert page.locator("#id_email-error").is_visible()
    assert page.locator("#id_text").input_value() == "热水器漏水"
    page.fill("#id_email", "lin@example.com")
    page.locator("button.primary").click()
    page.wait_for_url("**/thanks/**")
    case = Case.objects.get()
    assert page.locator(".number").inner_text() == f"#{case.pk}"
    assert Message.objects.get().body == "热水器漏水"
    context.close()


def test_the_form_is_accessible_with_and_without_errors(desk, visit, assert_accessible, in_every_look):
    page = visit("/form/contact/")
    for look in in_every_look(page):
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), look
        assert_accessible(page, look)
    page.locator("button.primary").click()
    page.wait_for_selector(".banner.bad")
    assert_accessible(page)
