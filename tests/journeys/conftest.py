"""A real desk for a real browser: pages and live stream on loopback, a database file of their own for each journey.

A journey asks for `desk` (the running house; `desk.url`, `desk.cast`) and `visit` (opens a browser window, signed in or not).
`assert_accessible(page)` runs axe for WCAG 2.2 A and AA; `in_every_look(page)` is a loop over desk and phone, light and dark, and
`assert_accessible(page, look)` asks in the dark only what depends on colours, as the rest was asked in the light of the same width.
The `cast` and all actions work as in the other tests.
"""

import asyncio
import os
import shutil
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tools.browser import DESKTOP, PHONE, launch

AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOUR_RULES = ["color-contrast", "link-in-text-block"]
PATIENCE_MILLISECONDS = 30_000  # costs nothing but on failure, and a busy machine is no failure


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if "journeys" in item.path.parts:
            item.add_marker("journey")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all journeys: the system's, else Playwright's own."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright keeps a loop in this thread; our queries here stay synchronous
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        expect.set_options(timeout=PATIENCE_MILLISECONDS)
        yield chromium
        chromium.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory, django_db_setup, django_db_blocker) -> Path:
    """A migrated database file to copy from."""
    path = tmp_path_factory.mktemp("journeys") / "empty.sqlite3"
    with django_db_blocker.unblock():
        source = connections["default"]
        if source.vendor != "sqlite":
            pytest.skip("journeys run on SQLite; the desk's other tests cover PostgreSQL")
        source.ensure_connection()
        with closing(sqlite3.connect(path)) as copy:
            source.connection.backup(copy)
            copy.execute("DELETE FROM sqlite_sequence")  # else numbers begin after those of whatever ran before
            copy.commit()
    return path


@pytest.fixture
def db(empty_database, tmp_path, django_db_blocker, monkeypatch) -> Iterator[None]:
    """A fresh database file that this thread, the pages and the stream share; replaces the transaction of the other tests."""
    path = tmp_path / "desk.sqlite3"
    shutil.copy(empty_database, path)
    with django_db_blocker.unblock():
        ours = connections["default"]
        test_connection, name = ours.connection, ours.settings_dict["NAME"]
        ours.connection = None
        for facts in (ours.settings_dict, connections.settings["default"]):
            monkeypatch.setitem(facts, "NAME", str(path))
        yield
        ours.close()
        ours.settings_dict["NAME"] = name
        ours.connection = test_connection


@dataclass(frozen=True)
class Desk:
    """A running house."""

    url: str
    stream_url: str
    cast: Any


@pytest.fixture
def desk(db, cast, monkeypatch) -> Iterator[Desk]:
    """Pages and stream, each in a thread, on ports of their own."""
    from careloop.desk.web import stream as live

    pages_port, stream_port = free_ports(2)
    url, stream_url = f"http://127.0.0.1:{pages_port}", f"http://127.0.0.1:{stream_port}/stream"
    policy = {**settings.CONTENT_SECURITY_POLICY["DIRECTIVES"], "connect-src": ["'self'", f"http://127.0.0.1:{stream_port}"]}
    monkeypatch.setattr(settings, "BASE_URL", url)
    monkeypatch.setattr(settings, "BASE_URLS", [url])
    monkeypatch.setattr(settings, "STREAM_URLS", {"127.0.0.1": stream_url})
    monkeypatch.setattr(settings, "CONTENT_SECURITY_POLICY", {"DIRECTIVES": policy})
    monkeypatch.setattr(live, "hub", live.Hub())
    with serving_pages(pages_port), serving_stream(stream_port):
        yield Desk(url, stream_url, cast)


class serving_pages:  # noqa: N801  (read as a verb: with serving_pages(port))
    """The pages under Django's threaded test server, with static files as in production."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __enter__(self) -> None:
        from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
        from django.core.wsgi import get_wsgi_application

        class Quiet(WSGIRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadedWSGIServer(("127.0.0.1", self.port), Quiet)
        self.server.daemon_threads = True
        self.server.set_app(get_wsgi_application())
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class serving_stream:  # noqa: N801
    """The live stream under uvicorn."""

    def __init__(self, port: int) -> None:
        import uvicorn

        config = uvicorn.Config(
            "careloop.desk.config.asgi:application", port=port, log_level="critical", lifespan="on", timeout_graceful_shutdown=1
        )
        self.server = uvicorn.Server(config)

    def __enter__(self) -> None:
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve()), daemon=True)
        self.thread.start()

    async def serve(self) -> None:
        """Until told to stop; the database thread outlives the server and must not keep this journey's file open."""
        from careloop.desk.web.stream import in_database

        await self.server.serve()
        await in_database(connections.close_all)

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=PATIENCE_MILLISECONDS / 1_000)


@pytest.fixture
def visit(browser, desk) -> Iterator[Callable[..., Page]]:
    """Opens a window: visit("/?view=mine", user, phone=True, dark=True, locale="zh-CN"); a script error in it fails the journey."""
    contexts, errors = [], []

    def open_window(
        path: str, user: Any = None, *, phone: bool = False, size: dict | None = None, dark: bool = False, locale: str = "en-GB"
    ) -> Page:
        viewport = size or (PHONE if phone else DESKTOP)
        context = browser.new_context(
            base_url=desk.url,
            viewport=viewport,
            locale=locale,
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            has_touch=viewport == PHONE,
        )
        contexts.append(context)
        if user is not None:
            context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of(user), "url": desk.url}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None)
        page.goto(path)
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert errors == []


def session_of(user: Any) -> str:
    """A session as signing in makes it."""
    from django.test import Client

    client = Client()
    client.force_login(user)
    return str(client.session.session_key)


def free_ports(count: int) -> list[int]:
    """Ports of the system's own choice; held together while they are chosen, so that they differ."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, as its Python wheel carries it."""
    return (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def assert_accessible(axe) -> Callable[..., None]:
    """Fails with every violation of WCAG 2.2 A and AA that axe finds on the page as it is now."""

    def check(page: Page, look: str = "") -> None:
        colours_only = look.endswith("dark")
        if not page.evaluate("'axe' in window"):
            page.evaluate(axe)
        asked = {"type": "rule", "values": COLOUR_RULES} if colours_only else {"type": "tag", "values": AXE_TAGS}
        result = page.evaluate(
            """async asked => {
                const {violations, passes} = await axe.run(document, {runOnly: asked, resultTypes: ["violations"]});
                return {violations, passes: passes.length};
            }""",
            asked,
        )
        found = [
            f"{one['id']} ({one['impact']}): {one['help']}\n    "
            + "\n    ".join(f"{node['target']}: {' '.join(node['failureSummary'].split())}" for node in one["nodes"][:4])
            for one in result["violations"]
        ]
        assert found == [], "\n".join([page.url, *found])
        assert result["passes"] >= (1 if colours_only else 6)

    return check


@pytest.fixture
def in_every_look() -> Callable[[Page], Iterator[str]]:
    """Shows a page on a desk and on a phone, in light and in dark, and says which."""

    def looks(page: Page) -> Iterator[str]:
        for size, size_name in ((DESKTOP, "desktop"), (PHONE, "phone")):
            page.set_viewport_size(size)
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                yield f"{size_name}, {scheme}"

    return looks
