"""What is handed to a channel for sending: plain Python."""

from dataclasses import dataclass
from typing import NamedTuple


class SentFile(NamedTuple):
    """A file that goes with a message."""

    name: str
    content: bytes
    content_type: str


@dataclass(frozen=True)
class Outgoing:
    """One message to a customer; `to` is empty when the house knows no address that the channel can reach.

    `is_automatic` says that no person wrote it: other machines must not answer it. `html` says the same as `body`, for mails that look
    like something; `refuse_url` ends such mails by a POST, where they can be refused.
    """

    idempotency_key: str
    to: str
    subject: str
    body: str
    case_id: int
    is_automatic: bool = False
    files: tuple[SentFile, ...] = ()
    html: str = ""
    refuse_url: str = ""


class CannotDeliver(Exception):
    """Trying again will not help; the sentence says why."""
