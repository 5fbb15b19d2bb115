"""One process of the chaos test: `python chaos_run.py prepare COUNT | work LEASE_SECONDS THREADS | stop SIGNAL | kill`.

The database is CARELOOP_DATABASE_URL; the settings are the smallest that hold the queue.
"""

import os
import sys
from pathlib import Path

import django
from django.conf import settings

from careloop.desk.config.environment import database_from_url

DATABASE = database_from_url(os.environ["CARELOOP_DATABASE_URL"], Path())
if "postgresql" in DATABASE["ENGINE"]:  # workers are killed here, not the server: no need to wait for its disk
    DATABASE["OPTIONS"]["options"] = "-c synchronous_commit=off"
settings.configure(
    SECRET_KEY="tests only",
    USE_TZ=True,
    INSTALLED_APPS=["django_tasks", "careloop.desk.jobs"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={"default": DATABASE},
    TASKS={"default": {"BACKEND": "careloop.desk.jobs.backend.LeaseBackend", "QUEUES": []}},
)
django.setup()

import chaos_work  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from careloop.desk.jobs import actions  # noqa: E402
from careloop.desk.jobs.worker import Worker  # noqa: E402


def prepare(count: str) -> None:
    """Make the tables and queue the jobs."""
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE chaos_effect (number integer PRIMARY KEY, runs integer NOT NULL)")
    actions.enqueue_many(chaos_work.write_effect, ((number,) for number in range(int(count))))


def work(lease_seconds: str, threads: str) -> None:
    """Run until a signal comes."""
    Worker(threads=int(threads), lease_seconds=float(lease_seconds), poll_seconds=0.05).run()


def stop(number: str) -> None:
    """Queue a job that signals its own process in front of all others, and work until stopped by it."""
    chaos_work.terminate_own_worker.using(priority=100).enqueue(int(number))
    chaos_work.workers.append(Worker())
    chaos_work.workers[0].run()


def kill() -> None:
    """Queue a job that kills its worker in front of all others, and work."""
    chaos_work.kill_own_worker.using(priority=100).enqueue()
    Worker(lease_seconds=0.3).run()


if __name__ == "__main__":
    {"prepare": prepare, "work": work, "stop": stop, "kill": kill}[sys.argv[1]](*sys.argv[2:])
