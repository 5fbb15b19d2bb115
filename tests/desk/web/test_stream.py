"""The live stream: who hears what, what is missed, and when it ends."""

import asyncio
import concurrent.futures
import contextlib
import json
import queue
import threading

import pytest
from django.conf import settings
from django.test import Client

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases import actions
from careloop.desk.cases.queries import newest_event_id
from careloop.desk.intake.actions import receive_message
from careloop.desk.web import stream as module
from careloop.desk.web.event_cursor import GAP_SECONDS, EventCursor

pytestmark = pytest.mark.django_db
PATIENCE_SECONDS = 60  # costs nothing but on failure, and a busy machine is no failure


WORK = queue.Queue()


async def in_the_test(work, *args, **facts):
    """Database work done by the test's own thread, inside its transaction, while the loop runs in another."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    WORK.put((lambda: work(*args, **facts), loop, future))
    return await future


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A hub of its own that polls without pauses worth waiting for."""
    monkeypatch.setattr(module, "in_database", in_the_test)
    monkeypatch.setattr(module, "hub", module.Hub())
    monkeypatch.setattr(module, "POLL_SECONDS", 0.005)


class Reader:
    """One browser: what it got, and how it leaves."""

    def __init__(self, user=None, query: str = "", origin: str | None = settings.BASE_URL, last: str = "") -> None:
        headers = []
        if user is not None:
            client = Client()
            client.force_login(user)
            self.session = client.session
            headers.append((b"cookie", f"{settings.SESSION_COOKIE_NAME}={client.session.session_key}".encode()))
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        if last:
            headers.append((b"last-event-id", last.encode()))
        self.scope = {"type": "http", "method": "GET", "path": "/stream", "query_string": query.encode(), "headers": headers}

    def open(self) -> None:
        """Begin to read, inside the loop."""
        self.gone, self.got = asyncio.Event(), asyncio.Queue()
        self.task = asyncio.create_task(module.stream(self.scope, self.receive, self.got.put))

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def next(self) -> dict:
        return await asyncio.wait_for(self.got.get(), PATIENCE_SECONDS)

    async def start(self) -> dict:
        """Open; the status and headers."""
        self.open()
        first = await self.next()
        return {"status": first["status"], **{name.decode(): value.decode() for name, value in first["headers"]}}

    async def event(self) -> tuple[int, str, dict]:
        """The next event: its id, name and facts."""
        while True:
            lines = (await self.next())["body"].decode().splitlines()
            if lines and lines[0].startswith("id: "):
                return int(lines[0][4:]), lines[1].removeprefix("event: "), json.loads(lines[2].removeprefix("data: "))

    async def leave(self) -> None:
        self.gone.set()
        await asyncio.wait_for(self.task, PATIENCE_SECONDS)

    async def end(self) -> None:
        """The other side closes."""
        await asyncio.wait_for(self.task, PATIENCE_SECONDS)


def play(scenario):
    """Run a scenario in a loop of its own and do its database work here."""
    outcome = concurrent.futures.Future()

    def run():
        try:
            outcome.set_result(asyncio.run(scenario()))
        except BaseException as error:
            outcome.set_exception(error)
        WORK.put(None)

    thread = threading.Thread(target=run)
    thread.start()
    while (item := WORK.get(timeout=3 * PATIENCE_SECONDS)) is not None:
        work, loop, future = item
        try:
            result, settle = work(), future.set_result
        except Exception as error:
            result, settle = error, future.set_exception
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(lambda settle=settle, result=result, future=future: future.done() or settle(result))
    thread.join()
    return outcome.result()


def answer(reader: Reader) -> tuple[int, str]:
    async def scenario():
        reader.open()
        status = (await reader.next())["status"]
        return status, (await reader.next())["body"].decode()

    return play(scenario)


def test_a_stranger_is_refused(cast):
    assert answer(Reader()) == (401, "Sign in first.")


def test_a_page_of_another_house_may_not_listen(cast):
    status, sentence = answer(Reader(cast.agent, origin="http://evil.example"))
    assert (status, sentence.split(";")[0]) == (403, "Pages of http://evil.example may not listen")


def test_a_deactivated_person_is_refused(cast):
    reader = Reader(cast.agent)
    cast.agent.is_active = False
    cast.agent.save()
    assert answer(reader) == (401, "Sign in first.")


def test_only_reading_is_answered(cast):
    reader = Reader(cast.agent)
    reader.scope["method"] = "POST"
    assert answer(reader)[0] == 405


