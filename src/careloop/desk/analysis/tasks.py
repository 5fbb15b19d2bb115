"""Jobs of the reading engine."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.analysis import actions


@task()
def understand(message_ids: list[int]) -> int:
    """Read new messages; running it again reads only what is still unread."""
    return actions.understand(message_ids, now=datetime.now(UTC))
