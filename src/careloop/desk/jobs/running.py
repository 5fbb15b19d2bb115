"""One attempt of one claimed job: begin, call, store the outcome. No threads here."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from random import Random, SystemRandom
from typing import Any

from django.db import connection
from django_tasks.base import Task, TaskContext

from careloop.desk.jobs import claims
from careloop.desk.jobs.backend import load_task, result_of
from careloop.desk.jobs.current import current_job
from careloop.desk.jobs.models import Job
from careloop.desk.jobs.rules import DEFAULT_RETRIES, LEASE_SECONDS, NotJson, policy_of, to_json

logger = logging.getLogger("careloop.jobs")


class OpenTransaction(RuntimeError):
    """A job would run, or has ended, inside a transaction: it could not commit its work step by step."""


@dataclass
class Runner:
    """Runs claimed jobs in the calling thread; `depth` is the number of transactions that a test has opened around it."""

    clock: Callable[[], datetime]
    lease_seconds: float = LEASE_SECONDS
    random: Random = field(default_factory=SystemRandom)
    depth: int = 0

    def run(self, job: Job) -> bool:
        """Make one attempt; False if the lease was lost before it began. An error of the job is stored, not raised."""
        if not claims.begin(job, now=self.clock(), lease_seconds=self.lease_seconds):
            return False
        token = current_job.set(job)
        policy = DEFAULT_RETRIES
        try:
            task = load_task(job.task)
            policy = policy_of(task.func)
            result = self._call(task, job)
        except BaseException as error:
            self._recover_connection()
            claims.fail(job, error=error, policy=policy, now=self.clock(), random=self.random)
            if isinstance(error, KeyboardInterrupt):
                raise
        else:
            self._recover_connection()
            claims.succeed(job, result=result, now=self.clock())
        finally:
            current_job.reset(token)
        return True

    def _call(self, task: Task[..., Any], job: Job) -> Any:
        """Call the task's function outside any transaction and check that it left none open."""
        self._check_no_transaction(f"Job {job.pk} ({job.task}) would begin inside a transaction of its worker.")
        first = [TaskContext(task_result=result_of(job, task))] if task.takes_context else []
        value = task.call(*first, *job.args, **job.kwargs)
        try:
            self._check_no_transaction(f"Job {job.pk} ({job.task}) left a transaction open; use `with transaction.atomic()`.")
        except OpenTransaction as error:
            self._roll_back(error)
            raise
        try:
            return to_json(value, f"The result of job {job.pk} ({job.task})")
        except NotJson as error:  # the work is done: doing it again would not help, so only the result is lost
            logger.warning("%s The job counts as done, its result is not kept.", error)
            return None

    def _check_no_transaction(self, sentence: str) -> None:
        if len(connection.atomic_blocks) != self.depth or (self.depth == 0 and not connection.get_autocommit()):
            raise OpenTransaction(sentence)

    def _roll_back(self, error: OpenTransaction) -> None:
        """Undo what the job left open, down to the transactions that were there before it."""
        while len(connection.atomic_blocks) > self.depth:
            connection.atomic_blocks[-1].__exit__(type(error), error, None)
        if self.depth == 0 and not connection.get_autocommit():
            connection.rollback()
            connection.set_autocommit(True)

    def _recover_connection(self) -> None:
        """Reconnect if the job's work broke the connection, so that the outcome can be written."""
        if self.depth == 0:
            connection.close_if_unusable_or_obsolete()
