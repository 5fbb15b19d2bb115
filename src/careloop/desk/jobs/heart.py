"""What keeps a worker's claims honest while its jobs are busy: held jobs, lease renewal, schedules, recovery."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from careloop.desk.jobs import actions, claims
from careloop.desk.jobs.models import Heartbeat, Job
from careloop.desk.jobs.rules import LEASE_SECONDS

logger = logging.getLogger("careloop.jobs")
BEAT_SECONDS = 5.0
RECOVERY_SECONDS = 5.0
HOLD_SECONDS = 0.5


class Holdings:
    """The claimed jobs of one process, shared by its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._running: dict[int, Job] = {}
        self._claimed_at: datetime | None = None

    def add(self, jobs: list[Job], now: datetime) -> None:
        """Keep freshly claimed jobs until a thread takes them."""
        with self._lock:
            self._waiting.extend(jobs)
            self._claimed_at = now

    def take(self, least_priority: int | None = None) -> Job | None:
        """The next job to run that is at least so urgent, if one waits."""
        with self._lock:
            for job in self._waiting:
                if least_priority is None or job.priority >= least_priority:
                    self._waiting.remove(job)
                    self._running[job.pk] = job
                    return job
            return None

    def drop(self, job: Job) -> None:
        """Forget a job that ended."""
        with self._lock:
            self._running.pop(job.pk, None)

    def ids(self) -> list[int]:
        """All whose leases must be renewed."""
        with self._lock:
            return [*self._running, *(job.pk for job in self._waiting)]

    def take_stale(self, now: datetime) -> list[Job]:
        """Remove and return what nobody began within half a second: others may run it, or more urgent jobs have come."""
        with self._lock:
            is_fresh = self._claimed_at is None or now - self._claimed_at <= timedelta(seconds=HOLD_SECONDS)
            return [] if is_fresh else self._empty()

    def take_all_waiting(self) -> list[Job]:
        """Remove and return all that nobody has begun."""
        with self._lock:
            return self._empty()

    def _empty(self) -> list[Job]:
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting


@dataclass
class Heart:
    """Beats in a thread of its own, so that a busy or long job keeps its lease."""

    worker_id: str
    holdings: Holdings
    clock: Callable[[], datetime]
    lease_seconds: float = LEASE_SECONDS
    threads: int = 1
    fires_schedules: bool = True
    _next_beat: datetime | None = field(default=None, init=False)
    _next_recovery: datetime | None = field(default=None, init=False)

    @property
    def tick_seconds(self) -> float:
        """How often to look: often enough for three renewals within a lease."""
        return min(1.0, self.lease_seconds / 6)

    def tick(self) -> None:
        """Do what is due now: renew leases, recover those of dead workers, fire schedules, hand back stale claims."""
        now = self.clock()
        if self._next_beat is None or now >= self._next_beat:
            self.beat(now)
            self._next_beat = now + timedelta(seconds=min(BEAT_SECONDS, self.lease_seconds / 3))
        if self._next_recovery is None or now >= self._next_recovery:
            claims.recover_expired(now=now)
            self._next_recovery = now + timedelta(seconds=min(RECOVERY_SECONDS, self.lease_seconds / 3))
        if self.fires_schedules:
            actions.fire_schedules(now=now)
        claims.release(self.holdings.take_stale(now))

    def beat(self, now: datetime) -> None:
        """Renew the leases of what is held and show that this worker lives."""
        held = self.holdings.ids()
        if held:
            claims.extend(held, worker_id=self.worker_id, now=now, lease_seconds=self.lease_seconds)
        Heartbeat.objects.update_or_create(
            worker_id=self.worker_id,
            defaults={"seen_at": now, "threads": self.threads},
            create_defaults={"seen_at": now, "threads": self.threads, "started_at": now},
        )

    def stop(self) -> None:
        """Hand back what was not begun and take the sign of life away."""
        claims.release(self.holdings.take_all_waiting())
        Heartbeat.objects.filter(worker_id=self.worker_id).delete()

    def run(self, stopped: threading.Event) -> None:
        """Tick until stopped; a database that is busy or away is logged, and tried again at the next tick."""
        while not stopped.wait(self.tick_seconds):
            try:
                self.tick()
            except Exception:
                logger.exception("Worker %s could not renew its leases; it tries again.", self.worker_id)
                connection.close()
        connection.close()
