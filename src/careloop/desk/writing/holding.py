"""Holding a reply for its moment of second thoughts, and the job that ends it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases import actions as cases
from careloop.desk.outbox.actions import reply_to_case
from careloop.desk.writing.actions import forget_draft
from careloop.desk.writing.files import hold_files, keep_chosen
from careloop.desk.writing.models import HeldReply
from careloop.desk.writing.tasks import send_held


def hold_reply(
    *, case_id: int, body: str, viewer: Viewer, now: datetime, status: str, seen_message_id: int | None = None
) -> HeldReply | None:
    """Send a reply after the house's moment for second thoughts, or at once (None) where there is no such moment.

    What would be refused then is refused now: an empty text, somebody who wrote in between, a case out of sight.
    """
    if not settings.UNDO_SEND_SECONDS:
        with transaction.atomic():
            sent = reply_to_case(case_id=case_id, body=body, viewer=viewer, now=now, status=status, seen_message_id=seen_message_id)
            keep_chosen(case_id=case_id, kind="REPLY", message_id=sent.pk, viewer=viewer, now=now)
            forget_draft(case_id=case_id, kind="REPLY", viewer=viewer)
        return None
    with transaction.atomic():
        cases.check_reply(case_id=case_id, body=body, viewer=viewer, status=status, seen_message_id=seen_message_id)
        send_at = now + timedelta(seconds=settings.UNDO_SEND_SECONDS)
        held = HeldReply.objects.create(
            case_id=case_id, user_id=viewer.user_id, body=body, status=status, seen_message_id=seen_message_id, held_at=now, send_at=send_at
        )
        hold_files(held)
        forget_draft(case_id=case_id, kind="REPLY", viewer=viewer)
        send_held.using(run_after=send_at).enqueue(held.pk)
    return held
