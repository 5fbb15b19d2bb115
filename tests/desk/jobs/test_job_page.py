"""What the jobs page shows, with a fixed number of queries."""

from datetime import timedelta

import job_work
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from careloop.desk.jobs import actions, queries
from careloop.desk.jobs.models import Heartbeat, Job

pytestmark = pytest.mark.django_db


def make(clock, state: str, count: int, task: str = "a.task") -> None:
    for number in range(count):
        at = clock.now - timedelta(seconds=number)
        Job.objects.create(task=task, state=state, enqueued_at=at, run_after=at, started_at=at, finished_at=at)


def test_an_empty_queue(clock):
    page = queries.page(now=clock.now)
    assert page.counts == {"READY": 0, "RUNNING": 0, "SUCCEEDED": 0, "DEAD": 0}
    assert (page.jobs, page.page, page.pages, page.tasks, page.workers, page.schedules) == ([], 1, 1, [], [], [])
    assert page.oldest_due_seconds == 0


def test_rows_of_one_state_newest_end_first_in_pages_of_fifty(clock):
    make(clock, "DEAD", 51)
    make(clock, "SUCCEEDED", 2, "b.task")
    first, second = (queries.page(now=clock.now, page=number) for number in (1, 2))
    assert (first.counts["DEAD"], first.counts["SUCCEEDED"], first.pages) == (51, 2, 2)
    assert [len(first.jobs), len(second.jobs)] == [50, 1]
    assert first.jobs[0].finished_at == clock.now
    assert second.jobs[0].finished_at == clock.now - timedelta(seconds=50)
    assert queries.page(now=clock.now, page=99).page == 2


def test_rows_of_one_task(clock):
    make(clock, "DEAD", 2)
    make(clock, "DEAD", 3, "b.task")
    page = queries.page(now=clock.now, task="b.task")
    assert ({job.task for job in page.jobs}, len(page.jobs), page.tasks) == ({"b.task"}, 3, ["a.task", "b.task"])


def test_waiting_jobs_come_in_the_order_in_which_they_will_run(clock):
    job_work.note.enqueue("b")
    job_work.note.using(priority=9).enqueue("a")
    page = queries.page(now=clock.now, state="READY")
    assert [job.args for job in page.jobs] == [["a"], ["b"]]


def test_an_unknown_state_shows_the_dead_letters(clock):
    assert queries.page(now=clock.now, state="x' OR 1").state == "DEAD"


def test_lag_workers_and_schedules(clock):
    job_work.note.enqueue()
    actions.ensure_schedule("s", job_work.note, 60, now=clock.now)
    Heartbeat.objects.create(worker_id="alive", started_at=clock.now, seen_at=clock.now)
    Heartbeat.objects.create(worker_id="silent", started_at=clock.now, seen_at=clock.now - timedelta(seconds=1))
    clock.advance(45)
    page = queries.page(now=clock.now)
    assert page.oldest_due_seconds == 45
    assert [worker.worker_id for worker in page.workers] == ["alive"]
    assert [schedule.name for schedule in page.schedules] == ["s"]


def test_seven_queries_whatever_the_number_of_jobs(clock):
    numbers = []
    for count in (1, 30):
        make(clock, "DEAD", count)
        make(clock, "READY", count)
        with CaptureQueriesContext(connection) as captured:
            queries.page(now=clock.now)
        numbers.append(len(captured))
    assert numbers == [7, 7]
