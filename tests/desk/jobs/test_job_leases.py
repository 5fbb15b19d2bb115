"""Claims, leases, fences, heartbeat: what holds when workers are many, slow or dead."""

import threading
from datetime import timedelta

import job_work
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from careloop.desk.jobs import actions, claims
from careloop.desk.jobs.heart import Heart, Holdings
from careloop.desk.jobs.models import Heartbeat, Job
from careloop.desk.jobs.rules import RetryPolicy
from careloop.desk.jobs.worker import Worker

pytestmark = pytest.mark.django_db
LEASE = 60.0


def claim(worker_id: str, clock, limit: int = 16) -> list[Job]:
    return claims.claim(worker_id=worker_id, now=clock.now, lease_seconds=LEASE, limit=limit)


def begun(clock, worker_id: str = "w1") -> Job:
    """A job in the middle of an attempt."""
    [job] = claim(worker_id, clock, limit=1)
    assert claims.begin(job, now=clock.now, lease_seconds=LEASE) is True
    return job


def test_two_claimers_never_get_the_same_job(clock):
    for number in range(5):
        job_work.note.enqueue(number)
    first, second, third = claim("a", clock, 3), claim("b", clock, 3), claim("c", clock, 3)
    assert [[job.args[0] for job in jobs] for jobs in (first, second, third)] == [[0, 1, 2], [3, 4], []]
    assert list(Job.objects.order_by("id").values_list("worker_id", flat=True)) == ["a", "a", "a", "b", "b"]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time: nothing to skip")
def test_a_claim_skips_rows_that_another_claim_holds_and_does_not_wait(clock):
    for number in range(3):
        job_work.note.enqueue(number)
    found = []

    def claim_elsewhere():
        found.extend(job.args[0] for job in claim("b", clock))
        connection.close()

    with transaction.atomic():
        claim("a", clock, 2)
        other = threading.Thread(target=claim_elsewhere)
        other.start()
        other.join(timeout=120)
        assert not other.is_alive()
    assert found == [2]


def test_an_idle_claim_is_one_read(clock):
    job_work.note.using(run_after=clock.now + timedelta(seconds=1)).enqueue()
    with CaptureQueriesContext(connection) as queries:
        assert claim("a", clock) == []
    assert len(queries) == 1
    assert queries[0]["sql"].startswith("SELECT 1")


def test_the_idle_read_uses_the_index(clock):
    plan = Job.objects.filter(state="READY", run_after__lte=clock.now).order_by(*claims.CLAIM_ORDER)[:16].explain()
    if connection.vendor == "sqlite":
        assert plan.endswith("USING INDEX job_claim (state=?)")  # and no sorting step
    else:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan TO off")
            cursor.execute("SET LOCAL enable_bitmapscan TO off")
            cursor.execute("SET LOCAL enable_sort TO off")
        plan = Job.objects.filter(state="READY", run_after__lte=clock.now).order_by(*claims.CLAIM_ORDER)[:16].explain()
        assert "Index Scan using job_claim" in plan
        assert "Sort" not in plan


def test_every_claim_raises_the_fence_and_only_a_begun_attempt_counts(clock):
    job_work.note.enqueue()
    [job] = claim("a", clock)
    assert claims.release([job]) == 1
    [again] = claim("b", clock)
    row = Job.objects.get()
    assert (job.fence, again.fence, row.fence, row.attempts, row.started_at) == (1, 2, 2, 0, None)
    claims.begin(again, now=clock.advance(5), lease_seconds=LEASE)
    row.refresh_from_db()
    assert (row.attempts, row.started_at, row.lease_until) == (1, clock.now, clock.now + timedelta(seconds=60))


def test_a_released_job_cannot_be_begun(clock):
    job_work.note.enqueue()
    [job] = claim("a", clock)
    claims.release([job])
    assert claims.begin(job, now=clock.now, lease_seconds=LEASE) is False
    assert Job.objects.get().attempts == 0


def test_a_begun_job_is_not_released(clock):
    job_work.note.enqueue()
    job = begun(clock)
    assert claims.release([job]) == 0
    assert Job.objects.get().state == "RUNNING"


def test_a_lease_protects_until_it_ends_and_then_the_job_is_claimable(clock):
    job_work.note.enqueue()
    begun(clock)
    clock.advance(60)
    assert claims.recover_expired(now=clock.now) == 0
    assert claim("b", clock) == []
    clock.advance(0.001)
    assert claims.recover_expired(now=clock.now) == 1
    row = Job.objects.get()
    assert (row.state, row.attempts, row.run_after, row.lease_until) == ("READY", 1, clock.now, None)
    assert row.last_error == (
        "careloop.desk.jobs.rules.WorkerLost: Worker w1 was silent since before 2026-05-04 06:01:00 UTC while it ran "
        "attempt 1 of 8; it was killed, or the machine stopped."
    )
    assert [job.pk for job in claim("b", clock)] == [row.pk]


