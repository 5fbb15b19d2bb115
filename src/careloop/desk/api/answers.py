"""The shapes that the API answers with."""

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field


class ErrorFacts(Schema):
    """Why something was refused."""

    code: str = Field(description="Stays the same between versions; programs may rely on it.")
    message: str = Field(description="A sentence for a person.")
    field: str = Field(description='The field that it is about, such as sender.email, or "".')


class ErrorAnswer(Schema):
    """Every refusal has this shape."""

    error: ErrorFacts


class ReceiptAnswer(Schema):
    """What was stored; the same for every delivery of the same message. Reviews have no case."""

    message_id: int
    case_id: int | None
    customer_id: int | None
    is_new: bool


class MessageAnswer(Schema):
    """One message between the customer and the house."""

    id: int
    case_id: int | None
    customer_id: int | None
    direction: Literal["inbound", "outbound"]
    body: str
    sent_at: datetime
    delivery: str = Field(description='Of outbound messages: QUEUED, SENT or FAILED; else "".')

    @staticmethod
    def resolve_direction(message: Any) -> str:
        """Lower case, as it is asked for."""
        return str(message.direction).lower()


class MessagesAnswer(Schema):
    """Messages in the order of their ids; give `next_after` as `after` to go on."""

    messages: list[MessageAnswer]
    next_after: int


class CaseAnswer(Schema):
    """One case."""

    id: int
    subject: str
    status: str
    kind: str
    priority: int
    sentiment: str
    category: str
    customer_id: int
    channel: str
    opened_at: datetime
    last_message_at: datetime
    first_response_at: datetime | None
    resolved_at: datetime | None
    version: int

    @staticmethod
    def resolve_channel(case: Any) -> str:
        """The channel's slug."""
        return str(case.channel.slug)


class CaseWithMessagesAnswer(CaseAnswer):
    """One case and what was said."""

    messages: list[MessageAnswer]


class CasesAnswer(Schema):
    """Cases in the order of their numbers; give `next_after` as `after` to go on."""

    cases: list[CaseAnswer]
    next_after: int


class HealthAnswer(Schema):
    """Whether the desk can work; status 503 when it cannot."""

    status: Literal["ok", "degraded", "down"]
    database: bool
    migrations: bool
    worker: bool
