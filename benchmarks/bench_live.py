"""From arrival to being visible with its reading on an open desk: 20 messages a second for 30 seconds.

    python -m benchmarks.bench_live [--seconds 30] [--rate 20]

Each message opens a case of its own. The clock runs from the moment the delivery begins until the live stream tells a signed-in
reader that the case was read. Prints JSON.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

from benchmarks.serving import PORT, Client, figure, percentile, serve, session_cookie
from benchmarks.small_house import delivery, small_house

VISIBLE_MS = 2000
SENDERS = 8
WAIT_SECONDS = 30


class Reader:
    """An open desk: notes when the stream tells that a case was read."""

    def __init__(self, port: int, cookie: str) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.request("GET", "/stream", headers={"Cookie": cookie})
        self.answer = self.connection.getresponse()
        if self.answer.status != 200:
            raise RuntimeError(f"the stream answered {self.answer.status}: {self.answer.read(300)!r}")
        self.read_at: dict[int, float] = {}
        self.is_open = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self.answer:
            self.is_open.set()
            if line.startswith(b"data: "):
                told = json.loads(line[6:])
                if told.get("kind") == "TRIAGED":
                    self.read_at.setdefault(told["case"], time.monotonic())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--rate", type=int, default=20)
    parser.add_argument("--port", type=int, default=PORT + 8)
    options = parser.parse_args()
    number = options.seconds * options.rate
    with tempfile.TemporaryDirectory() as name:
        token = small_house(Path(name))
        cookie = session_cookie("owner@example.com")
        with serve(Path(name), port=options.port) as serving:
            reader = _reader(serving.stream_port, cookie)
            warm_up(serving.port, token, reader)
            sent = send(serving.port, token, number, options.rate)
            end = time.monotonic() + WAIT_SECONDS
            while len(sent.keys() - reader.read_at.keys()) and time.monotonic() < end:
                time.sleep(0.1)
    waits = [(reader.read_at[case] - begun) * 1000 for case, begun in sent.items() if case in reader.read_at]
    visible = figure("arrival until visible with its reading", percentile(waits, 0.95), "ms (p95)", VISIBLE_MS)
    missing = figure("never told", number - len(waits), "messages", 0)
    live = [{**visible, "p50": round(percentile(waits, 0.5), 1)}, missing]
    json.dump({"benchmark": "live", "messages": number, "a_second": options.rate, "live": live}, sys.stdout)


def _reader(port: int, cookie: str) -> Reader:
    """The stream process may need a moment longer than the pages."""
    end = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            reader = Reader(port, cookie)
            reader.is_open.wait(WAIT_SECONDS)
            return reader
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def warm_up(port: int, token: str, reader: Reader) -> None:
    """One message, until it was read: the worker loads its models with the first."""
    client = Client(port, {"Authorization": f"Bearer {token}"})
    status, body = client.post("/api/v1/messages", delivery(999_999, customers=10**6))
    end = time.monotonic() + 60
    while json.loads(body).get("case_id") not in reader.read_at:
        if status != 201 or time.monotonic() > end:
            raise RuntimeError(f"the first message was not read within a minute; the delivery was answered {status}: {body[:300]!r}")
        time.sleep(0.1)


def send(port: int, token: str, number: int, rate: int) -> dict[int, float]:
    """Deliver at a steady rate; case number → when its delivery began."""
    local = threading.local()

    def deliver(place: int) -> tuple[int, float]:
        if not hasattr(local, "client"):
            local.client = Client(port, {"Authorization": f"Bearer {token}"})
        begun = time.monotonic()
        status, body = local.client.post("/api/v1/messages", delivery(place, customers=10**6))
        if status != 201:
            raise RuntimeError(f"message {place} was answered {status}: {body[:300]!r}")
        return json.loads(body)["case_id"], begun

    start = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as pool:
        futures = []
        for place in range(number):
            time.sleep(max(0.0, start + place / rate - time.monotonic()))
            futures.append(pool.submit(deliver, place))
        return dict(future.result() for future in futures)


if __name__ == "__main__":
    main()
