"""Each row of a file of purchases is one order. Pure: cleaned values in, NewPurchase out."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from babel.numbers import get_territory_currencies

from careloop.desk.channels.file import addresses_of
from careloop.desk.flows.rules.money import read_money
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence
from careloop.desk.purchases.rules import NewPurchase, problems_of

BETWEEN_PRODUCTS = re.compile(r"[;；|\n]")
REFUSED = {
    "order_number": ("ID_REFUSED", "external_id"), "bought_at": ("TIME_REFUSED", "sent_at"), "amount": ("AMOUNT_REFUSED", "amount"),
    "currency": ("AMOUNT_REFUSED", "currency"), "products": ("PRODUCT_REFUSED", "product"), "customer": ("NO_ADDRESS", ""),
    "customer.email": ("ADDRESS_REFUSED", "email"), "customer.phone": ("ADDRESS_REFUSED", "phone"),
    "customer.handle": ("ADDRESS_REFUSED", "customer_id"),
}  # fmt: skip


def currency_of(region: str) -> str:
    """What is paid with in a country, for amounts that name no currency; "" where that is unknown."""
    found = get_territory_currencies(region)
    return str(found[0]) if found else ""


def purchase_of(values: Mapping[str, Any], channel_slug: str, region: str) -> NewPurchase:
    """The order in one row, from its values by field; InvalidInput when a part of it is missing or its amount cannot be read."""
    for field in ("external_id", "sent_at", "amount"):
        if values.get(field) is None:
            raise InvalidInput(Sentence("A purchase needs an order number, a time and an amount; one of them is empty."), field=field)
    given = str(values.get("currency") or "").strip().upper() or currency_of(region)
    try:
        paid = read_money(values["amount"], "amount", given)
    except InvalidInput as refused:
        raise InvalidInput(refused.message, field="amount") from None
    if not isinstance(paid, dict):
        told = Sentence("The amount “{given}” names no currency; choose a column for it.", given=str(values["amount"])[:40])
        raise InvalidInput(told, field="amount")
    products = (one.strip() for one in BETWEEN_PRODUCTS.split(values.get("product") or ""))
    return NewPurchase(
        order_number=values["external_id"],
        bought_at=values["sent_at"],
        amount_minor=paid["minor"],
        currency=paid["currency"],
        addresses=addresses_of(values, channel_slug),
        customer_name=values.get("customer_name") or "",
        language=values.get("language") or "",
        products=tuple(one for one in products if one),
    )


def refusal_of(purchase: NewPurchase, now: datetime) -> tuple[str, str] | None:
    """Why an order cannot be stored, as (code, field of the file); None when it can."""
    problems = problems_of(purchase, now)
    return REFUSED[problems[0][0]] if problems else None