def test_a_job_that_takes_its_worker_down_every_time_is_given_up_with_that_reason(clock):
    job_work.note.enqueue()
    for attempt in range(1, 9):
        begun(clock)
        clock.advance(61)
        claims.recover_expired(now=clock.now)
        assert Job.objects.get().state == ("DEAD" if attempt == 8 else "READY")
    row = Job.objects.get()
    assert "while it ran attempt 8 of 8" in row.last_error
    assert row.finished_at == clock.now


def test_neighbours_of_a_killer_in_the_same_claim_lose_no_attempt(clock):
    job_work.note.enqueue("killer")
    job_work.note.enqueue("bystander")
    killer, _bystander = claim("a", clock)
    claims.begin(killer, now=clock.now, lease_seconds=LEASE)
    clock.advance(61)
    assert claims.recover_expired(now=clock.now) == 2
    assert list(Job.objects.order_by("id").values_list("attempts", "last_error")[1:]) == [(0, "")]


@pytest.mark.parametrize("outcome", ["success", "failure"])
def test_the_outcome_of_a_lost_lease_is_discarded_and_logged(clock, caplog, worker, outcome):
    job_work.note.enqueue()
    slow = begun(clock, "slow")
    clock.advance(61)
    claims.recover_expired(now=clock.now)
    fresh = begun(clock, "fresh")
    if outcome == "success":
        written = claims.succeed(slow, result="slow", now=clock.now)
    else:
        written = claims.fail(slow, error=ValueError(), policy=RetryPolicy(), now=clock.now, random=worker.random)
    assert written is False
    assert f"worker slow lost its lease before attempt 1 ended; its {outcome} is discarded" in caplog.text
    row = Job.objects.get()
    assert (row.state, row.worker_id, row.fence, row.attempts) == ("RUNNING", "fresh", 2, 2)
    assert claims.succeed(fresh, result="fresh", now=clock.now) is True
    assert Job.objects.get().result == "fresh"


def heart_of(worker_id: str, clock) -> Heart:
    return Heart(worker_id, Holdings(), clock, LEASE)


def test_the_heart_keeps_the_lease_of_a_busy_job(clock):
    job_work.note.enqueue()
    heart = heart_of("w1", clock)
    job = begun(clock)
    heart.holdings.add([job], clock.now)
    heart.holdings.take()
    for _ in range(20):  # 200 s: more than three leases
        clock.advance(10)
        heart.tick()
        assert Job.objects.get().lease_until == clock.now + timedelta(seconds=60)
    assert claims.succeed(job, result=None, now=clock.now) is True


def test_the_heart_renews_only_what_it_holds(clock):
    job_work.note.enqueue()
    begun(clock)  # by this very worker, which then lost sight of it
    heart = heart_of("w1", clock)
    clock.advance(50)
    heart.tick()
    clock.advance(11)
    heart.tick()
    assert Job.objects.get().state == "READY"


def test_claims_stuck_behind_a_long_job_are_handed_back_after_half_a_second(clock):
    for number in range(3):
        job_work.note.enqueue(number)
    heart = heart_of("w1", clock)
    heart.holdings.add(claim("w1", clock), clock.now)
    first = heart.holdings.take()
    claims.begin(first, now=clock.now, lease_seconds=LEASE)
    clock.advance(0.5)
    heart.tick()
    assert Job.objects.filter(state="RUNNING").count() == 3
    clock.advance(0.1)
    heart.tick()
    assert list(Job.objects.order_by("id").values_list("state", flat=True)) == ["RUNNING", "READY", "READY"]
    assert heart.holdings.take() is None
    assert heart.holdings.ids() == [first.pk]


def test_keys_survive_a_release_unless_a_younger_job_took_them(clock):
    for key in ("kept", "taken"):
        actions.enqueue_once(job_work.note, key)
    jobs = claim("w1", clock)
    actions.enqueue_once(job_work.note, "taken")
    assert claims.release(jobs) == 2
    rows = Job.objects.order_by("id").values_list("dedupe_key", "state")
    assert list(rows) == [("kept", "READY"), (None, "READY"), ("taken", "READY")]


def test_a_worker_shows_that_it_lives_and_takes_the_sign_away_at_its_end(clock):
    heart = heart_of("w1", clock)
    heart.tick()
    started = clock.now
    clock.advance(4)
    heart.tick()
    assert list(Heartbeat.objects.values_list("started_at", "seen_at")) == [(started, started)]
    clock.advance(1)
    heart.tick()
    assert list(Heartbeat.objects.values_list("started_at", "seen_at")) == [(started, clock.now)]
    heart.stop()
    assert Heartbeat.objects.count() == 0


def test_a_short_lease_beats_three_times_within_its_length(clock):
    heart = Heart("w1", Holdings(), clock, lease_seconds=1.5)
    assert heart.tick_seconds == 0.25
    heart.tick()
    clock.advance(0.5)
    heart.tick()
    assert Heartbeat.objects.get().seen_at == clock.now


def test_an_empty_queue_leaves_nothing_behind(clock):
    assert Worker(clock=clock).run_until_empty() == 0
    assert Heartbeat.objects.count() == 0
