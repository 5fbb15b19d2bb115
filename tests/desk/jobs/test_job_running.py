"""Attempts: order, retries with exact pauses, dead letters, results, progress."""

from datetime import timedelta

import job_work
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from careloop.desk.jobs import actions, claims
from careloop.desk.jobs.current import report_progress
from careloop.desk.jobs.models import Job
from careloop.desk.jobs.rules import RetryPolicy
from careloop.desk.jobs.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget():
    job_work.seen.clear()


def the_job() -> Job:
    return Job.objects.get()


def test_urgent_first_then_due_first_then_queued_first(worker, clock):
    for name, priority, seconds in [("c", 0, 0), ("d", 0, 0), ("e", -100, -5), ("a", 100, 0), ("b", 0, -5)]:
        job_work.note.using(priority=priority, run_after=clock.now + timedelta(seconds=seconds)).enqueue(name)
    assert worker.run_until_empty() == 5
    assert job_work.seen == [("a",), ("b",), ("c",), ("d",), ("e",)]


@pytest.mark.parametrize(("seconds", "order"), [(0.4, ["slow", "waiting", "urgent"]), (0.6, ["slow", "urgent", "waiting"])])
def test_an_urgent_job_waits_half_a_second_at_most_behind_what_was_claimed_before(worker, clock, monkeypatch, seconds, order):
    def work(name, call=job_work.note.func):
        if name == "slow":
            clock.advance(seconds)
            job_work.note.using(priority=90).enqueue("urgent")
        call(name)

    monkeypatch.setattr(job_work, "note_body", work)
    for name in ("slow", "waiting"):
        job_work.call_note_body.enqueue(name)
    worker.run_until_empty()
    assert [values[0] for values in job_work.seen] == order


def test_a_job_does_not_run_before_its_time(worker, clock):
    job_work.note.using(run_after=clock.now + timedelta(seconds=10)).enqueue(1)
    clock.advance(9.999)
    assert worker.run_until_empty() == 0
    clock.advance(0.001)
    assert worker.run_until_empty() == 1


def test_a_worker_may_serve_some_queues_only(worker):
    job_work.note.enqueue("default")
    job_work.send.enqueue("mail")
    worker.queues = ("mail",)
    assert worker.run_until_empty() == 1
    assert job_work.seen == [("mail", "")]


def test_jobs_queued_by_jobs_run_too(worker):
    job_work.enqueue_more.enqueue(3)
    assert worker.run_until_empty() == 4


def test_a_failing_job_rests_with_growing_pauses_and_dies_after_eight_attempts(worker, clock):
    job_work.fail.enqueue("no")
    pauses = []
    for attempt in range(1, 8):
        assert worker.run_until_empty() == 1
        job = the_job()
        assert (job.state, job.attempts, job.lease_until, job.finished_at) == ("READY", attempt, None, None)
        pauses.append((job.run_after - clock.now).total_seconds())
        clock.advance(pauses[-1] - 0.001)
        assert worker.run_until_empty() == 0
        clock.advance(0.001)
    assert pauses == [2.5, 7.5, 22.5, 67.5, 202.5, 607.5, 1800]  # the source draws the middle of 0 … 5 s · 3ⁿ⁻¹
    assert worker.run_until_empty() == 1
    job = the_job()
    assert (job.state, job.attempts, job.finished_at) == ("DEAD", 8, clock.now)
    assert job.last_error.startswith("builtins.ValueError: no\n\nTraceback")
    clock.advance(1_000_000)
    assert worker.run_until_empty() == 0
    assert len(job_work.seen) == 8


def test_a_failing_job_blocks_no_other(worker):
    job_work.fail.enqueue("no")
    job_work.note.enqueue("yes")
    assert worker.run_until_empty() == 2
    assert job_work.seen == ["no", ("yes",)]


def test_a_task_may_have_its_own_policy(worker, clock):
    job_work.fail_with_policy.enqueue("value")
    worker.run_until_empty()
    assert (the_job().state, the_job().run_after) == ("READY", clock.now + timedelta(seconds=50))
    clock.advance(50)
    worker.run_until_empty()
    assert (the_job().state, the_job().attempts) == ("DEAD", 2)


@pytest.mark.parametrize("kind", ["key", "give up"])
def test_an_error_beyond_mending_kills_the_job_at_once(worker, kind):
    job_work.fail_with_policy.enqueue(kind)
    worker.run_until_empty()
    assert (the_job().state, the_job().attempts) == ("DEAD", 1)


def test_a_job_that_exits_fails_alone(worker):
    job_work.exit_process.enqueue()
    assert worker.run_until_empty() == 1
    assert (the_job().state, the_job().last_error.partition("\n")[0]) == ("READY", "builtins.SystemExit: 3")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("nowhere.at_all", "'nowhere.at_all' cannot be imported (No module named 'nowhere'); restore the task or discard"),
        ("job_work.gone", '\'job_work.gone\' cannot be imported (Module "job_work" does not define a "gone"'),
        ("job_work.not_a_task", "'job_work.not_a_task' is a int, expected a function under @task()"),
    ],
)
def test_an_unknown_task_is_given_up_with_a_sentence(worker, path, sentence):
    Job.objects.create(task=path, enqueued_at=worker.clock.now, run_after=worker.clock.now)
    assert worker.run_until_empty() == 1
    assert the_job().state == "DEAD"
    assert the_job().last_error.startswith(f"careloop.desk.jobs.rules.UnknownTask: {sentence}")


def test_wrong_arguments_are_told_as_pythons_own_error(worker):
    job_work.enqueue_more.enqueue()
    worker.run_until_empty()
    assert "missing 1 required positional argument: 'count'" in the_job().last_error


