"""One command, several processes: starts pages, live stream and worker, restarts what dies, stops all of them together.

The parent loads no framework. What each child does is in config/children.py; children end when the parent does, even when it was killed.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

DEFAULT_HOSTS = "127.0.0.1,localhost,[::1]"
ANY_HOST = {"0.0.0.0", "::", ""}  # noqa: S104  (compared with, not listened on)
FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
STEADY_AFTER_SECONDS = 30.0
STOP_WITHIN_SECONDS = 4.0
LOOK_EVERY_SECONDS = 0.1
READY_WITHIN_SECONDS = 60.0


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End what is left of a child and of the processes that it started: each child leads a group of its own."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


@dataclass
class Child:
    """One process that should be running: how often it died young, and when it may start again."""

    name: str
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    deaths: int = 0
    start_at: float = 0.0


@dataclass
class Family:
    """The children of one start, kept running until `stopping` is set."""

    children: list[Child]
    start: "Callable[[str], subprocess.Popen[bytes]]"
    say: Callable[[str], None]
    clock: Callable[[], float] = time.monotonic
    kill: "Callable[[subprocess.Popen[bytes]], None]" = kill_group
    stopping: threading.Event = field(default_factory=threading.Event)

    def look_after(self) -> None:
        """Start whoever is due; note who died and when to start it again."""
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                self._note_death(child)
            if child.process is None and self.clock() >= child.start_at and not self.stopping.is_set():
                child.process, child.started_at = self.start(child.name), self.clock()

    def stop(self) -> None:
        """Ask everybody to end; whoever has not ended in time is killed, with everything that it started."""
        running = [child.process for child in self.children if child.process is not None and child.process.poll() is None]
        for process in running:
            process.terminate()
        end = self.clock() + STOP_WITHIN_SECONDS
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.05, end - self.clock()))
            self.kill(process)
            process.wait()

    def _note_death(self, child: Child) -> None:
        assert child.process is not None
        now = self.clock()
        child.deaths = 1 if now - child.started_at >= STEADY_AFTER_SECONDS else child.deaths + 1
        pause = pause_seconds(child.deaths)
        child.start_at = now + pause
        self.kill(child.process)
        self.say(f"The {child.name} process ended with code {child.process.returncode}; starting it again in {pause:.1f} s.")
        child.process = None


def pause_seconds(deaths: int) -> float:
    """How long to wait before the next start after `deaths` deaths in a row: 0.2 s, doubled each time, at most 30 s."""
    return min(FIRST_PAUSE_SECONDS * 2.0 ** min(deaths - 1, 20), LONGEST_PAUSE_SECONDS)


def run(*, host: str, port: int, with_worker: bool, with_samples: bool) -> int:
    """Migrate, load samples if asked and there is nobody yet, then keep all processes running until a signal; returns the exit code."""
    environment = environment_for(host, port, os.environ)
    stream_port = int(environment["CARELOOP_STREAM_PORT"])
    for wanted in (port, stream_port):
        if problem := port_problem(host, wanted):
            say(problem)
            return 1
    starter = _Starter(environment, [host, str(port), "samples" if with_samples else "empty"])
    family = Family([Child("web"), Child("stream"), *([Child("worker")] if with_worker else [])], starter, say)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: family.stopping.set())
    try:
        code = _prepare(starter, family)
        if code is None:
            _serve(family, environment["CARELOOP_BASE_URL"], host, port)
            code = 0
    finally:
        family.stop()
        starter.close()
    return code


def environment_for(host: str, port: int, given: "os._Environ[str] | dict[str, str]") -> dict[str, str]:
    """The children's environment: addresses follow from host and port unless the operator has set them."""
    shown = "127.0.0.1" if host in ANY_HOST else host
    shown = f"[{shown}]" if ":" in shown else shown
    environment = dict(given)
    environment.setdefault("DJANGO_SETTINGS_MODULE", "careloop.desk.config.settings")
    environment.setdefault("CARELOOP_BASE_URL", f"http://{shown}:{port}")
    environment.setdefault("CARELOOP_STREAM_PORT", str(port + 1 if port < 65_535 else port - 1))
    if shown not in DEFAULT_HOSTS.split(","):
        environment.setdefault("CARELOOP_HOSTS", f"{DEFAULT_HOSTS},{shown}")
    return environment


def port_problem(host: str, port: int) -> str:
    """Why nothing can listen on this port, as a sentence; "" when it is free."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
            trial.listen(1)
    except OSError as error:
        return f"Cannot listen on {host}:{port} ({error.strerror or error}); stop what uses it or choose another port with --port."
    return ""


def say(sentence: str) -> None:
    """A line for the operator, at once."""
    print(sentence, file=sys.stderr, flush=True)


class _Starter:
    """Starts children that hold the reading end of a pipe: when the parent ends in any way, the pipe closes and they stop."""

    def __init__(self, environment: dict[str, str], arguments: list[str]) -> None:
        self.environment, self.arguments = environment, arguments
        self.pipe, self._held = os.pipe()

    def __call__(self, name: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "careloop.desk.config.children", name, *self.arguments]
        return subprocess.Popen(command, env=self.environment, stdin=self.pipe, start_new_session=True)  # noqa: S603  (our own module)

    def close(self) -> None:
        """Let go of whoever is left."""
        os.close(self._held)
        os.close(self.pipe)


def _prepare(starter: _Starter, family: Family) -> int | None:
    """Migrate and load samples in a process of its own; the exit code if that ends the start, else None."""
    preparing = starter("prepare")
    while preparing.poll() is None and not family.stopping.is_set():
        family.stopping.wait(LOOK_EVERY_SECONDS)
    if family.stopping.is_set():
        preparing.terminate()
        try:
            preparing.wait(STOP_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            preparing.kill()
        return 0
    return preparing.returncode or None


def _serve(family: Family, base_url: str, host: str, port: int) -> None:
    """Look after the family until told to stop; tell the address once the pages answer."""
    told, begun = False, time.monotonic()
    while not family.stopping.is_set():
        family.look_after()
        if not told and answers(host, port):
            say(f"Careloop is open at / 已启动，请访问  {base_url}    (Ctrl+C stops it / 按 Ctrl+C 停止)")
            told = True
        elif not told and time.monotonic() - begun > READY_WITHIN_SECONDS:
            say(f"The pages do not answer after {READY_WITHIN_SECONDS:.0f} s; the lines above say why. Still trying.")
            told = True
        family.stopping.wait(LOOK_EVERY_SECONDS)


def answers(host: str, port: int) -> bool:
    """Whether somebody takes connections there."""
    where = "127.0.0.1" if host in {"0.0.0.0", ""} else "::1" if host == "::" else host  # noqa: S104  (compared with)
    try:
        socket.create_connection((where, port), timeout=1).close()
    except OSError:
        return False
    return True
