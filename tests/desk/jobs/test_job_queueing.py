"""Enqueueing: in the caller's transaction, with checked arguments, once under a key."""

from datetime import timedelta

import job_work
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_tasks import TaskResultStatus
from django_tasks.exceptions import InvalidTaskError, TaskResultDoesNotExist

from careloop.desk.jobs import actions
from careloop.desk.jobs.models import Job
from careloop.desk.jobs.rules import NotJson
from careloop.desk.kernel.errors import InvalidInput

pytestmark = pytest.mark.django_db


def test_a_job_is_one_row_written_by_one_statement(clock):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        result = job_work.send.enqueue("a@b.example", subject="退款")
    assert len(queries) == 1
    job = Job.objects.get(pk=result.id)
    assert (job.task, job.args, job.kwargs) == ("job_work.send", ["a@b.example"], {"subject": "退款"})
    assert (job.priority, job.queue, job.state, job.max_attempts) == (40, "mail", "READY", 8)
    assert (job.enqueued_at, job.run_after, job.attempts, job.fence) == (clock.now, clock.now, 0, 0)


@pytest.mark.django_db(transaction=True)
def test_a_job_is_rolled_back_with_the_callers_transaction(clock):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        job_work.note.enqueue(1)
        assert Job.objects.count() == 1
        raise ZeroDivisionError
    assert Job.objects.count() == 0


def test_options_given_at_the_call_win(clock):
    later = clock.now + timedelta(hours=1)
    result = job_work.send.using(priority=-50, queue_name="slow", run_after=later).enqueue("x")
    job = Job.objects.get(pk=result.id)
    assert (job.priority, job.queue, job.run_after) == (-50, "slow", later)


def test_a_priority_out_of_range_is_refused(clock):
    with pytest.raises(InvalidTaskError, match="between -100 and 100"):
        job_work.note.using(priority=101)


def test_arguments_that_json_cannot_carry_are_refused_and_nothing_is_written(clock):
    with pytest.raises(NotJson) as refusal:
        job_work.note.enqueue(1, clock.now)
    assert str(refusal.value) == (
        "Argument 2 of job_work.note is a datetime.datetime; a job's arguments must be None, bool, int, float, str, list "
        "or dict. Pass an id or a text, and load the object inside the job."
    )
    with pytest.raises(NotJson, match=r"Argument 'subject' of job_work\.send is a builtins.bytes"):
        job_work.send.enqueue("x", subject=b"")
    assert Job.objects.count() == 0


def test_result_follows_the_job(worker):
    result = job_work.note.enqueue("退款", 2)
    assert (result.status, result.is_finished) == (TaskResultStatus.READY, False)
    worker.run_until_empty()
    result.refresh()
    assert (result.status, result.return_value, result.attempts) == (TaskResultStatus.SUCCESSFUL, ["退款", 2], 1)
    assert (result.worker_ids, result.errors, result.finished_at) == (["w1"], [], worker.clock())


def test_result_of_a_dead_job_tells_its_error(worker):
    result = job_work.fail_with_policy.enqueue("give up")
    worker.run_until_empty()
    result.refresh()
    assert result.status == TaskResultStatus.FAILED
    assert result.errors[0].exception_class_path == "careloop.desk.jobs.rules.GiveUp"


@pytest.mark.parametrize("result_id", ["0", "99999", "abc", ""])
def test_an_unknown_result_is_told_apart(result_id, clock):
    with pytest.raises(TaskResultDoesNotExist):
        job_work.note.get_result(result_id)


def test_one_waiting_job_a_key(clock):
    assert actions.enqueue_once(job_work.note, "mailbox 7", 1) is True
    assert actions.enqueue_once(job_work.note, "mailbox 7", 2) is False
    assert actions.enqueue_once(job_work.note, "mailbox 8", 3) is True
    assert list(Job.objects.order_by("id").values_list("args", flat=True)) == [[1], [3]]


def test_a_key_is_free_again_once_its_job_is_claimed(worker):
    actions.enqueue_once(job_work.note, "k", 1)
    worker.run_until_empty()
    assert actions.enqueue_once(job_work.note, "k", 2) is True


def test_a_refused_duplicate_leaves_the_callers_transaction_usable(clock):
    with transaction.atomic():
        actions.enqueue_once(job_work.note, "k", 1)
        actions.enqueue_once(job_work.note, "k", 2)
        job_work.note.enqueue(3)
    assert Job.objects.count() == 2


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_has_1_to_200_characters(key, clock):
    with pytest.raises(InvalidInput, match="expected 1 to 200"):
        actions.enqueue_once(job_work.note, key)
    assert Job.objects.count() == 0


def test_many_jobs_in_few_statements(clock):
    with CaptureQueriesContext(connection) as queries:
        assert actions.enqueue_many(job_work.note, ((number, "x") for number in range(1_000)), batch=500) == 1_000
    assert sum("INSERT" in query["sql"] for query in queries) <= 20  # SQLite splits at 999 parameters
    assert Job.objects.order_by("id").last().args == [999, "x"]
