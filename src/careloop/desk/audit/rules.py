"""How audit entries are chained: plain Python, so that an outside auditor can run it over an export."""

import hashlib
import json
from datetime import UTC
from typing import Any

GENESIS = "0" * 64


def hash_of(entry: Any) -> str:
    """SHA-256 over the entry's facts and the previous entry's hash."""
    facts = [
        entry.previous_hash,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.action,
        entry.object_type,
        entry.object_id,
        entry.details,
    ]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=True, separators=(",", ":")).encode()).hexdigest()
