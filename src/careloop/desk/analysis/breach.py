"""How likely a running deadline is missed, from how long the house took before; open cases count as not over yet."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from careloop.desk.cases.models import Clock
from careloop.desk.sla.queries import Calendars
from careloop.desk.sla.rules.clocks import MET, RUNNING
from careloop.insight.stats import SurvivalCurve, fit_survival

LEAST_ENDED = 50  # with fewer nothing is said
MOST_CLOCKS = 2_000
HISTORY_DAYS = 180
REFRESH_SECONDS = 600


def find_chances(clocks: Iterable[Clock], now: datetime) -> dict[int, float]:
    """By the number of each running clock that is not late: the probability (0–1) that it will be; none without enough history.

    P(T > target | T > elapsed) = S(target) / S(elapsed), T the working time that clocks of the same level and target took.
    """
    chances, calendars = {}, Calendars()
    for clock in clocks:
        if clock.state != RUNNING or clock.due_at is None or clock.due_at <= now or clock.level_id is None:
            continue
        curve = _curve(clock.level_id, clock.target, int(now.timestamp()) // REFRESH_SECONDS)
        if curve.n_ended < LEAST_ENDED:
            continue
        elapsed = clock.target_seconds - calendars[clock.calendar_id].measure(now, clock.due_at)
        still = curve.at(max(elapsed, 0))
        chances[clock.pk] = curve.at(clock.target_seconds) / still if still > 0 else 1.0
    return chances


@lru_cache(maxsize=200)
def _curve(level_id: int, target: str, tenth_minute: int) -> SurvivalCurve:
    """The newest 2,000 clocks of half a year; those that run are censored at what they have counted, late ones at their target."""
    now = datetime.fromtimestamp(tenth_minute * REFRESH_SECONDS).astimezone()
    since = now - timedelta(days=HISTORY_DAYS)
    rows = Clock.objects.filter(level_id=level_id, target=target, started_at__gte=since).order_by("-pk")[:MOST_CLOCKS]
    calendars = Calendars()
    durations, ended = [], []
    for clock in rows:
        counted = clock.elapsed_seconds
        if clock.state == RUNNING and clock.due_at is not None:
            left = calendars[clock.calendar_id].measure(now, clock.due_at)
            counted = max(counted, clock.target_seconds - left)
        durations.append(counted)
        ended.append(clock.state == MET)
    return fit_survival(durations, ended)
