"""Appending to the audit trail, in the caller's transaction."""

from datetime import datetime
from typing import Any

from django.db import transaction

from careloop.desk.audit.models import AuditEntry, AuditHead
from careloop.desk.audit.rules import GENESIS, hash_of
from careloop.desk.kernel.actor import Actor


def record(
    *,
    actor: Actor,
    action: str,
    object_type: str,
    object_id: int | None,
    now: datetime,
    details: dict[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry; it commits or vanishes with the change that it tells of."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("audit.record was called outside a transaction: the entry must commit together with the change")
    head = AuditHead.objects.select_for_update().filter(pk=1).first() or _first_head()
    entry = AuditEntry(
        at=now,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_name=actor.name,
        action=action,
        object_type=object_type,
        object_id=object_id,
        details=details or {},
        previous_hash=head.hash,
    )
    entry.hash = hash_of(entry)
    entry.save(force_insert=True)
    AuditHead.objects.filter(pk=1).update(hash=entry.hash, count=head.count + 1)
    return entry


def _first_head() -> AuditHead:
    """The head of a trail that has no entry yet; a trail with entries and without head was tampered with."""
    if AuditEntry.objects.exists() and not AuditHead.objects.exists():
        raise RuntimeError("The audit trail has entries but no head; run `careloop manage verify_audit` and restore the database.")
    AuditHead.objects.bulk_create([AuditHead(pk=1, hash=GENESIS, count=0)], ignore_conflicts=True)
    return AuditHead.objects.select_for_update().get(pk=1)
