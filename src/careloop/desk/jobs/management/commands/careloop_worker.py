"""`manage.py careloop_worker`: the same as `careloop worker`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from careloop.desk.jobs import worker


class Command(BaseCommand):
    """Works off the queue until SIGTERM or Ctrl-C."""

    help = "Run queued jobs until SIGTERM or Ctrl-C; the present job is ended first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Threads, queues, once."""
        parser.add_argument("--threads", type=int, default=1, help="jobs at the same time in this process (1)")
        parser.add_argument("--queue", action="append", default=[], help="only this queue; may be repeated (all)")
        parser.add_argument("--once", action="store_true", help="end when nothing is due")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the worker."""
        worker.main(threads=options["threads"], queues=options["queue"], once=options["once"])
