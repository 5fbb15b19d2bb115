"""Jobs of routing."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.jobs.actions import ensure_schedule
from careloop.desk.routing import actions

ROUTE_SECONDS = 10
WEIGH_SECONDS = 30


@task(priority=20)
def route() -> int:
    """Give out the waiting cases of teams that route; returns how many were given out or suggested."""
    done = actions.route_waiting(now=datetime.now(UTC))
    return done.assigned + done.suggested


@task(priority=10)
def weigh() -> int:
    """Keep the order by what matters most fresh; returns how many cases changed their place."""
    return actions.refresh_weights(now=datetime.now(UTC))


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedules; one that was switched off stays off."""
    ensure_schedule("route", route, ROUTE_SECONDS, priority=20, now=now)
    ensure_schedule("weigh", weigh, WEIGH_SECONDS, priority=10, now=now)
