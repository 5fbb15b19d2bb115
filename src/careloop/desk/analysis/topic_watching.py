"""Emerging topics: each of the last four weeks against those before it, once for each set of teams that somebody sees."""

from collections import Counter
from datetime import date, datetime, time

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from careloop.desk.accounts.models import User
from careloop.desk.accounts.rules import SEES_EVERY_TEAM
from careloop.desk.analysis.topic_models import TopicAlarm, TopicRun
from careloop.desk.analysis.topic_rules import WEEKS_TOLD, scope_of, weeks_until
from careloop.desk.kernel.slots import slot_of
from careloop.insight.topics.trends import Trend, find_emerging

Counted = Counter[tuple[int, int, int]]  # (week, team, topic; 0 for none) -> texts

COUNTS = """
    SELECT reading.slot, reading.team_id, found.topic_id, COUNT(*)
    FROM analysis_reading reading
    JOIN analysis_messagetopic found ON found.message_id = reading.message_id AND found.run_id = %s
    WHERE reading.slot >= %s AND reading.slot < %s AND reading.state = 'DONE'
    GROUP BY reading.slot, reading.team_id, found.topic_id
"""


def watch(run: TopicRun, *, now: datetime) -> int:
    """Look for emerging topics as of today, in place of what was found before; returns how many there are for the whole house."""
    zone = timezone.get_default_timezone()
    today = now.astimezone(zone).date()
    weeks = weeks_until(today)
    counted = _count(run, [slot_of(datetime.combine(day, time.min, zone)) for day in [first for first, _last in weeks]], slot_of(now) + 1)
    alarms = [alarm for teams in _list_scopes() for alarm in _find(run, counted, teams, weeks)]
    with transaction.atomic():
        TopicAlarm.objects.filter(run=run).delete()
        TopicAlarm.objects.bulk_create(alarms)
        TopicRun.objects.filter(pk=run.pk).update(watched_on=today)
    run.watched_on = today
    return sum(alarm.scope == "" for alarm in alarms)


def _list_scopes() -> list[frozenset[int] | None]:
    """Every set of teams that an active person sees; None is the whole house."""
    people = User.objects.filter(is_active=True).exclude(role__in=SEES_EVERY_TEAM).prefetch_related("teams")
    sets = {frozenset(team.pk for team in person.teams.all()) for person in people} - {frozenset()}
    return [None, *sorted(sets, key=sorted)]


def _count(run: TopicRun, starts: list[int], end: int) -> Counted:
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [run.pk, starts[0], end])
        rows = cursor.fetchall()
    counted: Counted = Counter()
    weeks = np.searchsorted(starts, [row[0] for row in rows], side="right") - 1
    for week, (_slot, team, topic, n) in zip(weeks.tolist(), rows, strict=True):
        counted[week, team, topic or 0] += n
    return counted


def _find(run: TopicRun, counted: Counted, teams: frozenset[int] | None, weeks: list[tuple[date, date]]) -> list[TopicAlarm]:
    """The alarms of one scope: those that each week would have given as it ended. Weeks before its first text are no history."""
    seen = {key: n for key, n in counted.items() if teams is None or key[1] in teams}
    numbers = sorted({topic for _week, _team, topic in seen if topic})
    places = {topic: place for place, topic in enumerate(numbers)}
    counts, totals = np.zeros((len(weeks), len(numbers)), dtype=np.int64), np.zeros(len(weeks), dtype=np.int64)
    for (week, _team, topic), n in seen.items():
        totals[week] += n
        if topic:
            counts[week, places[topic]] += n
    first = next((week for week, total in enumerate(totals) if total), len(weeks))
    alarms = []
    for end in range(max(first + 1, len(weeks) - WEEKS_TOLD + 1), len(weeks) + 1):
        since, until = weeks[end - 1]
        trend = Trend(tuple(start for start, _end in weeks[first:end]), counts[first:end], totals[first:end])
        alarms += [
            TopicAlarm(
                run=run, topic_id=numbers[one.topic], scope=scope_of(teams), since=since, until=until,
                count=one.count, expected=round(one.expected, 2), p_value=one.p_value,
            )
            for one in find_emerging(trend)
        ]  # fmt: skip
    return alarms
