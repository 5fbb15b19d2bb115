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


class AspectAnswer(Schema):
    """What part of the offer a message speaks of, and how."""

    aspect: str = Field(description="Such as delivery, service or quality.")
    sentiment: Literal["positive", "neutral", "negative"]
    probability: float = Field(description="That the opinion is positive rather than negative, 0–1.")

    @staticmethod
    def resolve_sentiment(aspect: Any) -> str:
        """Lower case, as everywhere in readings."""
        return str(aspect.sentiment).lower()


class MessageAnswer(Schema):
    """One message between the customer and the house."""

    id: int
    case_id: int | None
    customer_id: int | None
    direction: Literal["inbound", "outbound"]
    body: str
    sent_at: datetime
    delivery: str = Field(description='Of outbound messages: QUEUED, SENT or FAILED; else "".')
    aspects: list[AspectAnswer] = Field(description="What a customer's message speaks of; empty until it is read.")

    @staticmethod
    def resolve_direction(message: Any) -> str:
        """Lower case, as it is asked for."""
        return str(message.direction).lower()

    @staticmethod
    def resolve_aspects(message: Any) -> list[Any]:
        """In a fixed order; the queries fetch them for all messages at once."""
        return sorted(message.aspects.all(), key=lambda one: one.pk)


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
    tags: list[str] = Field(default_factory=list, description="By name.")
    fields: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="The house's own fields that have a value, by code."
    )

    @staticmethod
    def resolve_tags(case: Any) -> list[str]:
        """Looked up for all cases of an answer at once."""
        return list(getattr(case, "shown_tags", []))

    @staticmethod
    def resolve_fields(case: Any) -> dict[str, Any]:
        """Looked up for all cases of an answer at once."""
        return dict(getattr(case, "shown_fields", {}))

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
