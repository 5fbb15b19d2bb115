"""From the button to the texts behind a circle: topics in a real browser."""

from datetime import timedelta

import pytest
from django.utils import timezone

from careloop.desk.analysis import topic_finding
from careloop.desk.analysis.actions import understand
from careloop.desk.analysis.topic_files import open_space
from careloop.desk.analysis.topic_models import Topic
from careloop.desk.intake.actions import receive_messages
from careloop.desk.jobs.worker import Worker

MATTERS = (
    ("快递太慢，物流没有更新", "物流快递破损，包裹压坏", "包裹还在快递站，物流停了"),
    ("手机屏幕清晰，亮度足", "手机屏幕划痕，亮度不足", "屏幕坏点，手机亮度低"),
    ("发票抬头开错，税号不对", "发票税号和抬头要改", "抬头税号没收到发票"),
    ("菜品味道好，餐厅干净", "餐厅菜品太咸，味道差", "味道一般，餐厅菜品少"),
)


@pytest.fixture
def reviews(desk, inbound, monkeypatch):
    """Ninety-six reviews about four matters, read; so few are enough here."""
    monkeypatch.setattr(topic_finding, "LEAST_TEXTS", 50)
    open_space.cache_clear()
    now = timezone.now()
    texts = [text for _ in range(8) for matter in MATTERS for text in matter]
    given = [
        inbound(external_id=f"r{n}", text=text, rating=3.0, opens_case=False, addresses=(), sent_at=now - timedelta(hours=7 * n))
        for n, text in enumerate(texts)
    ]
    understand([receipt.message_id for receipt in receive_messages(given, now=now)], now=now)


def test_topics_are_found_at_the_press_of_a_button_and_a_circle_opens_its_texts(desk, visit, reviews, assert_accessible, in_every_look):
    page = visit("/topics/", desk.cast.supervisor)
    assert "Chinese 96" in page.locator(".empty").inner_text()
    page.get_by_role("button", name="Find topics").click()
    page.get_by_text("Topics are being looked for; the page shows them as soon as they are found.").wait_for()
    Worker().run_until_empty()
    page.wait_for_selector("[data-chart=map-zh] .scatterlayer .point")
    assert page.locator(".topics li").count() == Topic.objects.count() >= 3
    for look in in_every_look(page):
        assert_accessible(page, look)
    circle = page.locator("[data-chart=map-zh] .scatterlayer .point").first
    circle.scroll_into_view_if_needed()
    box = circle.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.click(x, y)
    page.wait_for_url("**/topics/*/")
    texts = int(page.locator(".tile strong").first.inner_text())
    for look in in_every_look(page):
        assert_accessible(page, look)
    page.get_by_label("Name by hand").fill("Parcels & co.")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("heading", name="Parcels & co.").wait_for()
    page.locator(".tile").first.click()
    page.wait_for_url("**/feedback/?topic=*")
    assert page.locator("#rows-title").inner_text().split()[0] == str(texts)
    assert page.locator(".chosen .chip").first.inner_text().splitlines()[0] == "Parcels & co."
