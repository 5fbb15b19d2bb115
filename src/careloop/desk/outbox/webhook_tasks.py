"""The jobs that tell other systems."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.jobs.actions import ensure_schedule
from careloop.desk.outbox import webhooks

QUEUE_SECONDS = 15


@task()
def send_webhook(delivery_id: int) -> None:
    """Tell another system of one event; a failure is tried again with growing pauses."""
    webhooks.deliver(delivery_id, now=datetime.now(UTC))


@task()
def queue_webhooks() -> int:
    """Queue what is to be told since the last time; returns how many events were read."""
    return webhooks.queue_events(send_webhook.enqueue, now=datetime.now(UTC))


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedule; one that was switched off stays off."""
    ensure_schedule("queue webhooks", queue_webhooks, QUEUE_SECONDS, now=now)
