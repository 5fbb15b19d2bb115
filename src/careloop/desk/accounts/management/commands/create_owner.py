"""`careloop manage create_owner --email ADDRESS`: the first account of a desk."""

import getpass
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from careloop.desk.accounts.actions import create_user
from careloop.desk.accounts.rules import OWNER
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.kernel.errors import DeskError


class Command(BaseCommand):
    """Makes an owner, who makes everybody else on the Users page."""

    help = "Make an account with the role owner; the password is asked for, or read as one line from standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The address, and the name that colleagues see."""
        parser.add_argument("--email", required=True, help="E-mail address to sign in with.")
        parser.add_argument("--name", default="", help="Name that colleagues and customers see; default: the address's first part.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make the tables if this is the very first command; ask twice on a terminal, else read one line."""
        call_command("migrate", verbosity=0, interactive=False)
        if sys.stdin.isatty():
            password = getpass.getpass("Password (at least 10 characters): ")
            if getpass.getpass("Once more: ") != password:
                raise CommandError("The two passwords differ; nothing was made. Run the command again.")
        else:
            password = sys.stdin.readline().rstrip("\n")
        name = options["name"] or options["email"].split("@")[0]
        try:
            user = create_user(
                email=options["email"], display_name=name, role=OWNER, team_ids=[], password=password, actor=SYSTEM, now=datetime.now(UTC)
            )
        except DeskError as error:
            raise CommandError(error.message) from None
        self.stdout.write(f"{user.email} can sign in as owner.")
