"""Jobs of rules."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.automation import judging, time_rules
from careloop.desk.jobs.actions import ensure_schedule

EVENT_SECONDS = 2
TIME_SECONDS = 60


@task(priority=30)
def judge_new_events() -> int:
    """Ask the rules about what happened; returns how many events were judged."""
    return judging.judge_new_events(now=datetime.now(UTC))


@task(priority=5)
def judge_time() -> int:
    """Ask the rules by time; returns how often one acted."""
    return time_rules.judge_time(now=datetime.now(UTC))


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedules; one that was switched off stays off."""
    ensure_schedule("rules", judge_new_events, EVENT_SECONDS, priority=30, now=now)
    ensure_schedule("rules-by-time", judge_time, TIME_SECONDS, priority=5, now=now)
