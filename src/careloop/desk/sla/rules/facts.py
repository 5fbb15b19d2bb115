"""What calendars and levels are made of, before they are checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from careloop.desk.sla.rules.hours import Interval


@dataclass(frozen=True)
class CalendarFacts:
    """What a calendar is made of; `days` are entered by hand: (intervals, name) by date."""

    name: str
    zone: str
    weekly: Sequence[Sequence[Interval]]
    country: str = ""
    subdivision: str = ""
    confirmed_years: Sequence[int] = ()
    days: Mapping[date, tuple[Sequence[Interval], str]] = field(default_factory=dict)


@dataclass(frozen=True)
class LevelFacts:
    """What a service level is made of; minutes of working time by target, steps as (target, minutes, action)."""

    name: str
    calendar_id: int
    targets: Mapping[str, int | None]
    conditions: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    steps: Sequence[tuple[str, int, str]] = ()
    pauses_while_waiting: bool = True
    is_active: bool = True
    position: int = 0
