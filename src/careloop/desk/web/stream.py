"""Live updates: an ASGI handler that tells open desks what happened to cases, as server-sent events.

One poller a process reads the event table while somebody listens and hands each event to the viewers whose teams it belongs to.
The handler watches for the disconnect and for the server's stop, so that neither a closed tab nor a restart waits for the other side.
"""

import asyncio
import contextlib
import json
import logging
import signal
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import close_old_connections
from django.http import HttpRequest

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases import queries
from careloop.desk.web.event_cursor import LOOK_BACK, EventCursor

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

POLL_SECONDS = 0.4
HEARTBEAT_SECONDS = 15.0
VIEWER_CHECK_SECONDS = 30.0
BACKLOG = 500  # events after which a returning reader is told to load everything afresh
QUEUE = 2_000  # events that a slow reader may fall behind before the line is cut
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reset:
    """Too much happened to tell it one by one; `pk` is the newest event."""

    pk: int


class Listener:
    """One open line: what waits to be sent to it; None ends it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue(QUEUE)

    def put(self, event: Any) -> bool:
        """Add one; False when the reader is too far behind."""
        try:
            self.queue.put_nowait(event)
        except asyncio.QueueFull:
            return False
        return True


class Hub:
    """The one poller of a process and the lines that it feeds."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.poller: asyncio.Task[None] | None = None
        self.is_stopping = False
        self.is_reading = asyncio.Event()

    def join(self) -> Listener:
        """A new line; the first one starts the poller."""
        listener = Listener()
        self.listeners.add(listener)
        if self.poller is None or self.poller.done():
            self.poller = asyncio.create_task(self._poll())
        return listener

    def leave(self, listener: Listener) -> None:
        """Close a line; the last one ends the poller."""
        self.listeners.discard(listener)
        if not self.listeners and self.poller is not None:
            self.poller.cancel()
            self.poller = None
            self.is_reading.clear()

    def stop(self) -> None:
        """Close every line at once."""
        self.is_stopping = True
        for listener in self.listeners:
            with contextlib.suppress(asyncio.QueueEmpty):
                while True:
                    listener.queue.get_nowait()
            listener.put(None)

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        cursor: EventCursor | None = None
        while True:
            try:
                if cursor is None:
                    newest = await in_database(queries.newest_event_id)
                    known = await in_database(queries.list_events_after, newest - LOOK_BACK)
                    cursor = EventCursor(newest, [event.pk for event in known if event.pk <= newest], loop.time())
                    self.is_reading.set()
                self._hand_out(await self._read(cursor, loop.time()))
            except Exception:  # the database may be away for a moment; lines stay open and the cursor stays where it is
                logger.exception("The event table could not be read; trying again.")
            await asyncio.sleep(POLL_SECONDS)

    async def _read(self, cursor: EventCursor, at_seconds: float) -> list[Any]:
        events = await in_database(queries.list_events_after, cursor.top, BACKLOG)
        if len(events) == BACKLOG:  # an import is running: one call to load afresh says more than thousands of events
            newest = await in_database(queries.newest_event_id)
            cursor.jump(newest)
            return [Reset(newest)]
        if cursor.missing:
            events += await in_database(queries.list_events, list(cursor.missing))
        by_id = {event.pk: event for event in events}
        return [by_id[number] for number in cursor.take(by_id, at_seconds)]

    def _hand_out(self, events: list[Any]) -> None:
        for listener in list(self.listeners):
            if not all(listener.put(event) for event in events):
                self.listeners.discard(listener)
                with contextlib.suppress(asyncio.QueueEmpty):
                    listener.queue.get_nowait()
                listener.put(None)


hub = Hub()


