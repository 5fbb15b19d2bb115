"""Reading and proving the audit trail."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_noop

from careloop.desk.audit.models import AuditEntry, AuditHead
from careloop.desk.audit.rules import GENESIS, hash_of


@dataclass(frozen=True)
class ChainReport:
    """What a walk along the chain found: `broken_at` is the id of the first entry that does not fit, `head` the hash at the end.

    Whoever writes the head down elsewhere can prove later that the trail up to there was not replaced as a whole.
    """

    entries: int
    head: str
    broken_at: int | None = None
    reason: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether every entry fits and none is missing."""
        return not self.reason


def verify_chain() -> ChainReport:
    """Walk the trail up to its present head: every hash must follow from its entry and the one before, and none may be missing."""
    head = AuditHead.objects.filter(pk=1).first()
    if head is None:
        return ChainReport(AuditEntry.objects.count(), GENESIS, None, "the head is missing" if AuditEntry.objects.exists() else "")
    previous, count = GENESIS, 0
    for entry in AuditEntry.objects.order_by("id")[: head.count].iterator(chunk_size=2000):
        count += 1
        if entry.previous_hash != previous:
            return ChainReport(count, head.hash, entry.pk, gettext_noop("its predecessor was removed or replaced"))
        if entry.hash != hash_of(entry):
            return ChainReport(count, head.hash, entry.pk, gettext_noop("its facts were changed"))
        previous = entry.hash
    if (head.hash, head.count) != (previous, count):
        return ChainReport(count, head.hash, None, f"there are {count} entries but {head.count} were appended: the trail's end was removed")
    return ChainReport(count, head.hash)


def list_actions() -> list[str]:
    """Every action that was recorded so far, by name."""
    return list(AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct())


def has_lately(actor_id: int, action: str, object_id: int, *, since: datetime) -> bool:
    """Whether this person did this to this object since then."""
    return AuditEntry.objects.filter(actor_kind="user", actor_id=actor_id, action=action, object_id=object_id, at__gte=since).exists()


def list_entries(
    *, object_type: str = "", object_id: int | None = None, action: str = "", before_id: int | None = None, limit: int = 100
) -> list[AuditEntry]:
    """The newest entries, optionally of one object or one action, or those older than an entry."""
    entries = AuditEntry.objects.order_by("-id")
    if before_id is not None:
        entries = entries.filter(pk__lt=before_id)
    if object_type:
        entries = entries.filter(object_type=object_type)
    if object_id is not None:
        entries = entries.filter(object_id=object_id)
    if action:
        entries = entries.filter(action=action)
    return list(entries[:limit])
