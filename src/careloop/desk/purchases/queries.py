"""Looking purchases up."""

from dataclasses import dataclass

from django.db.models import Count, Sum

from careloop.desk.accounts.rules import Viewer
from careloop.desk.customers.models import Customer
from careloop.desk.flows.rules.money import show_money
from careloop.desk.purchases.models import Purchase

SHOWN = 20


@dataclass(frozen=True)
class Bought:
    """What a customer bought: the newest purchases, how many there are, and what was paid in each currency without cancelled orders."""

    purchases: list[Purchase]
    total: int
    paid: list[str]


def bought_by(customer: Customer, viewer: Viewer) -> Bought:
    """The customer's purchases in the viewer's teams; the newest twenty."""
    mine = Purchase.objects.visible_to(viewer).filter(customer=customer, replaced_at=None)
    sums = mine.filter(is_cancelled=False).values("currency").annotate(paid=Sum("amount_minor"), n=Count("pk")).order_by("-n", "currency")
    newest = list(mine.order_by("-bought_at", "-pk")[:SHOWN])
    total = len(newest) if len(newest) < SHOWN else mine.count()
    return Bought(newest, total, [price(row["paid"], row["currency"]) for row in sums])


def price(minor: int, currency: str) -> str:
    """An amount as it is read, such as 1299.50 CNY."""
    return show_money({"minor": minor, "currency": currency})
