"""Which clocks start, pause, resume or end when something happens to a case."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from careloop.desk.sla.rules.clocks import (
    CANCELLED,
    FIRST_RESPONSE,
    MET,
    NEXT_RESPONSE,
    PAUSED,
    REOPENED,
    RESOLUTION,
    RESUMED,
    RETARGETED,
    RUNNING,
    STARTED,
    Tick,
)
from careloop.desk.sla.rules.levels import Level

ARRIVED, REPLIED, STATUS, FACTS = "ARRIVED", "REPLIED", "STATUS", "FACTS"
OPEN_STATUS, WAITING_STATUS, RESOLVED_STATUS = "OPEN", "WAITING", "RESOLVED"
OPEN_STATES = frozenset({RUNNING, PAUSED})


@dataclass(frozen=True)
class Change:
    """What happened to a case: a message arrived, somebody replied, its status or its facts (kind, priority …) changed.

    `status` is the one after it; `opened_at` is when the case began; `was_answered` whether a first response had been given before.
    """

    what: str
    at: datetime
    status: str
    opened_at: datetime
    was_answered: bool


@dataclass
class Standing:
    """One clock of the case: its target, which round of it, where it stands, and the ticks that this change adds."""

    target: str
    round: int
    state: str | None
    target_seconds: int = 0
    calendar: int = 0
    ticks: list[Tick] = field(default_factory=list)

    def add(self, kind: str, at: datetime, level: Level | None = None) -> None:
        """Append a tick and take its state."""
        if level is None:
            self.ticks.append(Tick(kind, at))
        else:
            self.target_seconds, self.calendar = level.targets[self.target], level.calendar_id
            self.ticks.append(Tick(kind, at, self.target_seconds, self.calendar))
        if kind != RETARGETED:
            self.state = RUNNING if kind in {STARTED, RESUMED, REOPENED} else kind


def follow(clocks: Iterable[Standing], change: Change, level: Level | None) -> list[Standing]:
    """Return the clocks, new ones among them, with the ticks that the change adds to each; `level` is the promise that holds now."""
    standing = list(clocks)
    _retarget(standing, change, level)
    if level is not None and change.status != RESOLVED_STATUS:
        _start(standing, change, level)
    if change.what == REPLIED:
        for clock in standing:
            if clock.target in {FIRST_RESPONSE, NEXT_RESPONSE} and clock.state in OPEN_STATES:
                clock.add(MET, change.at)
    for clock in standing:
        _follow_status(clock, change, pauses=level is None or level.pauses_while_waiting)
    return standing


def _retarget(standing: list[Standing], change: Change, level: Level | None) -> None:
    for clock in standing:
        if clock.state not in OPEN_STATES:
            continue
        if level is None or clock.target not in level.targets:
            clock.add(CANCELLED, change.at)
        elif (clock.target_seconds, clock.calendar) != (level.targets[clock.target], level.calendar_id):
            clock.add(RETARGETED, change.at, level)


def _start(standing: list[Standing], change: Change, level: Level) -> None:
    there = {clock.target for clock in standing if clock.state != CANCELLED}
    answered = change.was_answered
    wanted = [RESOLUTION] if answered else [FIRST_RESPONSE, RESOLUTION]
    for target in wanted:
        if target in level.targets and target not in there:
            _begin(standing, target, change.opened_at, level)
    is_due = change.what == ARRIVED and answered and NEXT_RESPONSE in level.targets
    if is_due and not any(clock.target == NEXT_RESPONSE and clock.state in OPEN_STATES for clock in standing):
        _begin(standing, NEXT_RESPONSE, change.at, level)


def _begin(standing: list[Standing], target: str, at: datetime, level: Level) -> None:
    rounds = [clock.round for clock in standing if clock.target == target]
    standing.append(Standing(target, max(rounds, default=0) + 1, None))
    standing[-1].add(STARTED, at, level)


def _follow_status(clock: Standing, change: Change, *, pauses: bool) -> None:
    if change.status == RESOLVED_STATUS and clock.state in OPEN_STATES:
        clock.add(MET if clock.target == RESOLUTION else CANCELLED, change.at)
    elif change.status == WAITING_STATUS and clock.state == RUNNING and pauses:
        clock.add(PAUSED, change.at)
    elif clock.state == PAUSED and (change.status == OPEN_STATUS or not pauses):
        clock.add(RESUMED, change.at)
    elif change.status != RESOLVED_STATUS and clock.state == MET and clock.target == RESOLUTION:
        clock.add(REOPENED, change.at)
        if change.status == WAITING_STATUS and pauses:
            clock.add(PAUSED, change.at)
