"""Jobs that keep the facts."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.jobs.actions import ensure_schedule
from careloop.desk.measures import actions

REFRESH_SECONDS = 60
RECOUNT_SECONDS = 24 * 3600


@task(priority=5)
def refresh_facts() -> int:
    """Follow what happened since the last time; counts parts of all cases for some seconds where that is due."""
    looked_at = 0
    for _round in range(100):
        part = actions.refresh(now=datetime.now(UTC))
        looked_at += part
        if part < actions.CASES_AT_ONCE:
            break
    return looked_at


@task(priority=1)
def recount_facts() -> None:
    """Count all cases anew, part by part: what changed without an event is found that way."""
    actions.recount(now=datetime.now(UTC))


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedules; one that was switched off stays off."""
    ensure_schedule("refresh_facts", refresh_facts, REFRESH_SECONDS, priority=5, now=now)
    ensure_schedule("recount_facts", recount_facts, RECOUNT_SECONDS, priority=1, now=now)
