"""Jobs of the watch."""

from datetime import UTC, datetime

from django_tasks import task

from careloop.desk.jobs.actions import ensure_schedule
from careloop.desk.watch import actions, emerging, explanations, hours

JUDGE_SECONDS = 3600  # complete periods are judged once; judging again changes nothing
HOURS_SECONDS = 300  # an hour that is over is judged within as much
LOOK_SECONDS = 600  # whether explanations are missing or old is asked that often: after the first counting they come within minutes


@task(priority=1)
def judge_figures() -> int:
    """Judge the watched figures and tell of topics that emerged; returns how many alarms there were."""
    now = datetime.now(UTC)
    return actions.judge_figures(now=now) + emerging.tell_topics(now=now)


@task(priority=1)
def look_at_hours() -> int:
    """Judge the hours of the present day where volumes are watched; returns how many alarms there were."""
    return hours.look_at_hours(now=datetime.now(UTC))


@task(priority=1)
def explain_cases() -> int:
    """Explain what makes cases slow and customers content, for the house and each team, where that was not done within a day; returns
    how many were explained.
    """
    now = datetime.now(UTC)
    return explanations.explain_house(now=now) if explanations.is_due(now) else 0


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedules; one that was switched off stays off."""
    ensure_schedule("judge figures", judge_figures, JUDGE_SECONDS, priority=1, now=now)
    ensure_schedule("look at hours", look_at_hours, HOURS_SECONDS, priority=1, now=now)
    ensure_schedule("explain cases", explain_cases, LOOK_SECONDS, priority=1, now=now)
