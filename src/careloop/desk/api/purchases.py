"""Purchases: a shop's program tells what its customers bought, and corrects it by telling it again."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from careloop.desk.api.errors import check_parameters, refusals
from careloop.desk.api.messages import read_json_body
from careloop.desk.channels.api import load
from careloop.desk.channels.api.delivery import NO_NUL, Moment, Sender, Words
from careloop.desk.customers.rules import EMAIL, HANDLE, PHONE, AddressValue
from careloop.desk.flows.rules.money import is_currency, read_money
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.purchases.actions import AT_ONCE, record_purchases
from careloop.desk.purchases.rules import MAX_ORDER_NUMBER, MAX_PRODUCT_LENGTH, MAX_PRODUCTS, NewPurchase

router = Router(tags=["purchases"])


class PurchaseBody(BaseModel):
    """One order."""

    model_config = ConfigDict(strict=True, extra="forbid")

    order_number: Words = Field(
        min_length=1, max_length=MAX_ORDER_NUMBER, pattern=NO_NUL, description="Yours; the same number again is the same order, corrected."
    )
    bought_at: Moment
    amount: str = Field(max_length=40, pattern=NO_NUL, description="What was paid for the whole order, such as 1299.50.")
    currency: str = Field(pattern=r"^[A-Z]{3}$", description="ISO 4217, such as CNY.")
    customer: Sender
    products: list[Words] = Field(
        default=[], max_length=MAX_PRODUCTS, description=f"Names of 1 to {MAX_PRODUCT_LENGTH} characters; one that was bought twice, twice."
    )
    is_cancelled: bool = Field(default=False, description="Whether the order was taken back; it then counts as no purchase.")


class PurchasesBody(BaseModel):
    """Some orders; all are stored, or none."""

    model_config = ConfigDict(strict=True, extra="forbid")
    purchases: list[PurchaseBody] = Field(min_length=1, max_length=AT_ONCE)


class RecordedAnswer(Schema):
    """What became of them."""

    new: int = Field(description="Stored for the first time.")
    changed: int = Field(description="Stored with other facts than before.")
    known: int = Field(description="Known already as they are.")


def purchases_schema() -> dict[str, Any]:
    """JSON Schema of the body without references."""
    schema = PurchasesBody.model_json_schema()
    parts = schema.pop("$defs")
    schema["properties"]["purchases"]["items"] = parts["PurchaseBody"]
    parts["PurchaseBody"]["properties"]["customer"] = parts["Sender"]
    return schema


@router.post(
    "/purchases",
    response={200: RecordedAnswer, **refusals(400, 401, 411, 413, 415, 422, 503)},
    summary="Record purchases",
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": purchases_schema()}}}},
)
def record(request: HttpRequest) -> Any:
    """Store what customers bought, for the team of the key's channel; buyers that nobody knows become customers."""
    check_parameters(request)
    try:
        body = PurchasesBody.model_validate(load(read_json_body(request)))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))[:80]
        raise InvalidInput(f"{field}: {first['msg']}.", field=field) from None
    channel = request.auth.channel  # type: ignore[attr-defined]
    new = [_purchase(one, place, channel.slug) for place, one in enumerate(body.purchases)]
    try:
        return vars(record_purchases(new, team_id=channel.team_id, now=datetime.now(UTC)))
    except InvalidInput as refused:
        raise InvalidInput(refused.message, field=f"purchases.{refused.field}") from None


def _purchase(body: PurchaseBody, place: int, channel_slug: str) -> NewPurchase:
    given = body.customer
    addresses = ((EMAIL, given.email, ""), (PHONE, given.phone, ""), (HANDLE, given.handle, channel_slug))
    return NewPurchase(
        order_number=body.order_number,
        bought_at=body.bought_at,
        amount_minor=_minor(body, place),
        currency=body.currency,
        addresses=tuple(AddressValue(kind, value, scope) for kind, value, scope in addresses if value),
        customer_name=given.name,
        language=given.language,
        products=tuple(body.products),
        is_cancelled=body.is_cancelled,
    )


def _minor(body: PurchaseBody, place: int) -> int:
    """The amount in the smallest unit; what names a currency of its own is refused."""
    field = f"purchases.{place}.amount"
    if not is_currency(body.currency):
        raise InvalidInput(
            f"“{body.currency}” is no currency that is known; expected a code such as CNY.", field=f"purchases.{place}.currency"
        )
    try:
        found = read_money(body.amount, field, body.currency)
    except InvalidInput as refused:
        raise InvalidInput(refused.message, field=field) from None
    if not isinstance(found, dict) or found["currency"] != body.currency:
        raise InvalidInput(f"The amount “{body.amount}” names another currency than {body.currency}; write the number alone.", field=field)
    return int(found["minor"])
