"""`careloop manage verify_audit`: proves that no audit entry was changed, removed or slipped in."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from careloop.desk.audit.queries import verify_chain


class Command(BaseCommand):
    """Walks the whole trail; exit code 1 when it is broken."""

    help = "Walk the audit trail and prove that it is whole."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """How to print."""
        parser.add_argument("--json", action="store_true", dest="as_json", help="Print the report as JSON.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """One sentence, or JSON."""
        report = verify_chain()
        if options["as_json"]:
            self.stdout.write(json.dumps({**asdict(report), "is_whole": report.is_whole, "head": report.head}))
            if not report.is_whole:
                raise SystemExit(1)
            return
        if not report.is_whole:
            where = f"entry {report.broken_at}: " if report.broken_at is not None else ""
            raise CommandError(f"The audit trail is broken after {report.entries} entries; {where}{report.reason}.")
        self.stdout.write(f"The audit trail is whole: {report.entries} entries, head {report.head[:16]}.")
