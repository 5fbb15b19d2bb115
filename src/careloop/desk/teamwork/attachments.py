"""Files of messages: what customers sent, and what people at the desk sent them or put beside a note."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.audit import actions as audit
from careloop.desk.cases.models import Case, Delivery, Direction, Message
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.actor import Actor
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.teamwork.file_rules import (
    FILES_AT_ONCE,
    FILES_IN_A_CASE,
    LARGEST_FILE_BYTES,
    TOO_LARGE,
    TOO_MANY,
    GivenFile,
    JudgedFile,
    judge_files,
)
from careloop.desk.teamwork.models import Attachment

WITHOUT_BYTES = ("pk", "case_id", "message_id", "name", "content_type", "size_bytes", "refusal", "received_at")


def count_files(case_id: int) -> int:
    """How many files of a case are kept."""
    return Attachment.objects.filter(case_id=case_id, refusal="").count()


def check_files(case: Case, files: Sequence[GivenFile], *, waiting: int = 0) -> None:
    """Refuse all files if one of them cannot be kept; `waiting` others go with the same message."""
    if len(files) + waiting > FILES_AT_ONCE:
        raise InvalidInput(_("At most %(n)s files can be sent at once.") % {"n": FILES_AT_ONCE}, field="files")
    for one in judge_files(files, kept_before=count_files(case.pk) + waiting, most=FILES_AT_ONCE) if files else ():
        if one.refusal:
            raise InvalidInput(why_refused(one), field="files")


def why_refused(one: JudgedFile) -> str:
    """The sentence for a file that is not kept."""
    if one.refusal == TOO_LARGE:
        facts = {"name": one.name, "most": LARGEST_FILE_BYTES // 1_000_000}
        return _("“%(name)s” is too large; at most %(most)s MB fit.") % facts
    if one.refusal == TOO_MANY:
        return _("This case has %(n)s files already; no more fit.") % {"n": FILES_IN_A_CASE}
    return _("“%(name)s” is no picture, PDF, text or office document without macros; other files cannot be sent here.") % {"name": one.name}


def keep_files(*, case_id: int, message_id: int, files: Sequence[GivenFile], most: int, now: datetime) -> None:
    """Keep the files of a message, the same bytes once; what cannot be kept stays as a row that says why. In the caller's transaction."""
    for one in judge_files(files, kept_before=count_files(case_id), most=most):
        digest = hashlib.sha256(one.content).hexdigest()
        facts: dict[str, Any] = {"name": one.name, "content_type": one.content_type, "refusal": one.refusal, "case_id": case_id}
        facts |= {"content": b"" if one.refusal else one.content, "size_bytes": len(one.content), "received_at": now}
        Attachment.objects.get_or_create(message_id=message_id, sha256=digest, defaults=facts)


def list_files(case: Case, limit: int = FILES_IN_A_CASE) -> list[Attachment]:
    """The files of a case without their bytes, the newest first."""
    return list(Attachment.objects.filter(case=case).only(*WITHOUT_BYTES).order_by("-pk")[:limit])


def show_with(messages: Iterable[Message]) -> None:
    """Give each message its files as `shown_files`, without their bytes, in one query."""
    found: dict[int, list[Attachment]] = {message.pk: [] for message in messages}
    for one in Attachment.objects.filter(message_id__in=[*found]).only(*WITHOUT_BYTES).order_by("pk"):
        found[one.message_id].append(one)
    for message in messages:
        message.shown_files = found[message.pk]  # type: ignore[attr-defined]


def files_of(message_id: int) -> list[Attachment]:
    """The kept files of a message with their bytes, for sending."""
    return list(Attachment.objects.filter(message_id=message_id, refusal="").order_by("pk"))


def open_file(case_id: int, file_id: int, viewer: Viewer, *, now: datetime) -> Attachment:
    """One file of a case in the viewer's teams with its bytes; the audit trail notes who took it."""
    case = access_case(case_id, viewer)
    return _opened(Attachment.objects.filter(case=case), case, file_id, actor_of(viewer), now)


def open_customers_file(case: Case, file_id: int, actor: Actor, *, now: datetime) -> Attachment:
    """One file that stands on the customer's page: of no note, and of nothing that can still be taken back."""
    said = Attachment.objects.filter(case=case).exclude(message__direction=Direction.NOTE).exclude(message__delivery=Delivery.QUEUED)
    return _opened(said, case, file_id, actor, now)


def _opened(among: Any, case: Case, file_id: int, actor: Actor, now: datetime) -> Attachment:
    found: Attachment | None = among.filter(pk=file_id, refusal="").first()
    if found is None:
        raise NotFound(_("Case #%(number)s has no such file.") % {"number": case.pk})
    details = {"file": found.pk, "name": found.name}
    with transaction.atomic():
        audit.record(actor=actor, action="file.view", object_type="case", object_id=case.pk, now=now, details=details)
    return found
