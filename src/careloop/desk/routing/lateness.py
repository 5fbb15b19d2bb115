"""How likely deadlines are missed, from how long the house took before."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from careloop.desk.cases.models import Case, Clock
from careloop.desk.routing.models import TimesTaken
from careloop.desk.routing.rules.queue import Late, PastTimes
from careloop.desk.sla.queries import Calendars
from careloop.desk.sla.rules.clocks import RUNNING

LEAST_ENDED = 50  # with fewer nothing is said
Past = Mapping[tuple[int, str], PastTimes]  # by level and target


def list_past_times() -> Past:
    """What is known about each promise of which enough cases have ended (one query)."""
    return {
        (one.level_id, one.target): PastTimes(one.seconds, one.shares, one.ended)
        for one in TimesTaken.objects.filter(ended__gte=LEAST_ENDED)
    }


def find_chances(clocks: Iterable[Clock], now: datetime, past: Past | None = None) -> dict[int, Late]:
    """By the number of each running clock that is not late: how likely it will be; none without enough history.

    P(T > target | T > elapsed) = S(target) / S(elapsed), T the working time that clocks of the same level and target took.
    """
    ahead = [one for one in clocks if one.state == RUNNING and one.level_id is not None and one.due_at is not None and one.due_at > now]
    if ahead and past is None:
        past = list_past_times()
    chances, calendars = {}, Calendars()
    for clock in ahead:
        times = (past or {}).get((clock.level_id or 0, clock.target))
        if times is not None:
            elapsed = clock.target_seconds - calendars[clock.calendar_id].measure(now, clock.due_at or now)
            chances[clock.pk] = Late(times.late_chance(elapsed, clock.target_seconds), times.ended)
    return chances


def chances_by_case(cases: Collection[Case], now: datetime, past: Past) -> dict[int, Late]:
    """By case, of those whose nearest deadline lies ahead and has a history: how likely it is missed (one query)."""
    due = {case.pk: case.due_at for case in cases if case.due_at is not None and case.due_at > now}
    if not due or not past:
        return {}
    clocks = [clock for clock in Clock.objects.filter(case_id__in=due, state=RUNNING) if clock.due_at == due[clock.case_id]]
    found = find_chances(clocks, now, past)
    return {clock.case_id: found[clock.pk] for clock in clocks if clock.pk in found}
