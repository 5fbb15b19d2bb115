"""Jobs of reports."""

from datetime import UTC, datetime

from django.db import transaction
from django_tasks import task

from careloop.desk.jobs.actions import ensure_schedule
from careloop.desk.reports import mail_sending

LOOK_SECONDS = 120


@task(priority=1)
def mail_reports() -> int:
    """Queue the reports that have become due; returns how many."""
    with transaction.atomic():  # a mail that is noted is queued
        new = mail_sending.note_due(now=datetime.now(UTC))
        for number in new:
            mail_report.enqueue(number)
    return len(new)


@task(priority=1)
def mail_report(mail_id: int) -> None:
    """Send one; a failure is tried again by the queue."""
    mail_sending.send(mail_id=mail_id, now=datetime.now(UTC))


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedule; one that was switched off stays off."""
    ensure_schedule("mail reports", mail_reports, LOOK_SECONDS, priority=1, now=now)
