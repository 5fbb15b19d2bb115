"""Schedules: once per due time, missed ones once; and trimming, which is one of them."""

from datetime import UTC, datetime, time, timedelta

import job_work
import pytest

from careloop.desk.jobs import actions, tasks
from careloop.desk.jobs.models import Heartbeat, Job, Schedule
from careloop.desk.kernel.errors import InvalidInput

pytestmark = pytest.mark.django_db


@pytest.fixture
def hourly(clock) -> Schedule:
    """Due now, then every hour."""
    return actions.ensure_schedule("fetch mail", job_work.note, 3_600, args=[7], priority=5, now=clock.now)


def test_a_due_schedule_queues_its_job_once_however_many_look(hourly, clock):
    assert (actions.fire_schedules(now=clock.now), actions.fire_schedules(now=clock.now)) == (0, 0)
    clock.advance(3_600)
    assert actions.fire_schedules(now=clock.now) == 1
    assert actions.fire_schedules(now=clock.now) == 0
    job = Job.objects.get()
    assert (job.task, job.args, job.priority, job.run_after) == ("job_work.note", [7], 5, clock.now)
    hourly.refresh_from_db()
    assert (hourly.last_run_at, hourly.next_run_at) == (clock.now, clock.now + timedelta(hours=1))


def test_a_worker_that_read_the_schedule_too_early_fires_nothing(hourly, clock, monkeypatch):
    clock.advance(3_600)
    seen_by_both = list(Schedule.objects.all())
    actions.fire_schedules(now=clock.now)
    Job.objects.all().delete()
    monkeypatch.setattr(Schedule.objects, "filter", _first_answer(seen_by_both, Schedule.objects.filter))
    assert actions.fire_schedules(now=clock.now) == 0
    assert Job.objects.count() == 0


def _first_answer(stale, real):
    """Answer the first call with rows read earlier, as a slower worker has them."""
    answers = [stale]
    return lambda **conditions: answers.pop() if answers else real(**conditions)


def test_times_missed_while_no_worker_ran_are_one_run_on_the_old_grid(hourly, clock):
    due = hourly.next_run_at
    clock.advance(3_600 * 5 + 60)
    assert actions.fire_schedules(now=clock.now) == 1
    hourly.refresh_from_db()
    assert hourly.next_run_at == due + timedelta(hours=5)


def test_a_run_that_still_waits_is_not_queued_again(hourly, clock):
    clock.advance(3_600)
    actions.fire_schedules(now=clock.now)
    clock.advance(3_600)
    assert actions.fire_schedules(now=clock.now) == 0
    assert Job.objects.count() == 1
    hourly.refresh_from_db()
    assert hourly.next_run_at == clock.now + timedelta(hours=1)


def test_a_schedule_switched_off_rests_and_stays_off_when_ensured(hourly, clock):
    actions.set_schedule_active(name="fetch mail", is_active=False)
    actions.ensure_schedule("fetch mail", job_work.note, 3_600, args=[7], priority=5, now=clock.now)
    clock.advance(7_200)
    assert actions.fire_schedules(now=clock.now) == 0
    assert actions.set_schedule_active(name="fetch mail", is_active=True).is_active is True
    assert actions.fire_schedules(now=clock.now) == 1


def test_an_unknown_schedule_cannot_be_switched(clock):
    with pytest.raises(InvalidInput, match="no schedule 'x'"):
        actions.set_schedule_active(name="x", is_active=True)


def test_ensuring_again_keeps_the_due_time_unless_the_rhythm_changed(hourly, clock):
    due = hourly.next_run_at
    clock.advance(600)
    same = actions.ensure_schedule("fetch mail", job_work.note, 3_600, args=[8], now=clock.now)
    assert (same.pk, same.next_run_at, same.args, same.priority) == (hourly.pk, due, [8], 0)
    changed = actions.ensure_schedule("fetch mail", job_work.note, 60, now=clock.now)
    assert (changed.pk, changed.next_run_at) == (hourly.pk, clock.now + timedelta(seconds=60))


def test_a_daily_schedule_follows_the_houses_time_zone(clock, settings):
    settings.TIME_ZONE = "Asia/Shanghai"  # 14:00 there at the start
    daily = actions.ensure_schedule("report", job_work.note, daily_at=time(15, 30), now=clock.now)
    assert daily.next_run_at == datetime(2026, 5, 4, 7, 30, tzinfo=UTC)
    clock.advance(5_400)
    assert actions.fire_schedules(now=clock.now) == 1
    daily.refresh_from_db()
    assert daily.next_run_at == datetime(2026, 5, 5, 7, 30, tzinfo=UTC)


def test_a_schedule_without_rhythm_is_refused(clock):
    with pytest.raises(ValueError, match="needs exactly one of them"):
        actions.ensure_schedule("x", job_work.note, now=clock.now)
    assert Schedule.objects.count() == 0


def test_a_schedule_of_a_task_that_is_gone_ends_on_the_jobs_page(worker, clock):
    Schedule.objects.create(name="old", task="gone.task", every_seconds=60, next_run_at=clock.now)
    worker.run_until_empty(fires_schedules=True)
    job = Job.objects.get()
    assert (job.state, job.last_error.partition("(")[0]) == (
        "DEAD",
        "careloop.desk.jobs.rules.UnknownTask: 'gone.task' cannot be imported ",
    )


def ended(state: str, now: datetime, days: float) -> Job:
    at = now - timedelta(days=days)
    return Job.objects.create(task="t", state=state, enqueued_at=at, run_after=at, finished_at=at)


def test_trimming_removes_old_successes_only_batch_by_batch(clock):
    for _ in range(5):
        ended("SUCCEEDED", clock.now, 7.01)
    kept = [ended("SUCCEEDED", clock.now, 6.99), ended("DEAD", clock.now, 400)]
    Heartbeat.objects.create(worker_id="killed", started_at=clock.now, seen_at=clock.now - timedelta(days=2))
    assert actions.trim_finished(now=clock.now, batch=2) == 5
    assert list(Job.objects.order_by("id")) == kept
    assert Heartbeat.objects.count() == 0


def test_trimming_is_a_task(worker, clock):
    ended("SUCCEEDED", clock.now, 8)
    tasks.trim_finished.enqueue()
    worker.run_until_empty()
    assert Job.objects.get().result == 1
