"""Cases opened by the hour, as the watch looks at them on the same day; one statement."""

from collections.abc import Collection
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from django.utils import timezone

from careloop.desk.measures.reading import Facts, Question
from careloop.desk.measures.rules.definitions import MEASURES
from careloop.desk.measures.series import EVERYTHING
from careloop.insight.service.hours import WEEK, WEEKS_LEARNT, Hour, Hours, Span, judge_hours

__all__ = ["HOURS_JUDGED", "MEASURE", "Hour", "Span", "judge_last_hours", "last_full_hour", "read_hours"]

MEASURE = "opened"
HOUR = 3600
HOURS_JUDGED = 48


def last_full_hour(moment: datetime) -> datetime:
    """The end of the last hour that is over, by the clock of the house."""
    return timezone.localtime(moment).replace(minute=0, second=0, microsecond=0)


def read_hours(chosen: dict[str, Any], until: datetime, left_out: Collection[date] = ()) -> Hours:
    """Cases opened in each hour until a full one: those judged, and what they are compared with."""
    n, end = HOURS_JUDGED + 24 + WEEKS_LEARNT * WEEK, int(until.timestamp())
    first, day = end - n * HOUR, timedelta(days=1)  # facts keep the day by the zone in which they were counted
    question = Question((MEASURE,), since=(until - timedelta(hours=n)).date() - day, until=until.date() + day, chosen=chosen)
    seconds = Facts(question, EVERYTHING, until).columns(MEASURES[MEASURE], ["f.opened_second"])[0]
    counts = np.bincount((seconds[(seconds >= first) & (seconds < end)] - first) // HOUR, minlength=n)
    starts = tuple(timezone.localtime(datetime.fromtimestamp(first + place * HOUR, UTC)) for place in range(n))
    return Hours(starts, counts.astype(np.float64), left_out)


def judge_last_hours(chosen: dict[str, Any], until: datetime, left_out: Collection[date], *, false_alarms: float) -> tuple[Hour, ...]:
    """The last two days before a full hour, judged, so that quiet ones alarm at most so often a quarter."""
    return judge_hours(read_hours(chosen, until, left_out), judged=HOURS_JUDGED, false_alarms=false_alarms)
