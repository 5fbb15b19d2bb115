"""What is handed to a channel for sending: plain Python."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outgoing:
    """One message to a customer; `to` is empty when the house knows no address that the channel can reach."""

    idempotency_key: str
    to: str
    subject: str
    body: str
    case_id: int


class CannotDeliver(Exception):
    """Trying again will not help; the sentence says why."""
