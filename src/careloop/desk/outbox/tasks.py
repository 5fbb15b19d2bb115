"""The job that sends."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.outbox import delivery


@task()
def deliver(item_id: int) -> None:
    """Send one message to a customer; a failure is tried again with growing pauses."""
    delivery.deliver(item_id, now=datetime.now(UTC))