def test_a_context_tells_the_attempt(worker):
    result = job_work.tell_attempt.enqueue()
    worker.run_until_empty()
    assert the_job().result == [1, result.id]


def test_coroutines_run_to_their_end(worker):
    job_work.later.enqueue(41)
    worker.run_until_empty()
    assert the_job().result == 42


def test_a_result_that_json_cannot_carry_is_dropped_with_a_warning(worker, caplog):
    job_work.return_object.enqueue()
    worker.run_until_empty()
    assert (the_job().state, the_job().result) == ("SUCCEEDED", None)
    assert "is a builtins.object" in caplog.text
    assert "counts as done, its result is not kept" in caplog.text


def test_progress_is_visible_while_the_job_runs(worker):
    job_work.tell_progress.enqueue()
    worker.run_until_empty()
    assert the_job().result == [True, {"done": 3, "total": 7}]


def test_progress_outside_a_job_is_nobodys():
    assert report_progress(done=1) is False


@pytest.mark.django_db(transaction=True)
def test_a_job_runs_outside_any_transaction(worker):
    job_work.count_transactions.enqueue()
    worker.run_until_empty()
    assert the_job().result == 0


@pytest.mark.django_db(transaction=True)
def test_a_transaction_left_open_fails_the_job_and_frees_the_connection(worker):
    job_work.leave_transaction_open.enqueue()
    job_work.note.enqueue(1)
    assert worker.run_until_empty() == 2
    dead = Job.objects.get(task="job_work.leave_transaction_open")
    assert dead.last_error.startswith("careloop.desk.jobs.running.OpenTransaction: Job ")
    assert "left a transaction open; use `with transaction.atomic()`." in dead.last_error
    assert job_work.seen == [(1,)]
    assert Job.objects.filter(dedupe_key="left open").count() == 0


@pytest.mark.django_db(transaction=True)
def test_autocommit_left_off_fails_the_job_and_frees_the_connection(worker):
    job_work.leave_autocommit_off.enqueue()
    job_work.note.enqueue(1)
    assert worker.run_until_empty() == 2
    assert Job.objects.get(task="job_work.leave_autocommit_off").state == "READY"
    assert job_work.seen == [(1,)]
    assert connection.get_autocommit() is True


def test_a_worker_refuses_to_live_inside_a_transaction(worker):
    with pytest.raises(RuntimeError, match=r"Worker\.run was called inside a transaction"):
        worker.run()


@pytest.mark.parametrize("given", [{"threads": 0}, {"batch": 0}, {"poll_seconds": 0}, {"lease_seconds": -1}])
def test_senseless_settings_of_a_worker_are_refused(given):
    with pytest.raises(ValueError, match="all four must be positive"):
        Worker(**given)


def test_dead_letters_can_be_tried_again_and_are_returned(worker, clock):
    job_work.fail_with_policy.enqueue("give up")
    job_work.note.using(run_after=clock.now + timedelta(days=1)).enqueue("waiting")
    worker.run_until_empty()
    clock.advance(60)
    ids = list(Job.objects.values_list("pk", flat=True))
    revived = actions.retry_dead(job_ids=ids, now=clock.now)
    assert [(job.task, job.state, job.attempts, job.run_after) for job in revived] == [("job_work.fail_with_policy", "READY", 0, clock.now)]
    assert revived[0].last_error.startswith("careloop.desk.jobs.rules.GiveUp")
    assert worker.run_until_empty() == 1
    assert Job.objects.get(pk=revived[0].pk).state == "DEAD"


def test_many_dead_letters_are_revived_by_few_statements(worker, clock):
    Job.objects.bulk_create(Job(task="t", state="DEAD", enqueued_at=clock.now, run_after=clock.now) for _ in range(300))
    ids = list(Job.objects.values_list("pk", flat=True))
    with CaptureQueriesContext(connection) as queries:
        assert len(actions.retry_dead(job_ids=ids, now=clock.now)) == 300
    assert len(queries) == 5  # a savepoint and its end among them
    assert Job.objects.filter(state="READY").count() == 300


def test_a_revived_job_gives_up_its_key_to_a_younger_one(worker, clock):
    actions.enqueue_once(job_work.fail_with_policy, "k", "give up")
    worker.run_until_empty()
    actions.enqueue_once(job_work.fail_with_policy, "k", "give up")
    [revived] = actions.retry_dead(job_ids=list(Job.objects.values_list("pk", flat=True)), now=clock.now)
    assert (revived.state, revived.dedupe_key) == ("READY", None)


def test_a_resting_job_gives_up_its_key_to_a_younger_one(worker, clock):
    actions.enqueue_once(job_work.note, "k", "old")
    [job] = claims.claim(worker_id="w", now=clock.now, lease_seconds=60, limit=1)
    claims.begin(job, now=clock.now, lease_seconds=60)
    assert actions.enqueue_once(job_work.note, "k", "young") is True
    assert claims.fail(job, error=ValueError("x"), policy=RetryPolicy(), now=clock.now, random=worker.random) is True
    assert list(Job.objects.order_by("id").values_list("state", "dedupe_key")) == [("READY", None), ("READY", "k")]


def test_only_dead_jobs_are_discarded(worker, clock):
    job_work.fail_with_policy.enqueue("give up")
    worker.run_until_empty()
    waiting = job_work.note.enqueue(1)
    gone = actions.discard_dead(job_ids=list(Job.objects.values_list("pk", flat=True)))
    assert [job.task for job in gone] == ["job_work.fail_with_policy"]
    assert str(the_job().pk) == waiting.id
