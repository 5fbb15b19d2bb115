"""The JSON that a program sends for one message; the OpenAPI document is made from it."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

LARGEST_ID = 2**63 - 1
LARGEST_RATING = 1e6
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
NO_NUL = r"^[^\x00]*$"


def _readable(value: Any) -> Any:
    """Lone surrogates, which no database stores, become question marks."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def _moment(value: Any) -> Any:
    """An RFC 3339 time with its zone, since 1970."""
    if value is None:
        return None
    if not isinstance(value, str) or not RFC3339.fullmatch(value.upper()):
        raise ValueError("expected a time with zone such as 2026-05-02T14:03:00+08:00")
    moment = datetime.fromisoformat(value.upper())
    if moment.year < 1970 or moment < EARLIEST:
        raise ValueError("the time lies before 1970; check the sender's clock")
    return moment


Words = Annotated[str, BeforeValidator(_readable)]
Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})]
Rating = Annotated[float, Field(ge=-LARGEST_RATING, le=LARGEST_RATING, allow_inf_nan=False)]


class Sender(BaseModel):
    """Who wrote; a message that opens a case needs an e-mail address, a phone number or a handle."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: Words = Field(default="", max_length=200)
    email: str = Field(default="", max_length=320, pattern=NO_NUL, description="Finds the customer, whatever its case.")
    phone: str = Field(
        default="", max_length=320, pattern=NO_NUL, description="Any usual way of writing; mainland China unless it begins with +."
    )
    handle: str = Field(default="", max_length=320, pattern=NO_NUL, description="The sender's name or number in the delivering system.")
    language: str = Field(
        default="", max_length=10, pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,6})?)?$", description="Such as zh-Hans or en."
    )


class Delivery(BaseModel):
    """One message from a customer."""

    model_config = ConfigDict(strict=True, extra="forbid")

    external_id: str = Field(min_length=1, max_length=200, pattern=NO_NUL, description="Your id; the same id again is the same message.")
    text: Words = Field(default="", max_length=1_000_000, description="What the customer said; may be empty when there is a rating.")
    subject: Words = Field(default="", max_length=1_000)
    sent_at: Moment | None = Field(default=None, description="When it was said; now when absent.")
    sender: Sender = Sender()
    rating: Rating | None = Field(default=None, description="From rating_min to rating_max.")
    rating_min: Rating = 1
    rating_max: Rating = 5
    category: Words = Field(default="", max_length=80)
    product: Words = Field(default="", max_length=120)
    opens_case: bool = Field(default=True, description="False for reviews and answers that nobody has to work on.")
    case_id: int | None = Field(default=None, ge=1, le=LARGEST_ID, description="The case that the customer refers to, if it is theirs.")


def delivery_schema() -> dict[str, Any]:
    """JSON Schema of a delivery without references."""
    schema = Delivery.model_json_schema()
    schema["properties"]["sender"] = schema.pop("$defs")["Sender"]
    return schema
