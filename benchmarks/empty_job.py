"""The job that bench_jobs queues: it notes when it began."""

import time

from django_tasks import task

started: dict[int, float] = {}


@task()
def do_nothing(number: int) -> None:
    """Note the time."""
    started[number] = time.perf_counter()
