"""The job that asks the language model."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.drafting import writing
from careloop.desk.jobs.rules import RetryPolicy, retries


@task(priority=20)
@retries(RetryPolicy(max_attempts=2))
def write(text_id: int) -> str:
    """Write one text; somebody is waiting, so a failure is told at once and not tried again."""
    return writing.write_text(text_id, clock=lambda: datetime.now(UTC))
