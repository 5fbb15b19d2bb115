"""The django-tasks backend: a job is a row, written in the caller's own transaction."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.module_loading import import_string
from django_tasks.backends.base import BaseTaskBackend
from django_tasks.base import Task, TaskError, TaskResult, TaskResultStatus
from django_tasks.exceptions import TaskResultDoesNotExist

from careloop.desk.jobs.models import Job, State
from careloop.desk.jobs.rules import UnknownTask, error_class_path, policy_of, to_json
from careloop.desk.kernel.rows import insert_rows

STATUS_OF_STATE = {
    State.READY: TaskResultStatus.READY,
    State.RUNNING: TaskResultStatus.RUNNING,
    State.SUCCEEDED: TaskResultStatus.SUCCESSFUL,
    State.DEAD: TaskResultStatus.FAILED,
}


class LeaseBackend(BaseTaskBackend):
    """Jobs in our own database. Rolled back with the caller; at least once; worked off by `careloop worker`."""

    supports_defer = True
    supports_get_result = True
    supports_priority = True
    supports_async_task = True

    def enqueue(self, task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> TaskResult[Any]:
        """Insert one READY job now, inside whatever transaction the caller has open."""
        self.validate_task(task)
        job = new_job(task, args, kwargs)
        insert_rows([job])
        return result_of(job, task)

    def get_result(self, result_id: str) -> TaskResult[Any]:
        """The job as django-tasks sees it; a retrying job is READY, a dead one FAILED."""
        job = Job.objects.filter(pk=result_id).first() if str(result_id).isdecimal() else None
        if job is None:
            raise TaskResultDoesNotExist(f"There is no job {result_id!r}; it never existed or was trimmed after its end.")
        return result_of(job, load_task(job.task))


def new_job(task: Task[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], *, dedupe_key: str | None = None) -> Job:
    """An unsaved READY row for one call of a task, its arguments checked."""
    now = timezone.now()
    name = task.module_path
    return Job(
        task=name,
        args=[to_json(value, f"Argument {index} of {name}") for index, value in enumerate(args, start=1)],
        kwargs={key: to_json(value, f"Argument {key!r} of {name}") for key, value in kwargs.items()},
        queue=task.queue_name,
        priority=task.priority,
        dedupe_key=dedupe_key,
        enqueued_at=now,
        run_after=task.run_after or now,
        max_attempts=policy_of(task.func).max_attempts,
    )


def load_task(path: str) -> Task[..., Any]:
    """Import the task that a stored path names.

    Raises
    ------
    UnknownTask
        The module cannot be imported, or the name in it is no task.
    """
    try:
        found = import_string(path)
    except ImportError as error:
        raise UnknownTask(f"{path!r} cannot be imported ({error}); restore the task or discard the job.") from error
    if not isinstance(found, Task):
        raise UnknownTask(f"{path!r} is a {type(found).__name__}, expected a function under @task(); discard the job.")
    return found


def result_of(job: Job, task: Task[..., Any]) -> TaskResult[Any]:
    """A row as a django-tasks result; it remembers the last worker and the last error only."""
    result: TaskResult[Any] = TaskResult(
        task=task.using(priority=job.priority, queue_name=job.queue, run_after=job.run_after),
        id=str(job.pk),
        status=STATUS_OF_STATE[State(job.state)],
        enqueued_at=job.enqueued_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        last_attempted_at=job.started_at,
        args=job.args,
        kwargs=job.kwargs,
        backend=task.backend,
        errors=[TaskError(exception_class_path=error_class_path(job.last_error), traceback=job.last_error)] if job.last_error else [],
        worker_ids=[job.worker_id] * job.attempts,
    )
    object.__setattr__(result, "_return_value", job.result)
    return result
