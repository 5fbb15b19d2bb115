"""Files that came with messages."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.models import Case
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.teamwork.models import Attachment
from careloop.desk.teamwork.rules import FILES_AT_ONCE, FILES_IN_A_CASE, LARGEST_FILE_BYTES, file_name, file_type


class GivenFile(NamedTuple):
    """A file as it came: its name as given, its bytes."""

    name: str
    content: bytes


def check_files(case: Case, files: Sequence[GivenFile]) -> None:
    """Refuse too many files, too large ones, and what is no picture, PDF or text."""
    if len(files) > FILES_AT_ONCE:
        raise InvalidInput(_("At most %(n)s files can be sent at once.") % {"n": FILES_AT_ONCE}, field="files")
    if files and Attachment.objects.filter(case=case).count() + len(files) > FILES_IN_A_CASE:
        raise InvalidInput(_("This case has %(n)s files already; no more fit.") % {"n": FILES_IN_A_CASE}, field="files")
    for one in files:
        facts = {"name": file_name(one.name), "most": LARGEST_FILE_BYTES // 1_000_000}
        if len(one.content) > LARGEST_FILE_BYTES:
            raise InvalidInput(_("“%(name)s” is too large; at most %(most)s MB fit.") % facts, field="files")
        if not file_type(one.content):
            raise InvalidInput(_("“%(name)s” is no picture, PDF or text; other files cannot be sent here.") % facts, field="files")


def attach(*, case_id: int, message_id: int, files: Sequence[GivenFile], now: datetime) -> None:
    """Keep checked files with their message; the same file of the same message is kept once."""
    with transaction.atomic():
        for one in files:
            digest = hashlib.sha256(one.content).hexdigest()
            facts: dict[str, Any] = {"name": file_name(one.name), "content_type": file_type(one.content), "content": one.content}
            facts |= {"case_id": case_id, "size_bytes": len(one.content), "received_at": now}
            Attachment.objects.get_or_create(message_id=message_id, sha256=digest, defaults=facts)


def list_files(case: Case) -> list[Attachment]:
    """The files of a case without their bytes, oldest first."""
    return list(Attachment.objects.filter(case=case).defer("content").order_by("pk"))


def get_file(case: Case, file_id: int) -> Attachment:
    """One file of a case that somebody was let into."""
    found = Attachment.objects.filter(case=case, pk=file_id).first()
    if found is None:
        raise NotFound(_("Case #%(number)s has no such file.") % {"number": case.pk})
    return found


def access_file(case_id: int, file_id: int, viewer: Viewer) -> Attachment:
    """One file of a case in the viewer's teams."""
    return get_file(access_case(case_id, viewer), file_id)
