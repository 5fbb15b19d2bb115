"""How long the house took on each of its promises, from clocks that ended and those that still run; routing keeps it and judges by it."""

from datetime import datetime, timedelta

import numpy as np

from careloop.desk.cases.models import Clock
from careloop.desk.routing.actions import keep_times
from careloop.desk.sla.queries import Calendars
from careloop.desk.sla.rules.clocks import MET, RUNNING
from careloop.insight.stats import SurvivalCurve, fit_survival

MOST_CLOCKS = 2_000
HISTORY_DAYS = 180
MOST_STEPS = 200  # of a curve that is kept: no chance is off by more than half a point


def fit_times(*, now: datetime) -> int:
    """Look anew at how long each promise took in half a year; returns for how many of them something is known."""
    since = now - timedelta(days=HISTORY_DAYS)
    kept = Clock.objects.filter(level__isnull=False, started_at__gte=since).order_by().values_list("level_id", "target").distinct()
    pairs = sorted((level_id, target) for level_id, target in kept if level_id is not None)
    for level_id, target in pairs:
        curve = _curve(level_id, target, since, now)
        places = np.unique(np.linspace(0, len(curve.times) - 1, min(MOST_STEPS, len(curve.times))).round().astype(int))
        seconds, shares = curve.times[places].astype(int).tolist(), curve.survival[places].round(6).tolist()
        keep_times(level_id=level_id, target=target, seconds=seconds, shares=shares, ended=curve.n_ended, now=now)
    return len(pairs)


def _curve(level_id: int, target: str, since: datetime, now: datetime) -> SurvivalCurve:
    """The newest 2,000 clocks; those that run are censored at what they have counted, late ones at their target."""
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
