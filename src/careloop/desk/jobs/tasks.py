"""The queue's own housekeeping, as jobs."""

from django.utils import timezone
from django_tasks import task

from careloop.desk.jobs import actions
from careloop.desk.jobs.rules import RetryPolicy, retries


@task(priority=-90)
@retries(RetryPolicy(max_attempts=2))
def trim_finished() -> int:
    """Delete jobs that succeeded long ago; returns how many."""
    return actions.trim_finished(now=timezone.now())
