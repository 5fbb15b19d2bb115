"""A clock that moves only when told, and a worker that follows it."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from careloop.desk.jobs.worker import Worker

START = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)


class Clock:
    """Callable like `timezone.now`."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> datetime:
        """Move on and return the new time."""
        self.now += timedelta(seconds=seconds)
        return self.now


class HalfRandom(Random):
    """Draws the middle of every range."""

    def uniform(self, a: float, b: float) -> float:
        """The mean of both ends."""
        return (a + b) / 2


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """The time of enqueueing too."""
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", clock)
    return clock


@pytest.fixture
def worker(clock) -> Worker:
    """One thread, leases of 60 s, pauses of half their bound."""
    return Worker(clock=clock, random=HalfRandom(), worker_id="w1")
