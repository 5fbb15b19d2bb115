"""Keeping drafts, saying who is here, holding a reply and taking it back."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import check_may, viewer_of
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases import actions as cases
from careloop.desk.cases.models import Message
from careloop.desk.cases.queries import access_case
from careloop.desk.kernel.errors import Conflict, DeskError, InvalidInput, NotFound
from careloop.desk.notices.actions import notify
from careloop.desk.notices.models import NoticeKind
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.writing.files import give_back_files, keep_chosen, keep_held
from careloop.desk.writing.models import Draft, HeldReply, HeldState, Presence

KINDS = ("REPLY", "NOTE")


def keep_draft(*, case_id: int, kind: str, body: str, viewer: Viewer, now: datetime) -> None:
    """Keep what somebody has typed so far; blank forgets it. Also a sign that they are typing."""
    check_may(viewer, "case.work")
    access_case(case_id, viewer)
    if kind not in KINDS:
        raise InvalidInput(f"The kind of draft is {kind!r}; expected one of {', '.join(KINDS)}.", field="kind")
    body = body.replace("\0", "")[: cases.MAX_BODY_LENGTH]
    mine: dict[str, Any] = {"case_id": case_id, "user_id": viewer.user_id, "kind": kind}
    if body.strip():
        Draft.objects.update_or_create(**mine, defaults={"body": body, "changed_at": now})
    else:
        Draft.objects.filter(**mine, changed_at__lte=now).delete()  # a reply taken back since stays
    note_presence(case_id=case_id, viewer=viewer, now=now, is_typing=bool(body.strip()))


def forget_draft(*, case_id: int, kind: str, viewer: Viewer) -> None:
    """The text was sent or thrown away."""
    Draft.objects.filter(case_id=case_id, user_id=viewer.user_id, kind=kind).delete()


def write_note(*, case_id: int, body: str, viewer: Viewer, now: datetime) -> Message:
    """Add a note with the files that were chosen for it; its draft is forgotten."""
    with transaction.atomic():
        message = cases.add_note(case_id=case_id, body=body, viewer=viewer, now=now)
        keep_chosen(case_id=case_id, kind="NOTE", message_id=message.pk, viewer=viewer, now=now)
        forget_draft(case_id=case_id, kind="NOTE", viewer=viewer)
    return message


def note_presence(*, case_id: int, viewer: Viewer, now: datetime, is_typing: bool = False) -> None:
    """Say that somebody has the case open."""
    access_case(case_id, viewer)
    facts = {"seen_at": now, **({"typed_at": now} if is_typing else {})}
    Presence.objects.update_or_create(case_id=case_id, user_id=viewer.user_id, defaults=facts)


def undo_reply(*, held_id: int, viewer: Viewer, now: datetime) -> HeldReply:
    """Take a reply back before it is sent; its text becomes the draft again."""
    with transaction.atomic():
        held = HeldReply.objects.select_for_update().filter(pk=held_id, user_id=viewer.user_id).first()
        if held is None:
            raise NotFound(_("There is no reply of yours to take back."))
        if held.state != HeldState.WAITING:
            raise Conflict(_("The reply was sent already; write another one if something is missing."))
        _give_back(held, HeldState.UNDONE, now)
    return held


def send_held_reply(*, held_id: int, now: datetime) -> None:
    """Send a held reply once; one that cannot be sent any more goes back to its writer, with the reason.

    It was written in sight of the case: a case that went to another team meanwhile is answered nevertheless.
    """
    with transaction.atomic():
        held = HeldReply.objects.select_for_update(of=("self",)).select_related("user", "case").get(pk=held_id)
        if held.state != HeldState.WAITING:
            return
        writer = viewer_of(held.user)
        try:
            with transaction.atomic(), translation.override(held.user.language or settings.LANGUAGE_CODE):
                viewer = writer.seeing(held.case.team_id)
                facts: dict[str, Any] = {
                    "case_id": held.case_id,
                    "body": held.body,
                    "status": held.status,
                    "seen_message_id": held.seen_message_id,
                }
                message = reply_to_case(viewer=viewer, now=now, **facts)
                keep_held(held, message.pk, now)
        except DeskError as refused:
            held.refusal = refused.message[:300]
            _give_back(held, HeldState.REFUSED, now)
            told = {"text": held.refusal}
            if not writer.sees_team(held.case.team_id):
                told["body"] = held.body  # the draft cannot be read there any more
            notify(user_ids=[held.user_id], kind=NoticeKind.NOT_SENT, key=f"held {held.pk}", case_id=held.case_id, facts=told, now=now)
            return
        held.state, held.message_id = HeldState.SENT, message.pk
        held.save(update_fields=["state", "message_id"])


def _give_back(held: HeldReply, state: str, now: datetime) -> None:
    held.state = state
    held.save(update_fields=["state", "refusal"])
    give_back_files(held)
    mine: dict[str, Any] = {"case_id": held.case_id, "user_id": held.user_id, "kind": "REPLY"}
    typed = Draft.objects.filter(**mine).values_list("body", flat=True).first()
    body = f"{held.body}\n\n{typed}" if typed else held.body
    Draft.objects.update_or_create(**mine, defaults={"body": body, "changed_at": now})
