"""Jobs of solutions."""

from datetime import UTC, datetime, time

from django_tasks import task

from careloop.desk.jobs.actions import ensure_schedule
from careloop.desk.solutions import actions, answering, automatic, using

LOOK_SECONDS = 30
NIGHTLY_AT = time(4, 10)


def clock() -> datetime:
    """The time of day."""
    return datetime.now(UTC)


@task(priority=-10)
def look_at_new_cases() -> int:
    """Note the likeliest solution of new cases, answer them where that is on, and see which solutions went out."""
    using.note_uses(now=clock())
    return answering.look_at_new_cases(now=clock())


@task(priority=-50)
def keep_vectors() -> int:
    """Make what screens compare the library with; the first library gets its threshold, too."""
    n = actions.keep_vectors()
    if automatic.get_policy().derived_at is None:
        derive_threshold.enqueue()
    return n


@task(priority=-50)
def derive_threshold() -> float | None:
    """Derive the threshold of automatic replies from held-back cases."""
    return automatic.derive_threshold(now=clock()).threshold


@task(priority=-50)
def nightly() -> int:
    """Find out which replies have helped, derive the threshold anew, and remind of reviews that are due; returns how many are due."""
    using.judge_uses(now=clock())
    automatic.derive_threshold(now=clock())
    return actions.remind_of_reviews(now=clock())


def ensure_schedules(*, now: datetime | None = None) -> None:
    """Make the schedules; one that was switched off stays off."""
    ensure_schedule("look for solutions", look_at_new_cases, LOOK_SECONDS, priority=-10, now=now)
    ensure_schedule("judge solutions", nightly, daily_at=NIGHTLY_AT, priority=-50, now=now)
