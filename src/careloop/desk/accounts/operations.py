"""What people do to the running of the desk: jobs tried again or thrown away, in one transaction with their audit entry."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.jobs import actions as jobs
from careloop.desk.jobs.models import Job, State
from careloop.desk.kernel.errors import Conflict

MOST_AT_ONCE = 1_000


def retry_jobs(*, job_ids: Collection[int], viewer: Viewer, now: datetime) -> int:
    """Give dead jobs all their attempts again; returns how many. Conflict when none of them is dead any more."""
    check_may(viewer, "job.retry")
    with transaction.atomic():
        retried = jobs.retry_dead(job_ids=job_ids, now=now)
        _record("job.retry", retried, [job.pk for job in retried], viewer, now)
    return len(retried)


def discard_jobs(*, job_ids: Collection[int], viewer: Viewer, now: datetime) -> int:
    """Delete dead jobs for good; returns how many. Conflict when none of them is dead any more."""
    check_may(viewer, "job.retry")
    with transaction.atomic():
        ids = sorted(Job.objects.filter(pk__in=job_ids, state=State.DEAD).values_list("pk", flat=True))
        discarded = jobs.discard_dead(job_ids=ids)
        _record("job.discard", discarded, ids, viewer, now)
    return len(discarded)


def list_dead(*, task: str = "") -> list[int]:
    """The ids of dead jobs, perhaps of one task: the oldest 1,000, so that one click stays one short transaction."""
    dead = Job.objects.filter(state=State.DEAD)
    if task:
        dead = dead.filter(task=task)
    return list(dead.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])


def _record(action: str, done: list[Job], ids: list[int], viewer: Viewer, now: datetime) -> None:
    if not done:
        raise Conflict(_("None of these jobs is given up any more; somebody was quicker. Load the page again."))
    details = {"tasks": dict(Counter(job.task for job in done)), "jobs": ids}
    only = ids[0] if len(ids) == 1 else None
    audit.record(actor=actor_of(viewer), action=action, object_type="job", object_id=only, now=now, details=details)
