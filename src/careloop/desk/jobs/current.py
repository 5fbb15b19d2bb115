"""The job that this thread is running, for code that wants to say how far it is."""

from contextvars import ContextVar

from careloop.desk.jobs.models import Job, State

current_job: ContextVar[Job | None] = ContextVar("current_job", default=None)


def report_progress(*, done: int, total: int | None = None) -> bool:
    """Show on the jobs page how far the running job is; False outside a job or after its lease was lost."""
    job = current_job.get()
    if job is None:
        return False
    row = Job.objects.filter(pk=job.pk, fence=job.fence, state=State.RUNNING)
    return bool(row.update(progress={"done": done, "total": total}))
