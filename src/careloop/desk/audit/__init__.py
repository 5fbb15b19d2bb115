"""The audit trail: append-only, hash-chained entries for changes by people and for look-ups of personal data."""
