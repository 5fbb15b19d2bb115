"""Reading and proving the audit trail."""

from dataclasses import dataclass

from careloop.desk.audit.models import AuditEntry, AuditHead
from careloop.desk.audit.rules import GENESIS, hash_of


@dataclass(frozen=True)
class ChainReport:
    """Whether the chain is whole; `broken_at` is the id of the first entry that does not fit, or None."""

    entries: int
    broken_at: int | None
    reason: str = ""


def verify_chain() -> ChainReport:
    """Walk the whole trail: every hash must follow from its entry and the one before, and the head must be the last."""
    previous, count = GENESIS, 0
    for entry in AuditEntry.objects.order_by("id").iterator(chunk_size=2000):
        count += 1
        if entry.previous_hash != previous:
            return ChainReport(count, entry.pk, "its predecessor was removed or replaced")
        if entry.hash != hash_of(entry):
            return ChainReport(count, entry.pk, "its facts were changed")
        previous = entry.hash
    head = AuditHead.objects.get(pk=1)
    if (head.hash, head.count) != (previous, count):
        return ChainReport(count, None, f"the trail has {count} entries but {head.count} were appended: its end was removed")
    return ChainReport(count, None)


def list_entries(*, object_type: str = "", object_id: int | None = None, action: str = "", limit: int = 100) -> list[AuditEntry]:
    """The newest entries, optionally of one object or one action."""
    entries = AuditEntry.objects.order_by("-id")
    if object_type:
        entries = entries.filter(object_type=object_type)
    if object_id is not None:
        entries = entries.filter(object_id=object_id)
    if action:
        entries = entries.filter(action=action)
    return list(entries[:limit])
