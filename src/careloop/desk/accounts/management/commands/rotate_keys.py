"""`careloop manage rotate_keys`: a new encryption key for personal fields, and everything re-encrypted with it."""

import sys
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from careloop.desk.audit import actions as audit
from careloop.desk.kernel import crypto
from careloop.desk.kernel.actor import SYSTEM
from careloop.desk.kernel.errors import DeskError
from careloop.desk.kernel.rotation import count_stale, encrypted_columns, reencrypt


class Command(BaseCommand):
    """Safe beside running processes, which take the new key over within a second; may be stopped and run again."""

    help = (
        "Add a new encryption key to secrets.json, make it the active one and re-encrypt every personal field with it. "
        "Old keys stay until --remove-unused: backups made before need them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to leave out or to add."""
        parser.add_argument("--continue", dest="is_continuing", action="store_true", help="Finish an interrupted run: make no new key.")
        parser.add_argument("--remove-unused", action="store_true", help="Then remove the keys that no stored value needs any more.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """New key, then columns one after another; old keys go only when no value needs them."""
        try:
            self._rotate(is_continuing=options["is_continuing"] or options["remove_unused"])
            if options["remove_unused"]:
                self._remove_unused()
        except (DeskError, crypto.DecryptionFailed) as error:
            raise CommandError(str(error)) from None

    def _rotate(self, *, is_continuing: bool) -> None:
        if not is_continuing:
            name = settings.SECRETS.add_key(now=datetime.now(UTC))
            self._record("keys.add", {"key": name})
            self.stdout.write(f"The key {name} is active now. Keep a copy of secrets.json with your backups.")
        left = 0
        for column in encrypted_columns():
            prefix = crypto.prefix_of(settings.SECRETS.active)
            total = count_stale(column, prefix)
            with tqdm(total=total, desc=column.context, unit=" values", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
                changed = 0
                for count in reencrypt(column):
                    changed += count
                    bar.update(count)
            self.stdout.write(f"{column.context}: {changed} re-encrypted")
            left += count_stale(column, prefix)
        if left:
            raise CommandError(f"{left} values were in use and kept their old key; run `careloop manage rotate_keys --continue`.")

    def _remove_unused(self) -> None:
        for name in sorted(set(settings.SECRETS.encryption) - {settings.SECRETS.active}):
            settings.SECRETS.remove_key(name, now=datetime.now(UTC))
            self._record("keys.remove", {"key": name})
            self.stdout.write(f"The key {name} was removed; keep it with the backups that were made while it was used.")

    def _record(self, action: str, details: dict[str, Any]) -> None:
        with transaction.atomic():
            audit.record(actor=SYSTEM, action=action, object_type="secrets", object_id=None, now=datetime.now(UTC), details=details)
