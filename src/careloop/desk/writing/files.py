"""Files that somebody chose for a reply or a note: kept with the draft, held with a held reply, then part of the message."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import InvalidInput, NotFound
from careloop.desk.teamwork.attachments import check_files, keep_files
from careloop.desk.teamwork.file_rules import FILES_AT_ONCE, LARGEST_REPLY_BYTES, GivenFile, file_name
from careloop.desk.writing.models import HeldReply, WaitingFile

WITHOUT_BYTES = ("pk", "case_id", "kind", "held_id", "name", "size_bytes")
KINDS = ("REPLY", "NOTE")


def choose_files(*, case_id: int, kind: str, files: Sequence[GivenFile], viewer: Viewer, now: datetime) -> None:
    """Put files to what somebody is writing; all or, if one cannot be sent, none. A file that is there already is there once."""
    check_may(viewer, "case.work")
    case = access_case(case_id, viewer)
    if kind not in KINDS:
        raise InvalidInput(f"The kind of draft is {kind!r}; expected one of {', '.join(KINDS)}.", field="kind")
    with transaction.atomic():
        waiting = list(_chosen(case_id, kind, viewer))
        new = [one for one in files if all((one.name, one.content) != (other.name, bytes(other.content)) for other in waiting)]
        check_files(case, new, waiting=len(waiting))
        if sum(one.size_bytes for one in waiting) + sum(len(one.content) for one in new) > LARGEST_REPLY_BYTES:
            sentence = _("The files of one message have at most %(most)s MB together; send the rest with another one.")
            raise InvalidInput(sentence % {"most": LARGEST_REPLY_BYTES // 1_000_000}, field="files")
        for one in new:
            facts: dict[str, Any] = {"name": file_name(one.name), "size_bytes": len(one.content), "content": one.content, "chosen_at": now}
            WaitingFile.objects.create(case=case, user_id=viewer.user_id, kind=kind, **facts)


def leave_out(*, case_id: int, file_id: int, viewer: Viewer) -> str:
    """Take a chosen file out of what one is writing; returns of which kind that was."""
    check_may(viewer, "case.work")
    access_case(case_id, viewer)
    found = WaitingFile.objects.filter(pk=file_id, case_id=case_id, user_id=viewer.user_id, held=None).only(*WITHOUT_BYTES).first()
    if found is None:
        raise NotFound(_("There is no such file in what you are writing."))
    kind = found.kind
    found.delete()
    return kind


def list_chosen(case_id: int, viewer: Viewer) -> dict[str, list[WaitingFile]]:
    """The files of the viewer's drafts on a case by kind, without their bytes."""
    found: dict[str, list[WaitingFile]] = {kind: [] for kind in KINDS}
    mine = WaitingFile.objects.filter(case_id=case_id, user_id=viewer.user_id, held=None)
    for one in mine.only(*WITHOUT_BYTES).order_by("pk"):
        found[one.kind].append(one)
    return found


def hold_files(held: HeldReply) -> None:
    """The files of the draft wait with the reply."""
    WaitingFile.objects.filter(case_id=held.case_id, user_id=held.user_id, kind="REPLY", held=None).update(held=held)


def give_back_files(held: HeldReply) -> None:
    """The files of a reply that is not sent are the draft's again."""
    WaitingFile.objects.filter(held=held).update(held=None)


def keep_held(held: HeldReply, message_id: int, now: datetime) -> None:
    """The files of a held reply become the message's."""
    _keep(WaitingFile.objects.filter(held=held), held.case_id, message_id, now)


def keep_chosen(*, case_id: int, kind: str, message_id: int, viewer: Viewer, now: datetime) -> None:
    """The files of a draft become the message's."""
    _keep(_chosen(case_id, kind, viewer), case_id, message_id, now)


def _chosen(case_id: int, kind: str, viewer: Viewer) -> Any:
    return WaitingFile.objects.filter(case_id=case_id, user_id=viewer.user_id, kind=kind, held=None)


def _keep(rows: Any, case_id: int, message_id: int, now: datetime) -> None:
    files = [GivenFile(one.name, bytes(one.content)) for one in rows.order_by("pk")]
    if files:
        keep_files(case_id=case_id, message_id=message_id, files=files, most=FILES_AT_ONCE, now=now)
        rows.delete()
