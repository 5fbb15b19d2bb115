"""Messages in and replies out, for the channel of the calling key."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest
from ninja import Query, Router, Status

from careloop.desk.api.answers import MessagesAnswer, ReceiptAnswer
from careloop.desk.api.errors import LengthMissing, NotJson, TooLarge, check_parameters, refusals
from careloop.desk.api.gathering import Gathering
from careloop.desk.cases.channel_queries import list_channel_messages
from careloop.desk.channels import api as channel
from careloop.desk.channels.api.delivery import LARGEST_ID, delivery_schema
from careloop.desk.kernel.errors import InvalidInput

router = Router(tags=["messages"])
gathering = Gathering()
DELIVERY_BODY = {"requestBody": {"required": True, "content": {"application/json": {"schema": delivery_schema()}}}}

After = Annotated[int, Query(ge=0, le=LARGEST_ID, description="The last id that you have; 0 begins at the first.")]
Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]


@router.post(
    "/messages",
    response={201: ReceiptAnswer, 200: ReceiptAnswer, **refusals(400, 401, 411, 413, 415, 422, 503)},
    summary="Deliver a message",
    openapi_extra=DELIVERY_BODY,
)
def deliver_message(request: HttpRequest) -> Any:
    """Store one message from a customer: 201 when it is new, 200 with the same receipt when its external_id was stored before."""
    check_parameters(request)
    raw = read_json_body(request)
    now = datetime.now(UTC)
    inbound = channel.parse(raw, channel_slug=request.auth.channel.slug, now=now)  # type: ignore[attr-defined]
    try:
        receipt = gathering.receive(inbound, now=now)
    except InvalidInput as error:
        raise InvalidInput(error.message, field=_field_of_delivery(error.field)) from None
    return Status(201 if receipt.is_new else 200, ReceiptAnswer.model_construct(**vars(receipt)))


@router.get("/messages", response={200: MessagesAnswer, **refusals(401, 422, 503)}, summary="Fetch replies")
def list_messages(
    request: HttpRequest, after: After = 0, limit: Limit = 50, direction: Literal["outbound", "inbound"] = "outbound"
) -> dict[str, Any]:
    """Messages of the key's channel, oldest first; new ones appear here two seconds after they were written."""
    check_parameters(request, "after", "limit", "direction")
    key = request.auth  # type: ignore[attr-defined]
    messages = list_channel_messages(
        channel_id=key.channel_id, direction=direction.upper(), after=after, limit=limit, now=datetime.now(UTC)
    )
    return {"messages": messages, "next_after": messages[-1].pk if messages else after}


def read_json_body(request: HttpRequest) -> bytes:
    """The body, if it is announced as JSON of a length that the desk reads."""
    if request.content_type != "application/json":
        raise NotJson(f"The content type is {(request.content_type or '')[:80]!r}; expected application/json.")
    length = request.META.get("CONTENT_LENGTH") or ""
    if not length and request.headers.get("Transfer-Encoding"):
        raise LengthMissing("The body came in pieces without its length; send Content-Length.")
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if length.isdigit() and int(length) > limit:
        raise TooLarge(f"The body has {int(length):,} bytes; at most {limit:,} are read. Send a shorter text.")
    return request.body


def _field_of_delivery(field: str) -> str:
    """The front door's field names as the sender of the JSON knows them."""
    return field.replace("addresses", "sender", 1)
