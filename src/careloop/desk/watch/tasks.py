"""Jobs of the watch."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.jobs.actions import ensure_schedule
from careloop.desk.watch import actions

JUDGE_SECONDS = 6 * 3600  # complete periods are judged once; judging again changes nothing


@task(priority=1)
def judge_figures() -> int:
    """Judge the watched figures; returns how many alarms were opened."""
    return actions.judge_figures(now=datetime.now(UTC))


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedule; one that was switched off stays off."""
    ensure_schedule("judge figures", judge_figures, JUDGE_SECONDS, priority=1, now=now)
