"""The Chromium that journeys and pictures run in: the system's, else Playwright's own."""

import os

from playwright.sync_api import Browser, Playwright

CHROMIUM = next(filter(os.path.exists, ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


def launch(playwright: Playwright) -> Browser:
    """A Chromium without window, which talks to nobody on its own."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
