"""Taking purchases in: the same order again changes nothing, one told differently replaces what was told before."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from careloop.desk.customers.actions import NewCustomer, find_or_create, link_teams
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.kernel.sentences import Sentence
from careloop.desk.purchases.models import Purchase
from careloop.desk.purchases.rules import NewPurchase, Recorded, problems_of

AT_ONCE = 500


def record_purchases(new: Sequence[NewPurchase], *, team_id: int, now: datetime) -> Recorded:
    """Store at most 500 purchases of a team's channel, all or none; unknown buyers become customers whom the team knows.

    InvalidInput names the first that cannot be stored (its field begins with its place, from 0), or an order that is given twice.
    """
    _check(new, now)
    for attempt in (1, 2):
        try:
            with transaction.atomic():
                return _record(new, team_id, now)
        except IntegrityError:  # another delivery stored the same order or customer in this moment
            if attempt == 2:
                raise
    raise AssertionError("unreachable")


def _check(new: Sequence[NewPurchase], now: datetime) -> None:
    if len(new) > AT_ONCE:
        told = Sentence("{count} purchases were given at once; at most {most} are taken.", count=len(new), most=AT_ONCE)
        raise InvalidInput(told, field="purchases")
    seen: set[str] = set()
    for place, one in enumerate(new):
        if problems := problems_of(one, now):
            field, told = problems[0]
            raise InvalidInput(told, field=f"{place}.{field}")
        if one.order_number in seen:
            told = Sentence("Order {number} is given twice; put all its products into one purchase.", number=one.order_number)
            raise InvalidInput(told, field=f"{place}.order_number")
        seen.add(one.order_number)


def _record(new: Sequence[NewPurchase], team_id: int, now: datetime) -> Recorded:
    buyers = [NewCustomer(one.customer_name, one.language, list(one.addresses), team_id) for one in new]
    customers = [found.customer_id for found in find_or_create(buyers, now=now) if found is not None]  # each has an address
    current = Purchase.objects.select_for_update().filter(team_id=team_id, replaced_at=None)
    stored = {row.order_number: row for row in current.filter(order_number__in=[one.order_number for one in new]).order_by("pk")}
    rows = [
        Purchase(customer_id=customer_id, team_id=team_id, received_at=now, **_facts(one))
        for one, customer_id in zip(new, customers, strict=True)
    ]
    fresh = [row for row in rows if row.order_number not in stored]
    changed = [row for row in rows if row.order_number in stored and _differs(row, stored[row.order_number])]
    Purchase.objects.filter(pk__in=[stored[row.order_number].pk for row in changed]).update(replaced_at=now)
    insert_rows(fresh + changed)
    link_teams((customer_id, team_id) for customer_id in customers)
    return Recorded(len(fresh), len(changed), len(rows) - len(fresh) - len(changed))


def _facts(one: NewPurchase) -> dict[str, Any]:
    return {
        "order_number": one.order_number, "bought_at": one.bought_at, "amount_minor": one.amount_minor, "currency": one.currency,
        "products": list(one.products), "is_cancelled": one.is_cancelled,
    }  # fmt: skip


def _differs(row: Purchase, stored: Purchase) -> bool:
    names = ("customer_id", "bought_at", "amount_minor", "currency", "products", "is_cancelled")
    return any(getattr(row, name) != getattr(stored, name) for name in names)
