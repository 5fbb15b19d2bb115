"""Jobs of working together."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.jobs.actions import ensure_schedule
from careloop.desk.teamwork import case_tasks, following, leaving, snoozes

FOLLOW_SECONDS = 15
REMIND_SECONDS = 60


@task(priority=10)
def follow_events() -> int:
    """Tell mentioned people and followers what happened; returns how many events were read."""
    return following.follow_events(now=datetime.now(UTC))


@task(priority=10)
def remind() -> int:
    """Give back the tasks of people who left, tell people of due ones, and bring snoozed cases back; returns how many."""
    now = datetime.now(UTC)
    return leaving.return_tasks(now=now) + case_tasks.remind_of_tasks(now=now) + snoozes.wake_cases(now=now)


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedules; one that was switched off stays off."""
    ensure_schedule("follow events", follow_events, FOLLOW_SECONDS, priority=10, now=now)
    ensure_schedule("remind", remind, REMIND_SECONDS, priority=10, now=now)