def test_the_desks_own_pages_may_read_it_with_their_cookie(cast):
    reader = Reader(cast.agent)

    async def scenario():
        head = await reader.start()
        await reader.leave()
        return head

    head = play(scenario)
    assert {name: head[name] for name in ("status", "content-type", "access-control-allow-origin", "access-control-allow-credentials")} == {
        "status": 200,
        "content-type": "text/event-stream; charset=utf-8",
        "access-control-allow-origin": settings.BASE_URL,
        "access-control-allow-credentials": "true",
    }


def test_what_happens_is_told_to_the_team_and_to_nobody_else(cast, inbound, now):
    agent, outsider, owner = Reader(cast.agent), Reader(cast.outsider), Reader(cast.owner)

    async def scenario():
        for reader in (agent, outsider, owner):
            await reader.start()
            await reader.next()
        await module.hub.is_reading.wait()
        ours = await in_the_test(receive_message, inbound(), now=now)
        theirs = await in_the_test(receive_message, inbound(external_id="m-2", channel_slug="wholesale"), now=now)
        heard = {
            "agent": [(await agent.event())[2]["case"]],
            "outsider": [(await outsider.event())[2]["case"]],
            "owner": [(await owner.event())[2]["case"], (await owner.event())[2]["case"]],
        }
        for reader in (agent, outsider, owner):
            await reader.leave()
        assert heard == {"agent": [ours.case_id], "outsider": [theirs.case_id], "owner": [ours.case_id, theirs.case_id]}
        assert (agent.got.empty(), outsider.got.empty()) == (True, True)

    play(scenario)


def test_an_event_says_who_and_what_but_never_what_was_written(cast, inbound, now):
    start = newest_event_id()
    case = receive_message(inbound(), now=now).case_id
    actions.add_note(case_id=case, body="secret", viewer=viewer_of(cast.agent), now=now)
    reader = Reader(cast.agent, query=f"after={start}")

    async def scenario():
        await reader.start()
        told = [(await reader.event())[1:], (await reader.event())[1:]]
        await reader.leave()
        assert told == [
            ("case", {"case": case, "kind": "OPENED", "from_customer": True, "actor": None}),
            ("case", {"case": case, "kind": "NOTED", "from_customer": False, "actor": cast.agent.pk}),
        ]

    play(scenario)


def test_a_returning_reader_hears_what_it_missed_once(cast, inbound, now):
    case = receive_message(inbound(), now=now).case_id
    last = newest_event_id()
    for body in ("one", "two"):
        actions.add_note(case_id=case, body=body, viewer=viewer_of(cast.agent), now=now)
    reader = Reader(cast.agent, query="after=0", last=str(last))

    async def scenario():
        await reader.start()
        heard = [(await reader.event())[0], (await reader.event())[0]]
        await in_the_test(actions.add_note, case_id=case, body="three", viewer=viewer_of_agent, now=now)
        heard.append((await reader.event())[0])
        await reader.leave()
        assert heard == [last + 1, last + 2, last + 3]

    viewer_of_agent = viewer_of(cast.agent)
    play(scenario)


def test_a_reader_that_missed_too_much_is_told_to_load_afresh(cast, inbound, now, monkeypatch):
    monkeypatch.setattr(module, "BACKLOG", 2)
    case = receive_message(inbound(), now=now).case_id
    for body in ("one", "two"):
        actions.add_note(case_id=case, body=body, viewer=viewer_of(cast.agent), now=now)
    newest = newest_event_id()
    reader = Reader(cast.agent, query="after=0")

    async def scenario():
        await reader.start()
        assert await reader.event() == (newest, "reset", {})
        await reader.leave()

    play(scenario)


def test_an_import_of_thousands_is_told_as_one_call_to_load_afresh(cast, inbound, now, monkeypatch):
    monkeypatch.setattr(module, "BACKLOG", 3)
    reader = Reader(cast.agent)
    viewer = viewer_of(cast.agent)
    case = receive_message(inbound(), now=now).case_id

    def write():
        for number in range(5):
            actions.add_note(case_id=case, body=str(number), viewer=viewer, now=now)

    async def scenario():
        await reader.start()
        await module.hub.is_reading.wait()
        await in_the_test(write)
        heard = await reader.event()
        await reader.leave()
        assert heard[1:] == ("reset", {})
        assert heard[0] == await in_the_test(newest_event_id)

    play(scenario)


