"""Messages accepted a second over POST /api/v1/messages, and whether any is lost or doubled while processes are killed with -9.

    python -m benchmarks.bench_intake [--messages 3000] [--senders 16]

First a calm run, then one of the same size during which the web process is killed twice and the worker once; the parent starts
them again, senders try again until they have a receipt. At the end external ids and rows are compared. Prints JSON.

A real sender sits on another machine, here it shares the desk's processors: so the senders are plain sockets that stay open and requests
that were written before the clock started, which costs some 0.1 ms a message (printed) instead of the 4 ms of an HTTP library. The worker
reads at the same time.
"""

import argparse
import itertools
import json
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.serving import PORT, Serving, figure, serve
from benchmarks.small_house import delivery, small_house

ACCEPTED_A_SECOND = 200
GIVE_UP_AFTER_SECONDS = 240
CUSTOMERS = 400
KILLS = ((0.25, "web"), (0.5, "worker"), (0.7, "web"))


class Senders:
    """Threads that deliver numbers `first` to `last`, each until it has a receipt."""

    def __init__(self, port: int, token: str, first: int, last: int) -> None:
        self.port = port
        self.requests = {number: request(number, port, token) for number in range(first, last)}
        self.numbers, self.size = itertools.count(first), last - first
        self.last = last
        self.receipts: dict[int, int] = {}
        self.retries = 0
        self.end = time.monotonic() + GIVE_UP_AFTER_SECONDS

    def run(self, senders: int) -> float:
        """Deliver everything; returns the seconds it took."""
        threads = [threading.Thread(target=self._send) for _ in range(senders)]
        begun = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.monotonic() - begun

    @property
    def share(self) -> float:
        """How much of the work is done."""
        return len(self.receipts) / self.size

    def _send(self) -> None:
        line = Line(self.port)
        while (number := next(self.numbers)) < self.last:
            while number not in self.receipts and time.monotonic() < self.end:
                try:
                    status, body = line.ask(self.requests[number])
                except OSError:
                    status, body = 0, b""
                if status in {200, 201}:
                    self.receipts[number] = json.loads(body)["message_id"]
                elif status and status < 500:
                    raise RuntimeError(f"message {number} was refused with {status}: {body[:300]!r}")
                else:
                    self.retries += 1
                    time.sleep(0.1)


class Line:
    """One connection that stays open; a broken one is opened again by the next request."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.socket: socket.socket | None = None

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send a whole request; status and body of the answer, which tells its length. OSError when the connection breaks."""
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=60)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.sendall(request)
            head, _, body = self._receive(b"", b"\r\n\r\n").partition(b"\r\n\r\n")
            lines = head.lower().split(b"\r\n")
            length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            while len(body) < length:
                body = self._receive(body, b"")
            if b"connection: close" in lines:
                self._close()
            return int(lines[0].split(b" ", 2)[1]), body
        except OSError:
            self._close()
            raise

    def _receive(self, received: bytes, until: bytes) -> bytes:
        """What was received and more, at least up to `until`."""
        assert self.socket is not None
        while True:
            piece = self.socket.recv(65_536)
            if not piece:
                raise ConnectionResetError("the desk closed the connection before it answered")
            received += piece
            if until in received:
                return received

    def _close(self) -> None:
        if self.socket is not None:
            self.socket.close()
        self.socket = None


def request(number: int, port: int, token: str) -> bytes:
    """The bytes of one delivery."""
    body = json.dumps(delivery(number, customers=CUSTOMERS)).encode()
    head = f"POST /api/v1/messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--senders", type=int, default=16)
    parser.add_argument("--port", type=int, default=PORT + 4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        token = small_house(Path(name))
        with serve(Path(name), port=options.port) as serving:
            Senders(serving.port, token, 10**6, 10**6 + 100).run(options.senders)
            calm = Senders(serving.port, token, 0, options.messages)
            wait_until_read()
            before = processor_seconds(serving)
            seconds = calm.run(options.senders)
            accepted = processor_seconds(serving)
            wait_until_read()
            read = processor_seconds(serving)
            rough = Senders(serving.port, token, options.messages, 2 * options.messages)
            killer = threading.Thread(target=kill, args=(serving, rough))
            killer.start()
            rough_seconds = rough.run(options.senders)
            killer.join()
        report = compare({**calm.receipts, **rough.receipts}, 2 * options.messages)

    def cost(part: str, after: dict[str, float]) -> float:
        return (after[part] - before[part]) / options.messages * 1000

    figures = [
        figure("accepted, calm", options.messages / seconds, "messages/s", ACCEPTED_A_SECOND, at_least=True),
        figure("processor time of the web process", cost("web", accepted), "ms a message", 1000 / ACCEPTED_A_SECOND),
        figure("processor time of the worker, until all are read", cost("worker", read), "ms a message", 1000 / ACCEPTED_A_SECOND),
        figure("processor time of the senders", cost("senders", accepted), "ms a message", 1),
        figure("accepted, while killed", options.messages / rough_seconds, "messages/s", 0, at_least=True),
        figure("lost", report["lost"], "messages", 0),
        figure("doubled", report["doubled"], "messages", 0),
        figure("receipts that name another message", report["wrong"], "messages", 0),
    ]
    facts = {"messages": 2 * options.messages, "senders": options.senders, "retries": rough.retries, "kills": [part for _, part in KILLS]}
    json.dump({"benchmark": "intake", **facts, "intake": figures}, sys.stdout)


def processor_seconds(serving: Serving) -> dict[str, float]:
    """Processor time used so far by web process, worker and senders."""
    return {"web": serving.processor_seconds("web"), "worker": serving.processor_seconds("worker"), "senders": time.process_time()}


def wait_until_read() -> None:
    """Wait until the worker has nothing to do."""
    from careloop.desk.jobs.models import Job

    end = time.monotonic() + GIVE_UP_AFTER_SECONDS
    while Job.objects.filter(state__in=("READY", "RUNNING")).exists() and time.monotonic() < end:
        time.sleep(0.2)


def kill(serving: Serving, senders: Senders) -> None:
    """End a part with -9 whenever a share of the work is done."""
    for share, part in KILLS:
        while senders.share < share and time.monotonic() < senders.end:
            time.sleep(0.02)
        if not serving.kill(part):
            print(f"the {part} was not running when it should have been killed", file=sys.stderr)


def compare(receipts: dict[int, int], sent: int) -> dict[str, int]:
    """Rows against receipts: every external id once, each receipt naming the message of its own id."""
    from careloop.desk.cases.models import Message
    from careloop.desk.intake.models import RawPayload

    rows = dict(RawPayload.objects.filter(external_id__lt="m-9").values_list("external_id", "message_id"))
    rows = {external_id: message for external_id, message in rows.items() if int(external_id[2:]) < sent}
    expected = {f"m-{number:06d}" for number in range(sent)}
    stored = Message.objects.filter(direction="INBOUND").count() - RawPayload.objects.count()
    return {
        "lost": len(expected - rows.keys()) + sent - len(receipts),
        "doubled": stored,
        "wrong": sum(rows.get(f"m-{number:06d}") != message for number, message in receipts.items()),
    }


if __name__ == "__main__":
    main()
