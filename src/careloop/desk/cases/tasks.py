"""Jobs of cases."""

from datetime import UTC, datetime

from django.db import transaction
from django_tasks import task

from careloop.desk.cases import service_levels
from careloop.desk.cases.merged import lock_cases
from careloop.desk.cases.team_rows import carry_rows
from careloop.desk.jobs.actions import ensure_schedule

ESCALATE_SECONDS = 30


@task(priority=20)
def escalate() -> int:
    """Take the escalation steps whose time has come; returns how many."""
    return service_levels.escalate(now=datetime.now(UTC))


@task(priority=10)
def settle(case_ids: list[int]) -> None:
    """Let rows that were being written while cases were given to another team follow them; running it again does nothing."""
    with transaction.atomic():
        carry_rows(lock_cases(case_ids))


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedules; one that was switched off stays off."""
    ensure_schedule("escalate", escalate, ESCALATE_SECONDS, priority=20, now=now)