async def in_database(work: Callable[..., Any], *args: Any) -> Any:
    """Run a query in the one database thread of this process."""

    def run() -> Any:
        close_old_connections()
        return work(*args)

    return await sync_to_async(run, thread_sensitive=True)()


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    """GET /stream: events of the viewer's teams until the reader leaves, the session ends, or the server stops."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    origin = headers.get("origin")
    if scope["method"] != "GET":
        return await refuse(send, 405, "Only GET is answered here.", origin)
    if origin is not None and origin not in settings.BASE_URLS:
        return await refuse(send, 403, f"Pages of {origin} may not listen; CARELOOP_BASE_URL is {settings.BASE_URL}.", None)
    session_key = session_key_of(headers.get("cookie", ""))
    viewer = await in_database(viewer_of_session, session_key)
    if viewer is None:
        return await refuse(send, 401, "Sign in first.", origin)
    if not viewer.may("case.view"):
        return await refuse(send, 403, "Your role sees no cases.", origin)
    if hub.is_stopping:
        return await refuse(send, 503, "The server is stopping; try again in a moment.", origin)
    after = last_seen(scope, headers)
    listener = hub.join()
    try:
        await send({"type": "http.response.start", "status": 200, "headers": stream_headers(origin)})
        line = asyncio.create_task(_Line(send, listener, session_key, viewer).run(after))
        gone = asyncio.create_task(until_gone(receive))
        done, pending = await asyncio.wait({line, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        if line in done and line.exception() is None:
            await send({"type": "http.response.body", "body": b"", "more_body": False})
    finally:
        hub.leave(listener)
    return None


class _Line:
    """Writes to one reader."""

    def __init__(self, send: Send, listener: Listener, session_key: str, viewer: Viewer) -> None:
        self.send, self.listener, self.session_key, self.viewer = send, listener, session_key, viewer
        self.sent: set[int] = set()

    async def run(self, after: int | None) -> None:
        """What was missed, then what happens; a comment when nothing does; ends with the session."""
        await self._write(b": careloop\n\n")
        await hub.is_reading.wait()  # what happens from here on is in the queue; what happened before is caught up
        if after is not None:
            await self._catch_up(after)
        loop = asyncio.get_running_loop()
        checked = loop.time()
        while True:
            try:
                event = await asyncio.wait_for(self.listener.queue.get(), HEARTBEAT_SECONDS)
                if event is None:
                    return
                await self._tell(event)
            except TimeoutError:
                await self._write(b": still here\n\n")
            if loop.time() - checked >= VIEWER_CHECK_SECONDS:
                checked = loop.time()
                viewer = await in_database(viewer_of_session, self.session_key)
                if viewer is None or not viewer.may("case.view"):
                    return
                self.viewer = viewer

    async def _catch_up(self, after: int) -> None:
        missed = await in_database(queries.list_events_after, after, BACKLOG)
        if len(missed) == BACKLOG:
            await self._tell(Reset(await in_database(queries.newest_event_id)))
            return
        for event in missed:
            await self._tell(event)

    async def _tell(self, event: Any) -> None:
        if isinstance(event, Reset):
            await self._write(f"id: {event.pk}\nevent: reset\ndata: {{}}\n\n".encode())
            return
        if event.pk in self.sent or not any(self.viewer.sees_team(team) for team in teams_of(event)):
            return
        self.sent.add(event.pk)
        if len(self.sent) > 4 * BACKLOG:
            self.sent = set(sorted(self.sent)[-2 * BACKLOG :])
        await self._write(message_of(event))

    async def _write(self, body: bytes) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": True})


def teams_of(event: Any) -> set[int]:
    """Who is told: the team of the case, and the one that has just given it away, whose lists are one shorter now."""
    return {event.team_id, event.before.get("team_id", event.team_id)} if event.kind == "TEAM" else {event.team_id}


def message_of(event: Any) -> bytes:
    """One event as the browser reads it: which case, what kind, who; never what was said."""
    told = {
        "case": event.case_id,
        "kind": event.kind,
        "from_customer": event.kind in {"OPENED", "RECEIVED"},
        "actor": event.actor_id if event.actor_kind == "user" else None,
    }
    return f"id: {event.pk}\nevent: case\ndata: {json.dumps(told)}\n\n".encode()


def last_seen(scope: Scope, headers: dict[str, str]) -> int | None:
    """The last event that the reader knows: the Last-Event-ID header of a returning one, else ?after= of its page."""
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("after", [""])[0]
    for given in (headers.get("last-event-id", ""), asked):
        if given.isascii() and given.isdigit() and len(given) < 19:
            return int(given)
    return None


def session_key_of(cookies: str) -> str:
    """The session cookie's value, or ""."""
    try:
        morsel = SimpleCookie(cookies).get(settings.SESSION_COOKIE_NAME)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def viewer_of_session(session_key: str) -> Viewer | None:
    """Who a session belongs to; None when it has ended, the password was changed or the person deactivated."""
    if not session_key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user = get_user(request)
    return viewer_of(user) if user.is_authenticated and user.is_active else None


def stream_headers(origin: str | None) -> list[tuple[bytes, bytes]]:
    """Server-sent events that no proxy buffers or caches, readable by the desk's own pages."""
    return [
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"x-accel-buffering", b"no"),
        *cross_origin(origin),
    ]


def cross_origin(origin: str | None) -> list[tuple[bytes, bytes]]:
    """The pages come from another port of the same host."""
    if origin is None:
        return []
    return [(b"access-control-allow-origin", origin.encode()), (b"access-control-allow-credentials", b"true"), (b"vary", b"origin")]


async def refuse(send: Send, status: int, sentence: str, origin: str | None) -> None:
    """A short plain answer."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store"), *cross_origin(origin)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence.encode()})


async def until_gone(receive: Receive) -> None:
    """Return when the reader has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def lifespan(receive: Receive, send: Send) -> None:
    """Start and stop with the server; lines close at the signal, because the server waits for them before it tells us to stop."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            close_lines_on_signal(asyncio.get_running_loop())
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            hub.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


def close_lines_on_signal(loop: asyncio.AbstractEventLoop) -> None:
    """Before the server's own handler of SIGTERM and SIGINT runs, end every line."""
    hub.is_stopping = False
    if threading.current_thread() is not threading.main_thread():
        return
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def stop(received: int, frame: Any, before: Any = before) -> None:
            loop.call_soon_threadsafe(hub.stop)
            if callable(before):
                before(received, frame)

        signal.signal(number, stop)
