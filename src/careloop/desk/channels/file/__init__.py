"""Files: each row of a table is a message or a review. Pure: cleaned values in, Inbound out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from careloop.desk.customers.rules import EMAIL, HANDLE, PHONE, AddressValue
from careloop.desk.intake.rules import Inbound

CONTENT_TYPE = "application/json"


@dataclass(frozen=True)
class Origin:
    """What all rows of one file share. `content_id` tells files apart by their content; rows without a time of their own get `read_at`."""

    channel_slug: str
    content_id: str
    read_at: datetime
    opens_case: bool
    rating_min: float = 1
    rating_max: float = 5


def parse(values: Mapping[str, Any], row_number: int, raw: bytes, origin: Origin) -> Inbound:
    """The message in one row, from its values by field; the same row of the same file always has the same external id."""
    return Inbound(
        channel_slug=origin.channel_slug,
        external_id=values.get("external_id") or f"{origin.content_id}:{row_number}",
        text=values.get("text") or "",
        raw=raw,
        sent_at=values.get("sent_at") or origin.read_at,
        subject=values.get("subject") or "",
        sender_name=values.get("customer_name") or "",
        addresses=addresses_of(values, origin.channel_slug),
        language=values.get("language") or "",
        opens_case=origin.opens_case,
        rating=values.get("rating"),
        rating_min=origin.rating_min,
        rating_max=origin.rating_max,
        category=values.get("category") or "",
        product=values.get("product") or "",
        content_type=CONTENT_TYPE,
    )


def addresses_of(values: Mapping[str, Any], channel_slug: str) -> tuple[AddressValue, ...]:
    """E-mail, phone and the customer number, which is unique within its channel only."""
    given = (("email", EMAIL, ""), ("phone", PHONE, ""), ("customer_id", HANDLE, channel_slug))
    return tuple(AddressValue(kind, values[field], scope) for field, kind, scope in given if values.get(field))
