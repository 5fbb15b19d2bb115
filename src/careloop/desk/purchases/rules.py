"""What a purchase is, and which ones are refused: plain Python."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from careloop.desk.customers.rules import AddressValue, normalise_address
from careloop.desk.flows.rules.money import MOST_MINOR, is_currency
from careloop.desk.kernel.sentences import Sentence

MAX_ORDER_NUMBER = 80
MAX_PRODUCTS = 100
MAX_PRODUCT_LENGTH = 200
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=1)  # clocks of shops may be wrong by a zone


@dataclass(frozen=True)
class NewPurchase:
    """One order as its shop tells it. The amount is in the currency's smallest unit; the first address that is known finds the customer."""

    order_number: str
    bought_at: datetime
    amount_minor: int
    currency: str
    addresses: tuple[AddressValue, ...]
    customer_name: str = ""
    language: str = ""
    products: tuple[str, ...] = ()
    is_cancelled: bool = False


@dataclass(frozen=True)
class Recorded:
    """What became of some purchases: stored, stored with other facts than before, or known already as they are."""

    new: int
    changed: int
    known: int


def problems_of(purchase: NewPurchase, now: datetime) -> list[tuple[str, Sentence]]:
    """Everything that speaks against a purchase, as (field, sentence); [] when it can be stored."""
    found: list[tuple[str, Sentence]] = []
    number = purchase.order_number
    if not 1 <= len(number) <= MAX_ORDER_NUMBER or not number.isprintable():
        told = Sentence(
            "An order number has 1 to {most} printable characters; {count} were given.", most=MAX_ORDER_NUMBER, count=len(number)
        )
        found.append(("order_number", told))
    if not EARLIEST <= purchase.bought_at <= now + AHEAD:
        told = Sentence("The purchase is dated {time}; expected a time since 1970 that has come.", time=purchase.bought_at.isoformat())
        found.append(("bought_at", told))
    if not 0 <= purchase.amount_minor <= MOST_MINOR:
        told = Sentence("The amount is {given} in the smallest unit; expected 0 to {most}.", given=purchase.amount_minor, most=MOST_MINOR)
        found.append(("amount", told))
    if not is_currency(purchase.currency):
        told = Sentence("“{given}” is no currency that is known; expected a code such as CNY or USD.", given=purchase.currency[:10])
        found.append(("currency", told))
    if len(purchase.products) > MAX_PRODUCTS or any(not 1 <= len(one) <= MAX_PRODUCT_LENGTH for one in purchase.products):
        told = Sentence("Expected at most {most} products of 1 to {length} characters each.", most=MAX_PRODUCTS, length=MAX_PRODUCT_LENGTH)
        found.append(("products", told))
    return found + _address_problems(purchase.addresses)


def _address_problems(addresses: tuple[AddressValue, ...]) -> list[tuple[str, Sentence]]:
    if not addresses:
        return [
            ("customer", Sentence("There is no e-mail address, phone number or customer number; give one, so that the buyer is known."))
        ]
    for one in addresses:
        try:
            normalise_address(one.kind, one.value)
        except ValueError as refused:
            return [(f"customer.{one.kind.lower()}", refused.args[0])]
    return []
