"""`careloop manage receive_mail CHANNEL < mail`: how a mail server or a mail fetcher hands a mail over."""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from careloop.desk.channels.email.incoming import LARGEST_MAIL_BYTES, parse
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import DeskError

NOT_ACCEPTABLE = 65  # EX_DATAERR of sysexits.h: the mail server tells the sender instead of trying again


class Command(BaseCommand):
    """Takes one mail through the front door; the same mail again is the same message."""

    help = "Read one mail from standard input, as Postfix, procmail, fetchmail or getmail pipe it, and store it with its files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which channel the mail came to."""
        parser.add_argument("channel", help="The channel's short name, as Settings, Channels shows it.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Store the mail and say as which message of which case."""
        now = datetime.now(UTC)
        try:
            inbound = parse(sys.stdin.buffer.read(LARGEST_MAIL_BYTES + 1), channel_slug=options["channel"], now=now)
            receipt = receive_message(inbound, now=now)
        except DeskError as error:
            raise CommandError(error.message, returncode=NOT_ACCEPTABLE) from None
        self.stdout.write(f"message {receipt.message_id} of case #{receipt.case_id}{'' if receipt.is_new else ', stored before'}")
