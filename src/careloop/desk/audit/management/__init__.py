"""Commands of `careloop manage` about the audit trail."""
