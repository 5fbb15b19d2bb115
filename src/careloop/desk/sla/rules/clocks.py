"""What happened to a case, turned into its deadline: `replay` is the only function that knows how.

A clock counts working time while it runs. The target and the calendar that hold at the end hold for the whole history, so that a case that
becomes urgent is judged as urgent from its arrival, and a corrected calendar corrects every deadline that was counted on it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from careloop.desk.sla.rules.working_time import WorkingCalendar

FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION = "FIRST_RESPONSE", "NEXT_RESPONSE", "RESOLUTION"
TARGETS = (FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION)

STARTED, PAUSED, RESUMED, RETARGETED = "STARTED", "PAUSED", "RESUMED", "RETARGETED"
MET, REOPENED, CANCELLED = "MET", "REOPENED", "CANCELLED"
RUNNING = "RUNNING"  # the other states are called as the event that led to them: PAUSED, MET, CANCELLED
_NEXT_STATE = {
    (None, STARTED): RUNNING,
    (RUNNING, PAUSED): PAUSED,
    (PAUSED, RESUMED): RUNNING,
    (RUNNING, MET): MET,
    (PAUSED, MET): MET,
    (MET, REOPENED): RUNNING,
    (RUNNING, CANCELLED): CANCELLED,
    (PAUSED, CANCELLED): CANCELLED,
    (RUNNING, RETARGETED): RUNNING,
    (PAUSED, RETARGETED): PAUSED,
    (MET, RETARGETED): MET,
}


@dataclass(frozen=True)
class Tick:
    """One thing that happened to a clock; `target_seconds` and `calendar` with STARTED and RETARGETED only."""

    kind: str
    at: datetime
    target_seconds: int | None = None
    calendar: int | None = None


@dataclass(frozen=True)
class ClockState:
    """Where a clock stands after its last event.

    `elapsed_seconds` of working time were counted in the runs that have ended. `due_at` is None for a clock that was paused or cancelled in
    time. `is_late` speaks of a clock that does not run; for a running one ask whether now is after `due_at`.
    """

    state: str
    target_seconds: int
    calendar: int
    elapsed_seconds: int
    due_at: datetime | None
    is_provisional: bool
    is_late: bool


class ImpossibleHistory(ValueError):
    """Events that cannot follow one another, or go back in time."""


def may_follow(state: str | None, kind: str) -> bool:
    """Whether this event makes sense in this state (None: not started)."""
    return (state, kind) in _NEXT_STATE


def replay(events: Iterable[Tick], calendars: Mapping[int, WorkingCalendar]) -> ClockState:
    """Where the clock stands after these events, on these calendars by id.

    Raises
    ------
    ImpossibleHistory
        When the list is empty, goes back in time, or an event cannot follow the one before.
    """
    history = list(events)
    state, target, calendar_id = _check(history)
    calendar = calendars[calendar_id]
    elapsed, deadline = 0, None
    runs = _find_runs(history)
    for start, end in runs:
        used = calendar.measure(start, end) if end is not None else 0
        is_last = (start, end) == runs[-1] and state in {RUNNING, MET}
        if deadline is None and (used >= target - elapsed or is_last):
            deadline = calendar.add(start, target - elapsed)
        elapsed += used
    is_provisional = deadline.is_provisional if deadline else calendar.is_provisional(history[0].at, history[-1].at)
    is_late = elapsed > target and state != RUNNING
    return ClockState(state, target, calendar_id, elapsed, deadline.at if deadline else None, is_provisional, is_late)


def _check(history: list[Tick]) -> tuple[str, int, int]:
    state: str | None = None
    target, calendar = 0, 0
    before = None
    for event in history:
        following = _NEXT_STATE.get((state, event.kind))
        if following is None:
            raise ImpossibleHistory(f"{event.kind} cannot follow while the clock is {state or 'not started'}.")
        if before is not None and event.at < before:
            raise ImpossibleHistory(f"{event.kind} at {event.at.isoformat()} lies before the event that precedes it.")
        state, before = following, event.at
        if event.kind in {STARTED, RETARGETED}:
            if event.target_seconds is None or event.calendar is None:
                raise ImpossibleHistory(f"{event.kind} names no target or calendar.")
            target, calendar = event.target_seconds, event.calendar
    if state is None:
        raise ImpossibleHistory("A clock without events was given; the first event is STARTED.")
    return state, target, calendar


def _find_runs(history: list[Tick]) -> list[tuple[datetime, datetime | None]]:
    """When the clock ran, in order; a run that goes on has no end."""
    state: str | None = None
    runs: list[tuple[datetime, datetime | None]] = []
    for event in history:
        before, state = state, _NEXT_STATE[state, event.kind]
        if before != RUNNING and state == RUNNING:
            runs.append((event.at, None))
        elif before == RUNNING and state != RUNNING:
            runs[-1] = (runs[-1][0], event.at)
    return runs
