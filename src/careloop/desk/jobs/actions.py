"""Queueing with a key, schedules, dead letters, trimming. Who did it is written down by the caller (web, command line)."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django_tasks.base import Task

from careloop.desk.jobs.backend import load_task, new_job
from careloop.desk.jobs.claims import put_back
from careloop.desk.jobs.models import Heartbeat, Job, Schedule, State
from careloop.desk.jobs.rules import RetryPolicy, UnknownTask, next_run, policy_of, to_json
from careloop.desk.kernel.errors import InvalidInput

KEEP_DAYS = 7


def enqueue_once(task: Task[..., Any], key: str, *args: Any, **kwargs: Any) -> bool:
    """Queue a job unless one is waiting under the same key; False if so. Decided by the database, so it holds under load."""
    return _insert_once(new_job(task, args, kwargs, dedupe_key=key))


def enqueue_many(task: Task[..., Any], calls: Iterable[Sequence[Any]], *, batch: int = 500) -> int:
    """Queue one job for each tuple of arguments, many rows a statement; returns how many."""
    return len(Job.objects.bulk_create([new_job(task, args, {}) for args in calls], batch_size=batch))


def ensure_schedule(  # noqa: PLR0913 - a schedule is a row with these columns
    name: str,
    task: Task[..., Any],
    every_seconds: int | None = None,
    *,
    daily_at: time | None = None,
    args: Sequence[Any] = (),
    priority: int = 0,
    now: datetime | None = None,
) -> Schedule:
    """Make or update the schedule of this name; its next due time stays unless its rhythm changed.

    Give `every_seconds` or `daily_at` (a time of the house's zone). One that an operator switched off stays off.
    """
    now = now or timezone.now()
    columns = {"task": task.module_path, "args": to_json(list(args), f"The arguments of schedule {name!r}"), "priority": priority}
    rhythm = {"every_seconds": every_seconds, "daily_at": daily_at}
    first = next_run(now, now, zone=timezone.get_default_timezone(), **rhythm)  # type: ignore[arg-type]
    schedule, is_new = Schedule.objects.get_or_create(name=name, defaults={**columns, **rhythm, "next_run_at": first})
    if not is_new:
        changed = {key: value for key, value in {**columns, **rhythm}.items() if getattr(schedule, key) != value}
        if changed.keys() & rhythm.keys():
            changed["next_run_at"] = first
        if changed:
            Schedule.objects.filter(pk=schedule.pk).update(**changed)
            schedule.refresh_from_db()
    return schedule


def fire_schedules(*, now: datetime) -> int:
    """Queue what is due, each due time once however many workers look; returns how many jobs were queued.

    Times missed while no worker ran are one run. A run that still waits is not queued a second time.
    """
    fired = 0
    for schedule in Schedule.objects.filter(is_active=True, next_run_at__lte=now):
        following = next_run(
            schedule.next_run_at, now, every_seconds=schedule.every_seconds, daily_at=schedule.daily_at,
            zone=timezone.get_default_timezone(),
        )  # fmt: skip
        with transaction.atomic():
            still_due = Schedule.objects.filter(pk=schedule.pk, is_active=True, next_run_at=schedule.next_run_at)
            if still_due.update(next_run_at=following, last_run_at=now):
                fired += _insert_once(_scheduled_job(schedule, now))
    return fired


def retry_dead(*, job_ids: Collection[int], now: datetime) -> list[Job]:
    """Give dead jobs all their attempts again, at once; returns those that were dead. The caller writes the audit entry."""
    with transaction.atomic():
        dead = list(Job.objects.select_for_update().filter(pk__in=job_ids, state=State.DEAD).order_by("id"))
        changes = {"run_after": now, "attempts": 0, "finished_at": None}
        plain = [job.pk for job in dead if job.dedupe_key is None]
        Job.objects.filter(pk__in=plain).update(state=State.READY, started_at=None, lease_until=None, **changes)
        for job in dead:
            if job.dedupe_key is not None:
                put_back(Job.objects.filter(pk=job.pk, state=State.DEAD), **changes)
        ids = [job.pk for job in dead]
        return list(Job.objects.filter(pk__in=ids).order_by("id"))


def discard_dead(*, job_ids: Collection[int]) -> list[Job]:
    """Delete dead jobs for good; returns what was deleted, for the caller's audit entry."""
    with transaction.atomic():
        dead = list(Job.objects.select_for_update().filter(pk__in=job_ids, state=State.DEAD).order_by("id"))
        Job.objects.filter(pk__in=[job.pk for job in dead]).delete()
    return dead


def set_schedule_active(*, name: str, is_active: bool) -> Schedule:
    """Switch a schedule off or on; switched on again it fires once if a due time has passed."""
    if not Schedule.objects.filter(name=name).update(is_active=is_active):
        raise InvalidInput(f"There is no schedule {name!r}; expected one of those on the jobs page.", field="name")
    return Schedule.objects.get(name=name)


def trim_finished(*, now: datetime, keep_days: int = KEEP_DAYS, batch: int = 1_000) -> int:
    """Delete jobs that succeeded more than `keep_days` ago, a batch a transaction; dead letters stay. Returns how many."""
    Heartbeat.objects.filter(seen_at__lt=now - timedelta(days=1)).delete()
    old = Job.objects.filter(state=State.SUCCEEDED, finished_at__lt=now - timedelta(days=keep_days)).order_by("finished_at")
    trimmed = 0
    while ids := list(old.values_list("pk", flat=True)[:batch]):
        trimmed += Job.objects.filter(pk__in=ids).delete()[0]
    return trimmed


def _insert_once(job: Job) -> bool:
    """Insert a job with a key, or nothing if a READY one has it; a concurrent insert of the same key is waited for."""
    length = len(job.dedupe_key or "")
    if not 1 <= length <= 200:
        raise InvalidInput(f"The key of a job has {length} characters; expected 1 to 200.", field="key")
    try:
        with transaction.atomic():
            job.save(force_insert=True)
    except IntegrityError as error:
        if "dedupe" not in str(error):
            raise
        return False
    return True


def _scheduled_job(schedule: Schedule, now: datetime) -> Job:
    """The job of one due time; an unknown task is queued all the same, and ends on the jobs page with its reason."""
    try:
        task: Task[..., Any] | None = load_task(schedule.task)
    except UnknownTask:
        task = None
    return Job(
        task=schedule.task, args=schedule.args, priority=schedule.priority, enqueued_at=now, run_after=now,
        dedupe_key=f"schedule:{schedule.name}", queue=task.queue_name if task else "default",
        max_attempts=(policy_of(task.func) if task else RetryPolicy()).max_attempts,
    )  # fmt: skip
