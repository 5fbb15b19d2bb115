"""Keeping the deadlines of cases: what happened becomes ticks, ticks become deadlines, all in the caller's transaction."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from careloop.desk.cases.models import Case, Clock, ClockTick
from careloop.desk.customers.models import Customer
from careloop.desk.kernel.rows import find_rows, insert_rows, marks, update_rows
from careloop.desk.sla.queries import Calendars, list_levels
from careloop.desk.sla.rules.clocks import NEXT_RESPONSE, PAUSED, RUNNING, ClockState, Tick, replay
from careloop.desk.sla.rules.following import FACTS, Change, Standing, follow
from careloop.desk.sla.rules.levels import Level, choose_level

COUNTED = ("level_id", "calendar_id", "state", "target_seconds", "due_at", "is_provisional", "elapsed_seconds", "is_late")


@dataclass(frozen=True)
class Happening:
    """What happened to a case (one of sla.rules.following's words) and when; the case has its new status and facts already."""

    case: Case
    what: str
    at: datetime
    was_answered: bool


def keep_clocks(happenings: Collection[Happening]) -> None:
    """Follow what happened with the clocks of these cases and write their nearest deadlines; a case may come more than once, in order.

    Six queries for any number of cases, one where nothing is promised: the clocks of a level that was taken away have ended with it.
    """
    if not happenings:
        return
    levels = list_levels()
    if not levels and all(one.what != FACTS for one in happenings):
        return
    cases = {one.case.pk: one.case for one in happenings}
    clocks = _find_clocks(cases)
    if not levels and not clocks:
        return
    segments = _find_segments(levels, cases.values())
    keeper = _Keeper(clocks)
    for one in happenings:
        level = choose_level(levels, facts_of(one.case, segments.get(one.case.customer_id, "")))
        keeper.follow(one, level)
    keeper.store()
    write_due([case for case in cases.values() if case.pk in keeper.touched], keeper.all_clocks())


def facts_of(case: Case, segment: str = "") -> dict[str, Any]:
    """What service levels look at."""
    return {"kind": case.kind, "priority": case.priority, "channel": case.channel_id, "team": case.team_id, "segment": segment}


def recount(clocks: Iterable[Clock], calendars: Calendars) -> list[Clock]:
    """Replay the ticks of stored clocks on these calendars; returns those whose deadline or figures changed, in memory only."""
    rows = list(clocks)
    ticks = find_ticks(rows)
    changed = []
    for clock in rows:
        before = [getattr(clock, name) for name in COUNTED]
        take_state(clock, replay(ticks[clock.pk], calendars))
        if before != [getattr(clock, name) for name in COUNTED]:
            changed.append(clock)
    return changed


def find_ticks(clocks: Collection[Clock]) -> dict[int, list[Tick]]:
    """The ticks of stored clocks, in order, by the clocks' numbers (one query)."""
    found: dict[int, list[Tick]] = defaultdict(list)
    numbers = [clock.pk for clock in clocks]
    if numbers:
        for row in find_rows(ClockTick, f"clock_id IN ({marks(numbers)}) ORDER BY id", numbers):
            found[row.clock_id].append(Tick(row.kind, row.at, row.target_seconds, row.calendar_id))
    return found


def take_state(clock: Clock, state: ClockState) -> None:
    """Write what a replay gave into a clock, in memory."""
    clock.state, clock.target_seconds, clock.calendar_id = state.state, state.target_seconds, state.calendar
    clock.due_at, clock.is_provisional = state.due_at, state.is_provisional
    clock.elapsed_seconds, clock.is_late = state.elapsed_seconds, state.is_late


def write_due(cases: Collection[Case], clocks: Iterable[Clock]) -> None:
    """Store the nearest deadline of each case, where it changed."""
    nearest: dict[int, datetime] = {}
    for clock in clocks:
        if clock.state == RUNNING and clock.due_at is not None:
            nearest[clock.case_id] = min(clock.due_at, nearest.get(clock.case_id, clock.due_at))
    changed = [case for case in cases if case.due_at != nearest.get(case.pk)]
    for case in changed:
        case.due_at = nearest.get(case.pk)
    update_rows(changed, "due_at")


class _Keeper:
    """The clocks of some cases while what happened is applied to them."""

    def __init__(self, clocks: list[Clock]) -> None:
        self.by_case: dict[int, list[Clock]] = defaultdict(list)
        for clock in clocks:
            self.by_case[clock.case_id].append(clock)
        self.new_ticks: dict[int, list[Tick]] = defaultdict(list)  # by the clock object's identity: new clocks have no number yet
        self.changed: dict[int, Clock] = {}
        self.touched: set[int] = set()

    def all_clocks(self) -> list[Clock]:
        return [clock for clocks in self.by_case.values() for clock in clocks]

    def follow(self, one: Happening, level: Level | None) -> None:
        clocks = self.by_case[one.case.pk]
        standing = [Standing(clock.target, clock.round, clock.state, clock.target_seconds, clock.calendar_id) for clock in clocks]
        change = Change(one.what, one.at, one.case.status, one.case.opened_at, one.was_answered)
        for place, after in enumerate(follow(standing, change, level)):
            if not after.ticks:
                continue
            if place == len(clocks):
                clocks.append(Clock(case_id=one.case.pk, target=after.target, round=after.round, started_at=after.ticks[0].at))
            clock = clocks[place]
            clock.state, clock.target_seconds, clock.calendar_id = after.state or "", after.target_seconds, after.calendar
            if any(tick.calendar is not None for tick in after.ticks) and level is not None:
                clock.level_id = level.id
            self.new_ticks[id(clock)] += after.ticks
            self.changed[id(clock)] = clock
            self.touched.add(one.case.pk)

    def store(self) -> None:
        """Count the changed clocks anew and write them with their ticks; a tick never lies before the one it follows."""
        changed = list(self.changed.values())
        known = find_ticks([clock for clock in changed if clock.pk is not None])
        calendars = Calendars()
        added: list[tuple[Clock, Tick]] = []
        for clock in changed:
            history = list(known.get(clock.pk, []))
            for tick in self.new_ticks[id(clock)]:
                at = max(tick.at, history[-1].at) if history else tick.at
                history.append(Tick(tick.kind, at, tick.target_seconds, tick.calendar))
                added.append((clock, history[-1]))
            take_state(clock, replay(history, calendars))
        new = [clock for clock in changed if clock.pk is None]
        update_rows([clock for clock in changed if clock.pk is not None], *COUNTED)
        insert_rows(new)
        insert_rows(
            ClockTick(clock_id=clock.pk, kind=tick.kind, at=tick.at, target_seconds=tick.target_seconds, calendar_id=tick.calendar)
            for clock, tick in added
        )


def _find_clocks(cases: dict[int, Case]) -> list[Clock]:
    """The clocks that a change can touch: of the rounds that have ended the newest is enough, however often customer and house wrote."""
    numbers = list(cases)
    table = Clock._meta.db_table
    newer = f"SELECT 1 FROM {table} newer WHERE newer.case_id = {table}.case_id AND newer.target = {table}.target"  # noqa: S608
    is_newest = f"NOT EXISTS ({newer} AND newer.round = {table}.round + 1)"
    wanted = f"case_id IN ({marks(numbers)}) AND (target <> %s OR state IN (%s, %s) OR {is_newest}) ORDER BY id"
    return find_rows(Clock, wanted, [*numbers, NEXT_RESPONSE, RUNNING, PAUSED]) if numbers else []


def _find_segments(levels: list[Level], cases: Iterable[Case]) -> dict[int, str]:
    if not any(level.conditions.get("segment") for level in levels):
        return {}
    people = Customer.objects.filter(pk__in={case.customer_id for case in cases}).values_list("pk", "attributes")
    return {number: str(attributes.get("segment", "")) for number, attributes in people}
