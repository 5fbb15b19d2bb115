"""The job that sends what was held."""

from datetime import UTC, datetime, time, timedelta

from django_tasks import task

from careloop.desk.jobs.actions import ensure_schedule
from careloop.desk.writing import actions
from careloop.desk.writing.models import HeldReply, HeldState, Presence

KEPT = timedelta(days=2)
TRIMMED_AT = time(4, 10)


@task(priority=30)
def send_held(held_id: int) -> None:
    """Send a held reply; running it again does nothing."""
    actions.send_held_reply(held_id=held_id, now=datetime.now(UTC))


@task(priority=-80)
def trim_presence() -> int:
    """Forget who had cases open days ago, and replies that were sent long since; returns how many rows went."""
    before = datetime.now(UTC) - KEPT
    gone = Presence.objects.filter(seen_at__lt=before).delete()[0]
    return gone + HeldReply.objects.exclude(state=HeldState.WAITING).filter(send_at__lt=before).delete()[0]


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedules; one that was switched off stays off."""
    ensure_schedule("forget who was here", trim_presence, daily_at=TRIMMED_AT, priority=-80, now=now)
