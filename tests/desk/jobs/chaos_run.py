"""What a process of the chaos test does: prepare COUNT, work LEASE_SECONDS THREADS, stop SIGNAL, or kill.

The settings are the smallest that hold the queue. A process is forked from one that has imported this module, and opens its own database.
"""

import sys
from pathlib import Path

import django
from django.conf import settings

from careloop.desk.config.environment import database_from_url

settings.configure(
    SECRET_KEY="tests only",
    USE_TZ=True,
    INSTALLED_APPS=["django_tasks", "careloop.desk.jobs"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    DATABASES={},
    TASKS={"default": {"BACKEND": "careloop.desk.jobs.backend.LeaseBackend", "QUEUES": []}},
)
django.setup()

import chaos_work  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from careloop.desk.jobs import actions  # noqa: E402
from careloop.desk.jobs.worker import Worker  # noqa: E402


def prepare(count: int) -> None:
    """Make the tables and queue the jobs."""
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE chaos_effect (number integer PRIMARY KEY, runs integer NOT NULL)")
    actions.enqueue_many(chaos_work.write_effect, ((number,) for number in range(count)))


def work(lease_seconds: float, threads: int) -> None:
    """Run until a signal comes."""
    Worker(threads=threads, lease_seconds=lease_seconds, poll_seconds=0.05).run()


def stop(number: int) -> None:
    """Queue a job that signals its own process in front of all others, and work until stopped by it."""
    chaos_work.terminate_own_worker.using(priority=100).enqueue(number)
    chaos_work.workers.append(Worker())
    chaos_work.workers[0].run()


def kill() -> None:
    """Queue a job that kills its worker in front of all others, and work."""
    chaos_work.kill_own_worker.using(priority=100).enqueue()
    Worker(lease_seconds=0.3).run()


def begin(url: str, errors: str, what: str, *arguments: float) -> None:
    """A process's whole life: errors go to a file, the database is the one given."""
    sys.stderr = Path(errors).open("w", encoding="utf-8", buffering=1)  # noqa: SIM115  (open as long as the process lives)
    database = database_from_url(url, Path())
    if "postgresql" in database["ENGINE"]:  # workers are killed here, not the server: no need to wait for its disk
        database["OPTIONS"]["options"] = "-c synchronous_commit=off"
    del connections["default"]
    connections.settings = connections.configure_settings({"default": database})
    {"prepare": prepare, "work": work, "stop": stop, "kill": kill}[what](*arguments)
