"""The jobs page: what was given up is shown with its error, tried again or thrown away, and written down."""

import re
from datetime import time, timedelta

import pytest

from careloop.desk.audit.models import AuditEntry
from careloop.desk.jobs.models import Heartbeat, Job, Schedule
from careloop.desk.web.views import jobs as view

ERROR = "careloop.insight.errors.ModelError: The model is <damaged>.\n\nTraceback (most recent call last):\n  File 'x.py'"


@pytest.fixture(autouse=True)
def standing_clock(monkeypatch, now):
    monkeypatch.setattr(view, "now", lambda: now)


@pytest.fixture
def browser(client, cast):
    """A signed-in supervisor."""
    client.force_login(cast.supervisor)
    return client


@pytest.fixture
def job(db, now):
    """Makes a job in a state."""

    def make(state: str = "DEAD", task: str = "careloop.desk.analysis.tasks.understand", **facts) -> Job:
        times = {"enqueued_at": now, "run_after": now, "finished_at": now if state in ("DEAD", "SUCCEEDED") else None}
        error = ERROR if state == "DEAD" else ""
        return Job.objects.create(**{"task": task, "state": state, "attempts": 8, "args": [[1]], "last_error": error, **times, **facts})

    return make


def text_of(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_an_empty_queue_says_what_would_be_here(browser):
    for state, words in (
        ("DEAD", "Nothing was given up"),
        ("READY", "Nothing waits"),
        ("RUNNING", "Nothing runs right now"),
        ("SUCCEEDED", "Nothing was done yet"),
    ):
        shown = text_of(browser.get(f"/jobs/?state={state}"))
        assert words in shown
        assert "Given up 0 Waiting 0 Running 0 Done 0" in shown
    assert "No worker alive" in shown
    assert "No schedules yet" in shown


def test_counts_workers_schedules_and_errors_are_shown(browser, job, now):
    for state, count in (("DEAD", 2), ("READY", 3), ("RUNNING", 1), ("SUCCEEDED", 4)):
        for _ in range(count):
            job(state)
    Heartbeat.objects.create(worker_id="host-7-abcd", threads=2, started_at=now, seen_at=now)
    Schedule.objects.create(name="trim finished jobs", task="x", every_seconds=3_600, next_run_at=now)
    response = browser.get("/jobs/")
    shown = text_of(response)
    assert "Given up 2 Waiting 3 Running 1 Done 4" in shown
    assert "1 worker alive" in shown
    assert "host-7-abcd 2" in shown
    assert "trim finished jobs every 1 h" in shown
    assert "8 / 8" in shown
    assert "The model is &lt;damaged&gt;." in response.content.decode()
    assert "<damaged>" not in response.content.decode()


@pytest.mark.parametrize(
    ("every_seconds", "daily_at", "words"),
    [(86_400, None, "every 24 h"), (300, None, "every 5 min"), (45, None, "every 45 s"), (None, time(3, 30), "daily at 03:30")],
)
def test_the_rhythm_of_a_schedule_is_told_in_words(every_seconds, daily_at, words):
    assert view.rhythm(every_seconds, daily_at) == words


def test_a_late_queue_is_told(browser, job, now):
    job("READY", run_after=now - timedelta(minutes=7, seconds=5))
    Heartbeat.objects.create(worker_id="w", threads=1, started_at=now, seen_at=now)
    assert "The oldest waiting job has been due for 7 minutes" in text_of(browser.get("/jobs/"))


def test_running_jobs_show_how_far_they_are(browser, job, now):
    job("RUNNING", worker_id="host-7-abcd", started_at=now, progress={"done": 1_500, "total": 50_178})
    assert "host-7-abcd 1,500 / 50,178" in text_of(browser.get("/jobs/?state=RUNNING"))


def test_one_task_can_be_picked(browser, job):
    job(task="careloop.desk.outbox.tasks.deliver")
    job()
    shown = text_of(browser.get("/jobs/?task=careloop.desk.outbox.tasks.deliver"))
    assert "outbox.tasks.deliver [[1]]" in shown
    assert "analysis.tasks.understand [[1]]" not in shown


def test_a_dead_job_is_tried_again_and_the_audit_says_who(browser, cast, job, now):
    dead, other = job(), job()
    assert browser.post("/jobs/retry/", {"job": dead.pk})["Location"] == "/jobs/"
    dead.refresh_from_db()
    other.refresh_from_db()
    assert (dead.state, dead.attempts, dead.run_after, other.state) == ("READY", 0, now, "DEAD")
    [entry] = AuditEntry.objects.all()
    assert (entry.action, entry.actor_name, entry.object_id, entry.at) == ("job.retry", "Sun", dead.pk, now)
    assert entry.details == {"tasks": {dead.task: 1}, "jobs": [dead.pk]}


def test_all_dead_jobs_of_a_task_are_tried_again_at_once(browser, job):
    mine = [job(), job()]
    other = job(task="careloop.desk.outbox.tasks.deliver")
    response = browser.post("/jobs/retry/", {"all": "yes", "task": mine[0].task})
    assert response["Location"] == "/jobs/?task=careloop.desk.analysis.tasks.understand"
    assert set(Job.objects.filter(state="READY").values_list("pk", flat=True)) == {one.pk for one in mine}
    assert Job.objects.get(pk=other.pk).state == "DEAD"
    assert AuditEntry.objects.get().details["jobs"] == [one.pk for one in mine]


def test_dead_jobs_are_thrown_away_and_named_in_the_audit(browser, job):
    first, second, waiting = job(), job(), job("READY")
    browser.post("/jobs/discard/", {"job": first.pk})
    assert set(Job.objects.values_list("pk", flat=True)) == {second.pk, waiting.pk}
    browser.post("/jobs/discard/", {"all": "yes"})
    assert list(Job.objects.values_list("pk", flat=True)) == [waiting.pk]
    assert list(AuditEntry.objects.order_by("pk").values_list("action", "details__jobs")) == [
        ("job.discard", [first.pk]),
        ("job.discard", [second.pk]),
    ]


@pytest.mark.parametrize("verb", ["retry", "discard"])
def test_a_job_that_is_not_dead_any_more_is_left_alone(browser, job, verb):
    waiting = job("READY")
    response = browser.post(f"/jobs/{verb}/", {"job": waiting.pk})
    assert response.status_code == 409
    assert "somebody was quicker" in text_of(response)
    assert Job.objects.get().state == "READY"
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("given", [{}, {"job": "x"}, {"job": "9" * 30}, {"job": "²"}])
def test_a_form_that_names_no_job_is_refused(browser, job, given):
    job()
    assert browser.post("/jobs/retry/", given).status_code == 422
    assert Job.objects.get().state == "DEAD"


def test_an_analyst_looks_but_does_not_touch(client, cast, job):
    dead = job()
    client.force_login(cast.analyst)
    assert "Try again" not in text_of(client.get("/jobs/"))
    for verb in ("retry", "discard"):
        assert client.post(f"/jobs/{verb}/", {"job": dead.pk}).status_code == 403
    assert Job.objects.get().state == "DEAD"
    assert AuditEntry.objects.count() == 0


@pytest.mark.parametrize("who", ["agent", "outsider"])
def test_agents_see_no_jobs(client, cast, job, who):
    job()
    client.force_login(getattr(cast, who))
    assert client.get("/jobs/").status_code == 403
    assert client.post("/jobs/retry/", {"all": "yes"}).status_code == 403
    assert Job.objects.get().state == "DEAD"


def test_strangers_are_sent_to_sign_in(client, db):
    assert client.get("/jobs/")["Location"] == "/accounts/login/?next=/jobs/"


def test_the_page_costs_the_same_for_any_number_of_jobs(browser, job, django_assert_num_queries):
    job()
    with django_assert_num_queries(10):
        browser.get("/jobs/")
    for _ in range(60):
        job()
    with django_assert_num_queries(10):
        shown = browser.get("/jobs/")
    assert "Page 1 of 2" in text_of(shown)


@pytest.mark.parametrize("query", ["state=LOST", "page=x", "page=99999999999", "page=-1", "state=DEAD&page=7"])
def test_odd_addresses_show_the_page_all_the_same(browser, job, query):
    job()
    assert browser.get(f"/jobs/?{query}").status_code == 200
