"""Tasks that the tests of the queue run; `seen` tells what they did."""

from django.db import connection, transaction
from django_tasks import task

from careloop.desk.jobs import actions
from careloop.desk.jobs.current import report_progress
from careloop.desk.jobs.models import Job
from careloop.desk.jobs.rules import GiveUp, RetryPolicy, retries

seen: list = []
workers: list = []


@task()
def note(*values):
    """Remember the arguments and return them."""
    seen.append(values)
    return list(values)


@task(priority=40, queue_name="mail")
def send(address, *, subject=""):
    """Has a priority and a queue of its own."""
    seen.append((address, subject))


@task()
def fail(text):
    """Always raises."""
    seen.append(text)
    raise ValueError(text)


@task()
@retries(RetryPolicy(max_attempts=2, first_pause_seconds=100, growth=1, never_retry=(KeyError,)))
def fail_with_policy(kind):
    """Tried twice, unless the error is a KeyError or GiveUp."""
    raise {"key": KeyError, "give up": GiveUp, "value": ValueError}[kind](kind)


@task()
def exit_process():
    """What a library does that calls sys.exit."""
    raise SystemExit(3)


@task(takes_context=True)
def tell_attempt(context):
    """Return the attempt's number."""
    return [context.attempt, context.task_result.id]


@task()
async def later(value):
    """A coroutine."""
    return value + 1


@task()
def return_object():
    """Its result cannot be stored."""
    return object()


@task()
def enqueue_more(count):
    """Jobs may queue jobs."""
    if count:
        enqueue_more.enqueue(count - 1)


@task()
def count_transactions():
    """How many transactions surround the job."""
    return len(connection.atomic_blocks)


@task()
def leave_transaction_open():
    """A programming error."""
    transaction.atomic().__enter__()
    actions.enqueue_once(note, "left open")


@task()
def leave_autocommit_off():
    """Another one."""
    transaction.set_autocommit(False)


@task()
def tell_progress():
    """Return what the jobs page shows meanwhile."""
    written = report_progress(done=3, total=7)
    return [written, Job.objects.get(state="RUNNING").progress]


def note_body(name):
    """Replaced by a test that needs the job to do something at a moment of its own."""


@task()
def call_note_body(name):
    """Do what the test put there."""
    note_body(name)


not_a_task = 5
