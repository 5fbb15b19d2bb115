"""What a worker does to rows: claim, begin, extend, end, put back. After the claim every write is fenced.

One code path for both databases: PostgreSQL skips rows that another worker is claiming (SKIP LOCKED); SQLite has one
writer at a time (IMMEDIATE transactions), so there is nothing to skip.
"""

import json
import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet

from careloop.desk.jobs.models import Job, State
from careloop.desk.jobs.rules import RetryPolicy, WorkerLost, error_text

logger = logging.getLogger("careloop.jobs")
CLAIM_ORDER = ("-priority", "run_after", "id")


def claim(
    *, worker_id: str, now: datetime, lease_seconds: float, limit: int, queues: Collection[str] = (), least_priority: int | None = None
) -> list[Job]:
    """Take up to `limit` due jobs, the most urgent first; no two workers ever get the same one."""
    due = Job.objects.filter(state=State.READY, run_after__lte=now).order_by(*CLAIM_ORDER)
    if least_priority is not None:
        due = due.filter(priority__gte=least_priority)
    if queues:
        due = due.filter(queue__in=queues)
    if not due.exists():  # a plain read first: an idle worker never asks SQLite for its only write lock
        return []
    lease_until = now + timedelta(seconds=lease_seconds)
    with transaction.atomic():
        jobs = list(due.select_for_update(skip_locked=True)[:limit])
        Job.objects.filter(pk__in=[job.pk for job in jobs]).update(
            state=State.RUNNING, worker_id=worker_id, lease_until=lease_until, started_at=None, fence=F("fence") + 1
        )
    for job in jobs:
        job.state, job.worker_id, job.lease_until, job.started_at = State.RUNNING, worker_id, lease_until, None
        job.fence += 1
    return jobs


def begin(job: Job, *, now: datetime, lease_seconds: float) -> bool:
    """Count an attempt and renew the lease, immediately before the job's code runs; False if the job is not ours any more."""
    lease_until = now + timedelta(seconds=lease_seconds)
    times = [connection.ops.adapt_datetimefield_value(moment) for moment in (now, lease_until)]
    if not _write(job, "attempts = attempts + 1, progress = NULL, started_at = %s, lease_until = %s", times):
        return False
    job.attempts += 1
    job.started_at, job.lease_until = now, lease_until
    return True


def extend(job_ids: Collection[int], *, worker_id: str, now: datetime, lease_seconds: float) -> int:
    """Renew the leases of jobs that this worker still holds; returns how many those are."""
    held = Job.objects.filter(pk__in=job_ids, worker_id=worker_id, state=State.RUNNING)
    return held.update(lease_until=now + timedelta(seconds=lease_seconds))


def succeed(job: Job, *, result: Any, now: datetime) -> bool:
    """Store the end of a good attempt; False and a warning if somebody else has the job by now."""
    values = [connection.ops.adapt_datetimefield_value(now), None if result is None else json.dumps(result)]
    done = _write(job, "state = 'SUCCEEDED', lease_until = NULL, finished_at = %s, result = %s", values)
    return _told(job, done, "success")


def fail(job: Job, *, error: BaseException, policy: RetryPolicy, now: datetime, random: Random) -> bool:
    """Store a failed attempt: the job rests and is tried again, or goes to the dead letters; False if not ours any more."""
    text = error_text(error)
    if policy.is_final(error) or job.attempts >= job.max_attempts:
        dead = _ours(job).update(state=State.DEAD, last_error=text, finished_at=now, lease_until=None)
        logger.error("Job %s (%s) given up after attempt %s: %s", job.pk, job.task, job.attempts, text.partition("\n")[0])
        return _told(job, bool(dead), "failure")
    pause = timedelta(seconds=policy.pause_after(job.attempts, random))
    logger.info("Job %s (%s) failed, again in %s: %s", job.pk, job.task, pause, text.partition("\n")[0])
    return _told(job, put_back(_ours(job), run_after=now + pause, last_error=text), "failure")


def release(jobs: Sequence[Job]) -> int:
    """Hand back claimed jobs that were never begun, as if they had not been claimed; returns how many."""
    if not jobs:
        return 0
    plain = Job.objects.filter(
        pk__in=[job.pk for job in jobs if job.dedupe_key is None],
        worker_id=jobs[0].worker_id, state=State.RUNNING, started_at=None,
    )  # fmt: skip
    released = plain.update(state=State.READY, lease_until=None)
    return released + sum(put_back(_ours(job).filter(started_at=None)) for job in jobs if job.dedupe_key is not None)


def recover_expired(*, now: datetime) -> int:
    """Make jobs of silent workers claimable again; one that took its worker down at every attempt is given up."""
    return sum(_recover(job, now) for job in Job.objects.filter(state=State.RUNNING, lease_until__lt=now))


def _recover(job: Job, now: datetime) -> bool:
    """Take one job from its silent worker, unless the worker has renewed the lease or another has been here first."""
    row = _ours(job).filter(lease_until__lt=now)
    if job.started_at is None:
        return put_back(row)
    lost = WorkerLost(
        f"Worker {job.worker_id} was silent since before {job.lease_until:%Y-%m-%d %H:%M:%S} UTC while it ran attempt "
        f"{job.attempts} of {job.max_attempts}; it was killed, or the machine stopped."
    )
    if job.attempts >= job.max_attempts:
        changes = {"state": State.DEAD, "last_error": error_text(lost), "finished_at": now, "lease_until": None}
        is_recovered = bool(row.update(**changes))
    else:
        is_recovered = put_back(row, run_after=now, last_error=error_text(lost))
    if is_recovered:
        logger.warning("Job %s (%s): %s", job.pk, job.task, lost)
    return is_recovered


def put_back(row: QuerySet[Job], **changes: Any) -> bool:
    """Make one row READY; it gives up its dedupe key if a younger job waits under the same key."""
    changes |= {"state": State.READY, "lease_until": None, "started_at": None}
    try:
        with transaction.atomic():
            return bool(row.update(**changes))
    except IntegrityError:
        return bool(row.update(dedupe_key=None, **changes))


def _write(job: Job, assignments: str, values: list[Any]) -> bool:
    """One fenced update in plain SQL: two of them are most of a small job's cost (0.07 ms each, through the ORM 0.5 ms).

    PostgreSQL need not flush it to disk at once: lost in a power cut, the job merely runs again. `set_config` inside the
    statement costs no round trip; SET LOCAL would cost three.
    """
    unhurried = " AND set_config('synchronous_commit', 'off', true) IS NOT NULL" if connection.vendor == "postgresql" else ""
    sql = f"UPDATE jobs_job SET {assignments} WHERE id = %s AND fence = %s AND state = 'RUNNING'{unhurried}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, job.pk, job.fence])
        return bool(cursor.rowcount)


def _ours(job: Job) -> QuerySet[Job]:
    """The row, but only as long as nobody claimed it after us."""
    return Job.objects.filter(pk=job.pk, fence=job.fence, state=State.RUNNING)


def _told(job: Job, is_written: bool, outcome: str) -> bool:
    """Pass on whether the outcome was written, and say so in the log if not."""
    if not is_written:
        logger.warning(
            "Job %s (%s): worker %s lost its lease before attempt %s ended; its %s is discarded, the newer claim counts.",
            job.pk, job.task, job.worker_id, job.attempts, outcome,
        )  # fmt: skip
    return is_written
