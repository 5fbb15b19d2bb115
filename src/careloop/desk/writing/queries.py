"""What is being written, and by whom."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import access_case
from careloop.desk.writing.files import WITHOUT_BYTES, list_chosen
from careloop.desk.writing.models import Draft, HeldReply, HeldState, Presence, WaitingFile

HERE = timedelta(seconds=45)
TYPING = timedelta(seconds=15)


@dataclass(frozen=True)
class Other:
    """A colleague who has the case open."""

    name: str
    is_typing: bool


@dataclass(frozen=True)
class Writing:
    """What the viewer has begun on a case: typed text and chosen files by kind, and replies that can still be taken back."""

    drafts: dict[str, str]
    files: dict[str, list[WaitingFile]]
    held: list[HeldReply]


def writing_of(case_id: int, viewer: Viewer) -> Writing:
    """The viewer's own drafts and held replies on a case (four queries at most)."""
    drafts = Draft.objects.filter(case_id=case_id, user_id=viewer.user_id).values_list("kind", "body")
    held = HeldReply.objects.filter(case_id=case_id, user_id=viewer.user_id, state=HeldState.WAITING).order_by("pk")
    files = WaitingFile.objects.only(*WITHOUT_BYTES).order_by("pk")
    return Writing(dict(drafts), list_chosen(case_id, viewer), list(held.prefetch_related(Prefetch("files", files))))


def list_others(case_id: int, viewer: Viewer, now: datetime) -> list[Other]:
    """Colleagues who have the case open now, those who type first."""
    access_case(case_id, viewer)
    rows = Presence.objects.filter(case_id=case_id, seen_at__gte=now - HERE).exclude(user_id=viewer.user_id).select_related("user")
    others = [Other(row.user.display_name, row.typed_at is not None and row.typed_at >= now - TYPING) for row in rows]
    return sorted(others, key=lambda other: (not other.is_typing, other.name))
