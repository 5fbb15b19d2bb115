"""The front door: every message from a customer enters here, in one transaction."""
