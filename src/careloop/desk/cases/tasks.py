"""Jobs of cases."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.cases import service_levels
from careloop.desk.jobs.actions import ensure_schedule

ESCALATE_SECONDS = 30


@task(priority=20)
def escalate() -> int:
    """Take the escalation steps whose time has come; returns how many."""
    return service_levels.escalate(now=datetime.now(UTC))


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedules; one that was switched off stays off."""
    ensure_schedule("escalate", escalate, ESCALATE_SECONDS, priority=20, now=now)
