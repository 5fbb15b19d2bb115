"""What an inbound message is and what makes one acceptable: plain Python."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from careloop.desk.customers.rules import AddressValue
from careloop.desk.kernel.sentences import Sentence
from careloop.desk.teamwork.file_rules import GivenFile

MAX_BODY_LENGTH = 1_000_000
MAX_RAW_BYTES = 5_000_000
MAX_EXTERNAL_ID_LENGTH = 200
FUTURE_TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True)
class Inbound:
    """One message as a channel's parser hands it over; `raw` is what came over the wire, kept encrypted.

    `machine_made` says by what a program gave itself away that answered in the customer's place; "" where a person wrote.
    """

    channel_slug: str
    external_id: str
    text: str
    raw: bytes
    sent_at: datetime
    subject: str = ""
    sender_name: str = ""
    addresses: tuple[AddressValue, ...] = ()
    language: str = ""
    opens_case: bool = True
    case_id: int | None = None
    rating: float | None = None
    rating_min: float = 1
    rating_max: float = 5
    category: str = ""
    product: str = ""
    source: str = "REVIEW"
    content_type: str = field(default="application/json")
    files: tuple[GivenFile, ...] = ()
    machine_made: str = ""

    @property
    def is_feedback(self) -> bool:
        """Whether it carries a rating or is a review that opens no case."""
        return self.rating is not None or not self.opens_case


@dataclass(frozen=True)
class Receipt:
    """What the sender is told; the same for every delivery of the same message. `is_new` is False from the second on."""

    message_id: int
    case_id: int | None
    customer_id: int | None
    is_new: bool


def problems_of(inbound: Inbound, now: datetime) -> list[tuple[str, Sentence]]:
    """(field, sentence) for each reason why the message cannot be accepted; empty when it can."""
    found = [*_problems_of_size(inbound)]
    if inbound.sent_at.tzinfo is None:
        found.append(("sent_at", Sentence("The time has no zone; give one such as 2026-05-02T14:03:00+08:00.")))
    elif inbound.sent_at > now + FUTURE_TOLERANCE:
        time = inbound.sent_at.isoformat()
        found.append(("sent_at", Sentence("The time {time} lies in the future; check the sender's clock.", time=time)))
    if inbound.rating is not None and not inbound.rating_min <= inbound.rating <= inbound.rating_max:
        scale = {"low": inbound.rating_min, "high": inbound.rating_max}
        found.append(("rating", Sentence("The rating is {given:g}; expected {low:g} to {high:g}.", given=inbound.rating, **scale)))
    if inbound.opens_case and not inbound.addresses:
        found.append(
            (
                "addresses",
                Sentence("There is no address; a message that opens a case needs the sender's e-mail, phone or name in the channel."),
            )
        )
    if inbound.files and not inbound.opens_case:
        found.append(("files", Sentence("There are files; only a message that opens or joins a case can have some.")))
    for address in inbound.addresses:
        try:
            _ = address.normalised
        except ValueError as error:
            found.append((f"addresses.{address.kind.lower()}", error.args[0]))
    return found


def _problems_of_size(inbound: Inbound) -> Iterator[tuple[str, Sentence]]:
    if not inbound.text.strip("\0 \t\r\n") and inbound.rating is None:
        yield "text", Sentence("The text is empty; a message needs a text or a rating.")
    if (count := len(inbound.text)) > MAX_BODY_LENGTH:
        yield "text", Sentence("The text has {count:,} characters; at most {most:,} are accepted.", count=count, most=MAX_BODY_LENGTH)
    if (count := len(inbound.raw)) > MAX_RAW_BYTES:
        yield "raw", Sentence("The delivery has {count:,} bytes; at most {most:,} are accepted.", count=count, most=MAX_RAW_BYTES)
    name = inbound.external_id
    if not name or len(name) > MAX_EXTERNAL_ID_LENGTH or "\0" in name:
        facts = {"count": len(name), "most": MAX_EXTERNAL_ID_LENGTH}
        yield "external_id", Sentence("The external id has {count} characters; expected 1 to {most}, without NUL.", **facts)


def clean_text(text: str) -> str:
    """The text as stored: no NUL, no lone surrogates, line ends as \\n."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").strip()


def derived_external_id(*parts: object) -> str:
    """An external id for sources that have none: equal content gives an equal id."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "replace")).hexdigest()
