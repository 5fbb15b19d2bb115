"""Take the pictures of the READMEs from a running demo: `python -m tools.screenshots http://127.0.0.1:8000 owner@example.com PASSWORD`."""

import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tools.browser import DESKTOP, launch

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
SEARCH = {"en": "refund", "zh": "漏水"}


def main(base: str, email: str, password: str) -> None:
    """The desk with an open case, the feedback page and a report, in both languages."""
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for name, locale in (("en", "en-GB"), ("zh", "zh-CN")):
            page = browser.new_context(base_url=base, locale=locale, viewport=DESKTOP).new_page()
            sign_in(page, email, password)
            page.goto(f"/?view=all&kind=COMPLAINT&q={SEARCH[name]}")
            page.locator("a[href^='/cases/']").first.click()
            page.wait_for_timeout(3000)
            expect(page.locator(".htmx-request")).to_have_count(0, timeout=60_000)
            page.wait_for_timeout(500)
            page.screenshot(path=FOLDER / f"desk-{name}.png")
            page.goto("/feedback/")
            page.wait_for_timeout(2500)
            page.screenshot(path=FOLDER / f"feedback-{name}.png")
            page.goto("/reports/satisfaction/")
            page.wait_for_timeout(1000)
            page.screenshot(path=FOLDER / f"report-{name}.png")
        browser.close()


def sign_in(page: Page, email: str, password: str) -> None:
    """Through the front door, as everybody."""
    page.goto("/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url("**/")


if __name__ == "__main__":
    main(*sys.argv[1:4])
