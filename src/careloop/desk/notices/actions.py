"""Telling people."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from careloop.desk.accounts.rules import Viewer
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.notices.models import Notice, NoticeKind


def notify(
    *, user_ids: Iterable[int], kind: str, key: str, now: datetime, case_id: int | None = None, facts: dict[str, Any] | None = None
) -> None:
    """Tell people once for each `key`, in the caller's transaction; somebody who was told already is not told again."""
    insert_rows(
        (
            Notice(user_id=user_id, kind=NoticeKind(kind).value, case_id=case_id, facts=facts or {}, key=key[:120], at=now)
            for user_id in sorted(set(user_ids))
        ),
        ignore_conflicts=True,
    )


def mark_read(*, viewer: Viewer, now: datetime, notice_id: int | None = None) -> int:
    """Mark one of the viewer's notices as read, or all of them; returns how many were unread."""
    mine = Notice.objects.filter(user_id=viewer.user_id, read_at=None)
    return (mine if notice_id is None else mine.filter(pk=notice_id)).update(read_at=now)
