"""Arithmetic of jobs: pauses between attempts, due times of schedules, what may be an argument. No database, no clock."""

import math
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from random import Random
from typing import Any, TypeVar

ERROR_CHARACTERS = 4_000
LEASE_SECONDS = 20.0  # how long the jobs of a killed worker wait; docs/decisions/0004-jobs.md
Function = TypeVar("Function", bound=Callable[..., Any])


class GiveUp(Exception):
    """Raised by a job that knows that no later attempt can succeed: it goes to the dead letters at once."""


class UnknownTask(Exception):
    """The stored path of a job leads to no task of this version of the code."""


class WorkerLost(Exception):
    """The worker that ran the job stopped giving signs of life before the job ended."""


class NotJson(TypeError):
    """A job was given something that JSON cannot carry unchanged."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often a job is tried and how long it rests in between: full jitter, so that retries never march in step.

    The n-th pause is drawn evenly from 0 to `first_pause_seconds` · `growth` ** (n − 1), at most
    `longest_pause_seconds`. The defaults give seven pauses of at most 5 s, 15 s, 45 s … 1 h.
    """

    max_attempts: int = 8
    first_pause_seconds: float = 5.0
    growth: float = 3.0
    longest_pause_seconds: float = 3_600.0
    never_retry: tuple[type[BaseException], ...] = ()

    def longest_pause_after(self, attempt: int) -> float:
        """The upper bound of the pause that follows the attempt with this number (1, 2, …), in seconds."""
        return min(self.longest_pause_seconds, self.first_pause_seconds * self.growth ** (attempt - 1))

    def pause_after(self, attempt: int, random: Random) -> float:
        """Seconds to rest after this attempt."""
        return random.uniform(0, self.longest_pause_after(attempt))

    def is_final(self, error: BaseException) -> bool:
        """Whether trying again after this error is pointless."""
        return isinstance(error, (GiveUp, UnknownTask, *self.never_retry))


DEFAULT_RETRIES = RetryPolicy()


def retries(policy: RetryPolicy) -> Callable[[Function], Function]:
    """Give a task function its own policy; stands below `@task()`, and any other queue behind django-tasks ignores it."""

    def attach(function: Function) -> Function:
        function.retry_policy = policy  # type: ignore[attr-defined]
        return function

    return attach


def policy_of(function: Callable[..., Any]) -> RetryPolicy:
    """The policy of a task function, or the default."""
    policy: RetryPolicy = getattr(function, "retry_policy", DEFAULT_RETRIES)
    return policy


def to_json(value: Any, where: str) -> Any:
    """Return `value` with tuples as lists; refuse all that JSON, SQLite or PostgreSQL would lose or change.

    Raises
    ------
    NotJson
        Names the place inside the arguments and what was found there.
    """
    match value:
        case None | bool() | int():
            return value
        case float():
            if math.isfinite(value):
                return value
            raise NotJson(f"{where} is {value}; JSON knows finite numbers only. Pass None or a text instead.")
        case str():
            return _to_text(value, where)
        case list() | tuple():
            return [to_json(item, f"{where}[{index}]") for index, item in enumerate(value)]
        case dict():
            for key in value:
                if not isinstance(key, str):
                    raise NotJson(f"{where} has the key {key!r}; JSON knows text as keys only. Use str({key!r}).")
            return {_to_text(key, where): to_json(item, f"{where}[{key!r}]") for key, item in value.items()}
    raise NotJson(
        f"{where} is a {type(value).__module__}.{type(value).__qualname__}; a job's arguments must be None, bool, int, "
        "float, str, list or dict. Pass an id or a text, and load the object inside the job."
    )


def _to_text(value: str, where: str) -> str:
    """Text that every database stores: no NUL, no half of a surrogate pair."""
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise NotJson(f"{where} holds a NUL character or half a surrogate pair, which PostgreSQL refuses. Clean the text.")
    return value


def error_text(error: BaseException) -> str:
    """First line: class path and message. Then the end of the traceback, which names the failing line."""
    title = f"{type(error).__module__}.{type(error).__qualname__}: {error}".replace("\0", "�")[: ERROR_CHARACTERS // 4]
    trace = "".join(traceback.format_exception(error)) if error.__traceback__ else ""
    return f"{title}\n\n{trace[-(ERROR_CHARACTERS - len(title) - 2) :]}".replace("\0", "�").strip()


def error_class_path(text: str) -> str:
    """The class path at the head of what `error_text` wrote."""
    return text.partition(":")[0]


def next_run(due: datetime, now: datetime, *, every_seconds: int | None, daily_at: time | None, zone: tzinfo) -> datetime:
    """The first due time after `now`; times missed in between are one run, not many.

    An interval keeps its grid (due + n · every_seconds). A daily time is the clock on the wall of `zone`.
    """
    if (every_seconds is None) == (daily_at is None):
        raise ValueError(f"every_seconds is {every_seconds} and daily_at is {daily_at}; a schedule needs exactly one of them.")
    if every_seconds is not None:
        if every_seconds < 1:
            raise ValueError(f"every_seconds is {every_seconds}; expected a whole number of at least 1.")
        missed = max(0, math.floor((now - due).total_seconds() / every_seconds))
        return due + timedelta(seconds=every_seconds * (missed + 1)) if due <= now else due
    assert daily_at is not None
    day = now.astimezone(zone).date()
    candidate = datetime.combine(day, daily_at, zone)
    return candidate if candidate > now else datetime.combine(day + timedelta(days=1), daily_at, zone)
