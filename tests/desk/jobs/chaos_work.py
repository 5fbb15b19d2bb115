"""The jobs of the chaos test: each writes one row, with the same effect however often it runs."""

import os
import signal

from django.db import connection
from django_tasks import task

workers: list = []


@task()
def write_effect(number):
    """Add the row of this number, or count one more run of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO chaos_effect (number, runs) VALUES (%s, 1) ON CONFLICT (number) DO UPDATE SET runs = chaos_effect.runs + 1",
            [number],
        )


@task()
def terminate_own_worker(number):
    """Send the asked signal to this process, and end only after the worker has taken note of it."""
    os.kill(os.getpid(), number)
    assert workers[0]._stopping.wait(120)


@task()
def kill_own_worker():
    """What the kernel does to a process that takes too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)
