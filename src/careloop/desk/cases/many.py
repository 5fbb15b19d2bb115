"""The same change for many cases at once: a fixed number of statements, with events, clocks and audit entries as for one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from careloop.desk.accounts.models import Channel, ChannelKind
from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.changes import CLOCKED, save_cases
from careloop.desk.cases.clocks import COUNTED, Happening, find_ticks, keep_clocks, take_state, write_due
from careloop.desk.cases.events import event_of, plain
from careloop.desk.cases.merged import lock_unmerged
from careloop.desk.cases.models import Case, Clock, ClockTick
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.cases.teams import follow_team
from careloop.desk.kernel.rows import insert_rows, update_rows
from careloop.desk.sla.queries import Calendars
from careloop.desk.sla.rules.clocks import replay
from careloop.desk.sla.rules.following import FACTS


@dataclass(frozen=True)
class CaseChange:
    """New columns for a case that is still in the version that was seen."""

    case_id: int
    expected_version: int
    columns: Mapping[str, Any]


@dataclass(frozen=True)
class Changed:
    """The cases that were changed, with their columns before, and the numbers of those that were left alone as they are not as seen."""

    cases: list[Case]
    before: dict[int, dict[str, Any]]
    left_out: list[int]


def lock_as_seen(versions: Mapping[int, int], viewer: Viewer) -> list[Case]:
    """Those of the cases, by number, that the viewer sees, that were not merged and are still in the version given; locked."""
    check_may(viewer, "case.work")
    cases = lock_unmerged(sorted(versions))
    in_sight = [case for case in cases if viewer.team_ids is None or case.team_id in viewer.team_ids]
    return [case for case in in_sight if case.version == versions[case.pk]]


def change_many(*, changes: Sequence[CaseChange], kind: str, part_of: Mapping[str, Any], viewer: Viewer, now: datetime) -> Changed:
    """Write columns of many cases with an event of this kind each, all in one transaction; `part_of` goes into every event.

    Every change names the same columns. Cases that somebody else changed in the meantime are left out; those that are so already have
    nothing written.
    """
    if not changes:
        check_may(viewer, "case.work")
        return Changed([], {}, [])
    wanted = {change.case_id: change for change in changes}
    columns = list(changes[0].columns)
    with transaction.atomic():
        locked = lock_as_seen({number: change.expected_version for number, change in wanted.items()}, viewer)
        before = {case.pk: {name: getattr(case, name) for name in columns} for case in locked}
        cases = [case for case in locked if before[case.pk] != dict(wanted[case.pk].columns)]
        for case in cases:
            for name, value in wanted[case.pk].columns.items():
                setattr(case, name, value)
        save_cases(cases, *columns)
        if "team_id" in columns:
            follow_team(cases, now)
        if kind in CLOCKED:
            keep_clocks([Happening(case, CLOCKED[kind], now, case.first_response_at is not None) for case in cases])
        told = {case.pk: {"before": plain(before[case.pk]), "after": plain(wanted[case.pk].columns)} for case in cases}
        actor = actor_of(viewer)
        insert_rows(
            event_of(
                case=case,
                kind=kind,
                actor=actor,
                now=now,
                before=told[case.pk]["before"],
                after={**told[case.pk]["after"], **part_of},
            )
            for case in cases
        )
        for case in cases:
            details = {**told[case.pk], **part_of}
            audit.record(actor=actor, action=f"case.{kind.lower()}", object_type="case", object_id=case.pk, now=now, details=details)
    return Changed(cases, before, sorted(wanted.keys() - before.keys()))


def take_many_ticks_back(cases: Sequence[Case], last_tick_ids: Mapping[int, int], now: datetime) -> None:
    """As `clock_undo.take_ticks_back`, for many cases with a fixed number of statements: those after each case's tick are taken back."""
    by_number = {case.pk: case for case in cases}
    clocks = list(Clock.objects.filter(case__in=by_number))
    newer = [
        (tick, clock)
        for tick, clock, case in ClockTick.objects.filter(clock__case__in=by_number).values_list("pk", "clock_id", "clock__case_id")
        if tick > last_tick_ids.get(case, 0)
    ]
    ClockTick.objects.filter(pk__in=[tick for tick, _clock in newer]).delete()
    touched = {clock for _tick, clock in newer}
    histories = find_ticks(clocks)
    Clock.objects.filter(pk__in=[number for number in touched if not histories[number]]).delete()
    kept = [clock for clock in clocks if histories[clock.pk]]
    moved, calendars = [clock for clock in kept if clock.pk in touched], Calendars()
    for clock in moved:
        take_state(clock, replay(histories[clock.pk], calendars))
    update_rows(moved, *COUNTED)
    write_due(cases, kept)
    files = set(Channel.objects.filter(kind=ChannelKind.FILE).values_list("pk", flat=True))
    open_cases = [case for case in cases if case.status in UNRESOLVED and case.channel_id not in files]
    keep_clocks([Happening(case, FACTS, now, case.first_response_at is not None) for case in open_cases])