def test_a_quiet_line_is_kept_open_by_comments(cast, monkeypatch):
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.01)
    reader = Reader(cast.agent)

    async def scenario():
        await reader.start()
        assert (await reader.next())["body"] == b": careloop\n\n"
        assert (await reader.next())["body"] == b": still here\n\n"
        await reader.leave()

    play(scenario)


@pytest.mark.parametrize("how", ["deactivated", "signed out", "password changed"])
def test_the_line_ends_when_the_session_does(cast, monkeypatch, how):
    monkeypatch.setattr(module, "HEARTBEAT_SECONDS", 0.01)
    monkeypatch.setattr(module, "VIEWER_CHECK_SECONDS", 0.0)
    reader = Reader(cast.agent)

    def revoke():
        if how == "signed out":
            reader.session.flush()
            return
        cast.agent.is_active = how != "deactivated"
        if how == "password changed":
            cast.agent.set_password("another long password")
        cast.agent.save()

    async def scenario():
        await reader.start()
        await in_the_test(revoke)
        await reader.end()
        assert module.hub.listeners == set()

    play(scenario)


def test_the_last_reader_to_leave_stops_the_polling(cast):
    reader = Reader(cast.agent)

    async def scenario():
        await reader.start()
        poller = module.hub.poller
        await reader.leave()
        await asyncio.wait({poller}, timeout=PATIENCE_SECONDS)
        assert (module.hub.listeners, module.hub.poller, poller.cancelled()) == (set(), None, True)

    play(scenario)


def test_a_stopping_server_closes_every_line_at_once(cast):
    readers = [Reader(cast.agent), Reader(cast.owner)]

    async def scenario():
        for reader in readers:
            await reader.start()
        await module.hub.is_reading.wait()
        module.hub.stop()
        for reader in readers:
            await reader.end()

    play(scenario)


def test_a_reader_that_cannot_keep_up_is_cut_off_and_the_others_are_not(cast, inbound, now, monkeypatch):
    monkeypatch.setattr(module, "QUEUE", 2)
    hub = module.Hub()
    slow, quick_one = module.Listener(), module.Listener()
    hub.listeners = {slow, quick_one}
    hub._hand_out(["a", "b"])
    assert [quick_one.queue.get_nowait() for _ in range(2)] == ["a", "b"]
    hub._hand_out(["c"])
    assert hub.listeners == {quick_one}
    assert quick_one.queue.get_nowait() == "c"
    assert [slow.queue.get_nowait() for _ in range(2)] == ["b", None]


def test_other_paths_are_not_served():
    from careloop.desk.config.asgi import application

    sent = []

    async def send(message):
        sent.append(message)

    play(lambda: application({"type": "http", "path": "/", "headers": []}, None, send))
    assert (sent[0]["status"], sent[1]["body"]) == (404, b"Only /stream is served here.")


# ---------- the cursor


def test_ids_are_handed_out_once_and_in_order():
    cursor = EventCursor(0, [], 0.0)
    assert cursor.take([2, 1, 3], 0.0) == [1, 2, 3]
    assert cursor.take([3, 4], 1.0) == [4]
    assert cursor.take([], 2.0) == []
    assert (cursor.top, cursor.missing) == (4, {})


def test_an_id_that_becomes_visible_late_is_not_lost():
    cursor = EventCursor(0, [], 0.0)
    assert cursor.take([1, 3], 0.0) == [1, 3]
    assert set(cursor.missing) == {2}
    assert cursor.take([2, 4], 5.0) == [2, 4]
    assert cursor.missing == {}


def test_an_id_that_never_comes_is_given_up():
    cursor = EventCursor(0, [], 0.0)
    cursor.take([1, 3], 0.0)
    cursor.take([], GAP_SECONDS - 1)
    assert set(cursor.missing) == {2}
    cursor.take([], GAP_SECONDS)
    assert cursor.missing == {}
    assert cursor.take([2], GAP_SECONDS + 1) == []


def test_ids_on_their_way_at_the_start_are_waited_for():
    cursor = EventCursor(10, [7, 8, 10], 0.0)
    assert {9} <= set(cursor.missing)
    assert cursor.take([9, 11], 1.0) == [9, 11]


def test_a_jump_leaves_everything_before_out():
    cursor = EventCursor(0, [], 0.0)
    cursor.take([5], 0.0)
    cursor.jump(100)
    assert (cursor.take([3, 99, 101], 1.0), cursor.missing) == ([101], {})
