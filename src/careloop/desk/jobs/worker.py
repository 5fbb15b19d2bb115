"""The worker: threads that claim and run jobs until they are told to stop. One or many processes, on one database."""

import logging
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random, SystemRandom
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from careloop.desk.jobs import actions, claims, tasks
from careloop.desk.jobs.heart import Heart, Holdings
from careloop.desk.jobs.rules import LEASE_SECONDS
from careloop.desk.jobs.running import OpenTransaction, Runner

logger = logging.getLogger("careloop.jobs")
RECONNECT_SECONDS = 1.0
PROMPT = 0  # jobs below this priority take long and can wait: of several threads the last leaves them alone, so that others never wait


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def new_worker_id() -> str:
    """Host, process number and four random bytes: a restarted worker is another one."""
    return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"


@dataclass
class Worker:
    """Claims up to `batch` due jobs at a time and runs them one after another in each thread.

    A lease of `lease_seconds` is renewed by a thread of its own three times within its length. Jobs run at least once:
    write them so that running twice has the effect of once.
    """

    threads: int = 1
    poll_seconds: float = 0.2
    lease_seconds: float = LEASE_SECONDS
    queues: Sequence[str] = ()
    batch: int = 16
    clock: Callable[[], datetime] = utc_now
    random: Random = field(default_factory=SystemRandom)
    worker_id: str = field(default_factory=new_worker_id)

    def __post_init__(self) -> None:
        if self.threads < 1 or self.batch < 1 or self.poll_seconds <= 0 or self.lease_seconds <= 0:
            raise ValueError(
                f"A worker was given {self.threads} threads, batches of {self.batch}, {self.poll_seconds} s between looks "
                f"and leases of {self.lease_seconds} s; all four must be positive."
            )
        self._stopping = threading.Event()
        self._is_signalled = False
        self._holdings = Holdings()

    def stop(self) -> None:
        """Let every thread end its present job, hand back the rest, and make `run` return. From any thread."""
        self._stopping.set()

    @property
    def is_stopped(self) -> bool:
        """Whether `stop` or a signal ended the work, rather than an empty queue."""
        return self._stopping.is_set() or self._is_signalled

    def run(self) -> None:
        """Work until `stop`, SIGTERM or SIGINT; a second signal ends the process at once, and leases do the rest."""
        if connection.in_atomic_block:
            raise OpenTransaction("Worker.run was called inside a transaction; jobs must commit on their own. Call it outside.")
        actions.ensure_schedule("trim finished jobs", tasks.trim_finished, 3_600, now=self.clock())
        heart = self._heart(fires_schedules=True)
        heart.tick()
        connection.close()
        lanes = [None] * max(1, self.threads - 1) + [PROMPT] * (self.threads > 1)
        loops = [threading.Thread(target=self._loop, args=(lane,), name=f"jobs-{number}", daemon=True) for number, lane in enumerate(lanes)]
        logger.info("Worker %s runs with %s threads.", self.worker_id, self.threads)
        with self._beating(heart), self._signals():
            for loop in loops:
                loop.start()
            while any(loop.is_alive() for loop in loops):
                if self._is_signalled:
                    self.stop()
                time.sleep(0.05)
        heart.stop()
        connection.close()
        logger.info("Worker %s stopped.", self.worker_id)

    def run_until_empty(self, *, fires_schedules: bool = False) -> int:
        """Run due jobs in this thread, and those that they queue, until none is due; returns the number of attempts.

        For tests, imports and `careloop worker --once`. Retries that rest until later are left for later.
        """
        depth = len(connection.atomic_blocks)  # a test's own transactions; none anywhere else
        runner = Runner(clock=self.clock, lease_seconds=self.lease_seconds, random=self.random, depth=depth)
        heart = self._heart(fires_schedules=fires_schedules)
        heart.tick()
        attempts = 0
        try:
            beating = nullcontext() if depth else self._beating(heart)  # another thread could not see a test's rows
            with beating, self._signals():
                while not self.is_stopped and self._step(runner):
                    attempts += 1
        finally:
            heart.stop()
        return attempts

    def _heart(self, *, fires_schedules: bool) -> Heart:
        return Heart(self.worker_id, self._holdings, self.clock, self.lease_seconds, self.threads, fires_schedules)

    def _loop(self, least_priority: int | None = None) -> None:
        """One thread: step after step; when the database is away, log it and try again."""
        runner = Runner(clock=self.clock, lease_seconds=self.lease_seconds, random=self.random)
        while not self._stopping.is_set():
            try:
                has_run = self._step(runner, least_priority)
            except Exception:
                logger.exception("Worker %s could not claim or end a job; it goes on in %s s.", self.worker_id, RECONNECT_SECONDS)
                connection.close()
                self._stopping.wait(RECONNECT_SECONDS)
                continue
            if not has_run:
                self._stopping.wait(self.poll_seconds)
        connection.close()

    def _step(self, runner: Runner, least_priority: int | None = None) -> bool:
        """Run one job, claiming more when none is at hand; False if nothing is due."""
        now = self.clock()
        claims.release(self._holdings.take_stale(now))
        job = self._holdings.take(least_priority)
        if job is None:
            jobs = claims.claim(
                worker_id=self.worker_id,
                now=now,
                lease_seconds=self.lease_seconds,
                limit=self.batch,
                queues=self.queues,
                least_priority=least_priority,
            )
            self._holdings.add(jobs, now)
            job = self._holdings.take(least_priority)
            if job is None:
                return False
        try:
            runner.run(job)
        finally:
            self._holdings.drop(job)
        return True

    @contextmanager
    def _beating(self, heart: Heart) -> Iterator[None]:
        """Keep the heart in a thread of its own while the block runs."""
        stopped = threading.Event()
        thread = threading.Thread(target=heart.run, args=(stopped,), name="jobs-heart", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Note the first SIGTERM or SIGINT; only a flag is set, since a handler must not wait for a lock."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        watched = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.getsignal(number) for number in watched}

        def note(number: int, frame: Any) -> None:
            self._is_signalled = True
            for each in watched:
                signal.signal(each, before[each])

        for number in watched:
            signal.signal(number, note)
        try:
            yield
        finally:
            for number in watched:
                signal.signal(number, before[number])


def main(*, threads: int = 1, queues: Sequence[str] = (), once: bool = False) -> int:
    """What `careloop worker` does; returns the exit code."""
    for path in settings.SCHEDULES:
        import_string(path)()
    worker = Worker(threads=threads, queues=queues)
    if once:
        attempts = worker.run_until_empty(fires_schedules=True)
        logger.info("Worker %s made %s attempts; nothing is due.", worker.worker_id, attempts)
    else:
        worker.run()
    return 0
