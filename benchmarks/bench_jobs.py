"""How fast jobs are queued and run, and how long an idle worker lets one wait.

    python -m benchmarks.bench_jobs [--jobs 3000] [--postgres postgresql://USER@HOST/NAME]

Prints JSON. SQLite is a file in a temporary folder; on PostgreSQL a database of its own is made and dropped again. The jobs do
nothing: what is measured is the queue. Rates are jobs a second; `wait_p95_ms` is from commit to the first line of the job
while 20 jobs a second arrive.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import django
from django.conf import settings

from careloop.desk.config.environment import database_from_url

ARRIVALS_A_SECOND = 20


@contextmanager
def database(url: str) -> Iterator[dict]:
    """The settings of an empty database that is gone afterwards."""
    if not url:
        with tempfile.TemporaryDirectory() as folder:
            yield database_from_url("", Path(folder))
        return
    import psycopg

    name = f"careloop_bench_{os.getpid()}"
    with psycopg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")), autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        try:
            yield database_from_url(urlunsplit(urlsplit(url)._replace(path=f"/{name}")), Path())
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def start_django(chosen: dict) -> None:
    """The smallest project that holds the queue."""
    settings.configure(
        USE_TZ=True,
        INSTALLED_APPS=["django_tasks", "careloop.desk.jobs"],
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={"default": chosen},
        TASKS={"default": {"BACKEND": "careloop.desk.jobs.backend.LeaseBackend", "QUEUES": []}},
    )
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def measure(jobs: int) -> dict:
    """Queue one by one, queue in bulk, run, and wait."""
    from django.db import connection, transaction

    from benchmarks.empty_job import do_nothing, started
    from careloop.desk.jobs import actions
    from careloop.desk.jobs.worker import Worker

    def rate(action) -> int:
        begun = time.perf_counter()
        action()
        return round(jobs / (time.perf_counter() - begun))

    def queue_one_by_one() -> None:
        for number in range(jobs):
            with transaction.atomic():
                do_nothing.enqueue(number)

    found: dict = {"database": connection.vendor, "jobs": jobs}
    found["queued_one_a_transaction"] = rate(queue_one_by_one)
    found["run_by_one_thread"] = rate(lambda: Worker().run_until_empty())
    found["queued_in_bulk"] = rate(lambda: actions.enqueue_many(do_nothing, ((number,) for number in range(jobs))))
    Worker().run_until_empty()
    started.clear()
    return found | waiting(do_nothing, started, Worker())


def waiting(job, started: dict[int, float], worker) -> dict:
    """Let jobs arrive one by one at an idle worker for ten seconds."""
    thread = threading.Thread(target=worker.run)
    thread.start()
    committed = {}
    for number in range(10 * ARRIVALS_A_SECOND):
        time.sleep(1 / ARRIVALS_A_SECOND)
        job.enqueue(number)
        committed[number] = time.perf_counter()
    while len(started) < len(committed):
        time.sleep(0.05)
    worker.stop()
    thread.join()
    waits = sorted(max(0.0, started[number] - at) * 1000 for number, at in committed.items())
    return {"wait_p50_ms": round(waits[len(waits) // 2]), "wait_p95_ms": round(waits[int(len(waits) * 0.95)])}


def main() -> None:
    """Measure on the database that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=3_000)
    parser.add_argument("--postgres", default="", metavar="URL")
    options = parser.parse_args()
    with database(options.postgres) as chosen:
        start_django(chosen)
        print(json.dumps(measure(options.jobs), indent=2))


if __name__ == "__main__":
    main()
