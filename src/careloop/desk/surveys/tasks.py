"""Jobs of surveys."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.jobs.actions import ensure_schedule
from careloop.desk.surveys import inviting, reminding

ASK_SECONDS = 30


@task(priority=-10)
def ask() -> int:
    """Plan invitations for what was resolved, send what is due, remind whoever did not answer; returns how many letters left."""
    now = datetime.now(UTC)
    inviting.follow_events(now=now)
    return inviting.send_due(now=now) + reminding.remind_due(now=now)


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedule; one that was switched off stays off."""
    ensure_schedule("ask customers", ask, ASK_SECONDS, priority=-10, now=now)
