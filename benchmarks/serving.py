"""Running the real desk for a measurement: `careloop serve` on loopback, a signed-in client, percentiles."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PORT = 8160
READY_WITHIN_SECONDS = 90


@dataclass
class Serving:
    """A running desk: the parent process, which restarts what dies, and its address."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def stream_port(self) -> int:
        """Where the live stream listens."""
        return self.port + 1

    def children(self, name: str) -> list[int]:
        """The process ids of one part (web, stream, worker), its own children included."""
        found = []
        for child in _children(self.process.pid):
            line = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            if name.encode() in line:
                found += [child, *_children(child)]
        return found

    def kill(self, name: str) -> int:
        """End one part at once (-9); the parent starts it again. Returns how many processes were ended."""
        pids = self.children(name)
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return len(pids)

    def processor_seconds(self, name: str) -> float:
        """Processor time that the part's living processes have used: tells speed apart from a busy machine."""
        ticks = 0
        for pid in self.children(name):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self, name: str) -> dict[str, float]:
        """Megabytes of the part's working process: all that is resident, and what is its own (not pages of files)."""
        facts = dict.fromkeys(("VmRSS", "RssAnon"), 0.0)
        for pid in self.children(name):
            told = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
            for field in facts:
                facts[field] = max(facts[field], int(told[field].split()[0]) / 1024)
        return {"resident": round(facts["VmRSS"]), "own": round(facts["RssAnon"])}


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return found


@contextmanager
def serve(folder: Path, *, port: int = PORT, with_worker: bool = True) -> Iterator[Serving]:
    """`careloop serve` on a data folder until the block ends."""
    environment = {**os.environ, "CARELOOP_DATA_DIR": str(folder)}
    command = [sys.executable, "-m", "careloop.cli", "serve", "--port", str(port), *([] if with_worker else ["--no-worker"])]
    process = subprocess.Popen(command, env=environment, stdout=sys.stderr, stderr=sys.stderr)
    serving = Serving(process, port)
    try:
        _wait_until_ready(process, port)
        yield serving
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the desk ended with code {process.returncode} before it answered; its lines above say why")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.request("GET", "/accounts/login/")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the desk did not answer on port {port} within {READY_WITHIN_SECONDS} s")


def session_cookie(email: str) -> str:
    """The Cookie header of somebody signed in, made in the database of the folder that Django is set up on."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from careloop.desk.accounts.models import User

    user = User.objects.get(email=email)
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


class Client:
    """One connection that is kept open."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.port, self.headers = port, headers
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def get(self, address: str) -> tuple[int, bytes, float]:
        """Status, body, milliseconds."""
        begun = time.perf_counter()
        self.connection.request("GET", address, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        return answer.status, body, (time.perf_counter() - begun) * 1000

    def post(self, address: str, facts: dict[str, object]) -> tuple[int, bytes]:
        """Deliver JSON; a broken connection is opened again by the next call."""
        try:
            headers = {**self.headers, "Content-Type": "application/json"}
            self.connection.request("POST", address, body=json.dumps(facts).encode(), headers=headers)
            answer = self.connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise


def percentile(values: list[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(len(ordered) * share * 1000) // 1000) - 1)]


def figure(name: str, value: float, unit: str, target: float, *, at_least: bool = False) -> dict[str, object]:
    """One row of the table."""
    return {"name": name, "value": round(value, 1), "unit": unit, "target": target, "met": value >= target if at_least else value <= target}
