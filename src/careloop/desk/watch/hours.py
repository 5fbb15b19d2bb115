"""The look at the present day: each full hour, cases opened are judged by the hour wherever they are watched by day.

What it saw stands in the chart of the figure under `hours`: the end of the last hour judged, the last two days, and the spans of alarms.
"""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from careloop.desk.measures.hours import MEASURE, Hour, Span, judge_last_hours, last_full_hour
from careloop.desk.measures.queries import find_moment
from careloop.desk.measures.series import list_odd_days
from careloop.desk.watch.actions import open_alarm
from careloop.desk.watch.models import Alarm, Watched
from careloop.desk.watch.queries import list_expected, share_of_promise
from careloop.desk.watch.telling import tell

TOLD_BACK_HOURS = 24
KEPT_SPANS = 50


def look_at_hours(*, now: datetime) -> int:
    """Judge the hours that ended since the last look, of the last day, and open alarms; returns how many.

    Nothing is read before another hour is over and its cases are counted.
    """
    counted = find_moment(None)
    if counted is None:
        return 0
    until = last_full_hour(min(counted, now))
    found = Watched.objects.filter(until=None, measure=MEASURE, period=Watched.Period.DAY).order_by("pk")
    due = [one for one in found if one.chart.get("hours", {}).get("until") != until.isoformat()]
    if not due:
        return 0
    promise, odd, expected = share_of_promise(), list_odd_days(until.date()), list_expected()
    n_opened = 0
    for one in due:
        chosen = {name: value for name, value in (("team", one.team_id), ("category", one.category)) if value}
        days = [first + timedelta(days=day) for first, last in expected[one.pk] for day in range((last - first).days + 1)]
        judged = judge_last_hours(chosen, until, odd.closed | odd.made_up | set(days), false_alarms=promise)
        n_opened += _store(one.pk, judged, until, now)
    return n_opened


def _store(watched_id: int, judged: tuple[Hour, ...], until: datetime, now: datetime) -> int:
    """Keep the hours, and open or go on with alarms, in one transaction."""
    with transaction.atomic():
        held = Watched.objects.select_for_update().filter(pk=watched_id, until=None).first()
        if held is None:
            return 0
        before = held.chart.get("hours", {})
        oldest = until - timedelta(hours=TOLD_BACK_HOURS)
        after = max(oldest, datetime.fromisoformat(before["until"])) if before else oldest
        spans, opened = before.get("spans", {}), []
        for hour in judged:
            is_new = hour.span.until > after and hour.span.since.date() >= held.since
            if hour.alarm is not None and is_new and (alarm := _open(held, hour.alarm, now)) is not None:
                opened.append(alarm)
                spans[alarm.start.isoformat()] = _plain(hour.alarm)
        points = [_plain(one.span) | {"alarm": "single" if one.alarm else ""} for one in judged]
        kept = dict(sorted(spans.items())[-KEPT_SPANS:])
        held.chart = {**held.chart, "hours": {"until": until.isoformat(), "points": points, "spans": kept}}
        held.save(update_fields=["chart"])
        for alarm in opened:
            tell(alarm, now=now)
    return len(opened)


def _open(watched: Watched, span: Span, now: datetime) -> Alarm | None:
    """The alarm of the day on which the span ended."""
    day = (span.until - timedelta(seconds=1)).date()
    numbers: dict[str, Any] = {name: getattr(span, name) for name in ("value", "expected", "low", "high")}
    facts = {"sign": Alarm.Sign.SINGLE, "is_up": span.is_up, "n": int(span.value), **numbers}
    return open_alarm(watched, start=day, end=day, facts=facts, now=now)


def _plain(span: Span) -> dict[str, Any]:
    return asdict(span) | {"since": span.since.isoformat(), "until": span.until.isoformat()}
