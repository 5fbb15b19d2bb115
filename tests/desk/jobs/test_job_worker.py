"""The worker as a process: its command, and a database that goes away for a while."""

import threading
from io import StringIO

import job_work
import pytest
from django.core.management import call_command
from django.db import OperationalError, connection

from careloop.desk.jobs import claims
from careloop.desk.jobs import worker as jobs_worker
from careloop.desk.jobs.heart import Heart, Holdings
from careloop.desk.jobs.models import Heartbeat, Job, Schedule
from careloop.desk.jobs.running import Runner

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forget():
    job_work.seen.clear()


def test_the_command_works_until_nothing_is_due_and_fires_schedules(clock):
    Schedule.objects.create(name="s", task="job_work.note", args=["scheduled"], every_seconds=60, next_run_at=clock.now)
    job_work.note.using(priority=1).enqueue("queued")
    call_command("careloop_worker", "--once", stdout=StringIO())
    assert job_work.seen == [("queued",), ("scheduled",)]
    assert set(Job.objects.values_list("state", flat=True)) == {"SUCCEEDED"}


def test_the_command_serves_the_queues_that_it_is_given(clock):
    job_work.note.enqueue("default")
    job_work.send.enqueue("mail")
    call_command("careloop_worker", "--once", "--queue", "mail", "--queue", "slow", stdout=StringIO())
    assert job_work.seen == [("mail", "")]


def test_a_senseless_number_of_threads_is_refused():
    with pytest.raises(ValueError, match="was given 0 threads"):
        jobs_worker.main(threads=0)


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_is_logged_and_tried_again(worker, monkeypatch, caplog):
    answers = [OperationalError("gone"), OperationalError("still gone"), []]

    def claim(**terms):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        worker.stop()
        return answer

    monkeypatch.setattr(claims, "claim", claim)
    monkeypatch.setattr(jobs_worker, "RECONNECT_SECONDS", 0.001)
    worker._loop()
    assert answers == []
    assert caplog.text.count("could not claim or end a job; it goes on in 0.001 s") == 2


def test_the_prompt_thread_leaves_what_can_wait_to_the_others(worker, clock):
    runner = Runner(clock=clock, depth=len(connection.atomic_blocks))
    job_work.note.using(priority=-20).enqueue("long")
    assert not worker._step(runner, jobs_worker.PROMPT)
    job_work.note.enqueue("prompt")
    job_work.note.using(priority=-20).enqueue("long, too")
    assert worker._step(runner, jobs_worker.PROMPT)
    assert not worker._step(runner, jobs_worker.PROMPT)
    assert job_work.seen == [("prompt",)]
    assert worker._step(runner)
    assert worker._step(runner)
    assert job_work.seen == [("prompt",), ("long",), ("long, too",)]


@pytest.mark.django_db(transaction=True)
def test_a_heart_that_misses_a_beat_goes_on(clock, monkeypatch, caplog):
    heart, stopped, answers = Heart("w1", Holdings(), clock, lease_seconds=0.006), threading.Event(), [OperationalError("locked")]

    def tick():
        if answers:
            raise answers.pop()
        stopped.set()

    monkeypatch.setattr(heart, "tick", tick)
    heart.run(stopped)
    assert caplog.text.count("Worker w1 could not renew its leases; it tries again.") == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_ensures_its_housekeeping_and_leaves_no_sign_of_life(worker):
    worker.stop()
    worker.run()
    assert list(Schedule.objects.values_list("name", "task", "every_seconds")) == [
        ("trim finished jobs", "careloop.desk.jobs.tasks.trim_finished", 3_600)
    ]
    assert Heartbeat.objects.count() == 0
    assert worker.is_stopped is True
