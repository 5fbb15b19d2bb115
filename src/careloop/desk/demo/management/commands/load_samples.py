"""`careloop manage load_samples`: a quarter of a year of a made-up house, into an empty desk."""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from careloop.desk.demo.actions import SEED, load_samples
from careloop.desk.kernel.errors import DeskError


class Command(BaseCommand):
    """Loads all or nothing; tells who can sign in."""

    help = "Fill an empty desk with sample data: a shop, a bank and a travel agency with three months of cases in Chinese and English."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The seed of the random numbers."""
        parser.add_argument("--seed", type=int, default=SEED, help="The same seed gives the same content (default: %(default)s).")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make the tables if need be, load, print the sign-ins once."""
        call_command("migrate", verbosity=0, interactive=False)
        with tqdm(desc="messages read", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

            def show(done: int, of: int) -> None:
                bar.total = of
                bar.update(done - bar.n)

            try:
                sign_ins = load_samples(now=datetime.now(UTC), seed=options["seed"], progress=show)
            except DeskError as error:
                raise CommandError(error.message) from None
        for role, email, password in sign_ins:
            self.stdout.write(f"{role:<12} {email:<28} {password}")
