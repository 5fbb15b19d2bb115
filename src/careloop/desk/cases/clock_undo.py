"""Stopping the clocks of a case that goes into another, and taking ticks back when that is undone."""

from collections.abc import Collection
from datetime import datetime

from careloop.desk.accounts.models import ChannelKind
from careloop.desk.cases.clocks import COUNTED, Happening, find_ticks, keep_clocks, take_state, write_due
from careloop.desk.cases.models import Case, Clock, ClockTick
from careloop.desk.cases.rules import UNRESOLVED
from careloop.desk.kernel.rows import insert_rows, update_rows
from careloop.desk.sla.queries import Calendars
from careloop.desk.sla.rules.clocks import CANCELLED, PAUSED, RUNNING, Tick, replay
from careloop.desk.sla.rules.following import FACTS


def newest_ticks(cases: Collection[Case]) -> dict[int, int]:
    """Case number → the id of the newest tick of its clocks; cases without clocks are left out."""
    ticks = ClockTick.objects.filter(clock__case__in=[case.pk for case in cases]).order_by("pk")
    return dict(ticks.values_list("clock__case_id", "pk"))


def stop_clocks(cases: Collection[Case], now: datetime) -> None:
    """Cancel what still runs or pauses, by a tick each."""
    clocks = list(Clock.objects.filter(case__in=[case.pk for case in cases], state__in=(RUNNING, PAUSED)))
    histories = find_ticks(clocks)
    added = [ClockTick(clock_id=clock.pk, kind=CANCELLED, at=max(now, histories[clock.pk][-1].at)) for clock in clocks]
    calendars = Calendars()
    for clock, tick in zip(clocks, added, strict=True):
        take_state(clock, replay([*histories[clock.pk], Tick(tick.kind, tick.at)], calendars))
    update_rows(clocks, *COUNTED)
    insert_rows(added)
    write_due(cases, [])


def take_ticks_back(case: Case, last_tick_id: int, now: datetime) -> None:
    """Let the clocks of a case stand as before the ticks after `last_tick_id`, then hold them to what is promised now."""
    newer = ClockTick.objects.filter(clock__case=case, pk__gt=last_tick_id)
    touched = list(Clock.objects.filter(pk__in=newer.values("clock_id")))
    newer.delete()
    histories = find_ticks(touched)
    Clock.objects.filter(pk__in=[clock.pk for clock in touched if not histories[clock.pk]]).delete()
    kept = [clock for clock in touched if histories[clock.pk]]
    calendars = Calendars()
    for clock in kept:
        take_state(clock, replay(histories[clock.pk], calendars))
    update_rows(kept, *COUNTED)
    write_due([case], Clock.objects.filter(case=case))
    if case.status in UNRESOLVED and case.channel.kind != ChannelKind.FILE:
        keep_clocks([Happening(case, FACTS, now, case.first_response_at is not None)])
