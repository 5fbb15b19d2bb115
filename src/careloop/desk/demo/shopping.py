"""What the sample house's customers bought: some often, some seldom, and somewhat less often after a complaint."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from careloop.desk.cases.models import Case, Kind
from careloop.desk.demo.facts import PRODUCTS, TRADE_OF
from careloop.desk.demo.rhythm import DAYS
from careloop.desk.demo.staff import House
from careloop.desk.kernel.rows import insert_rows
from careloop.desk.purchases.models import Purchase

SEED = "purchases"
KNOWN_DAYS = 2 * DAYS  # longer than there are cases, so that there is a time before each of them
MEAN_DAYS_BETWEEN = 25.0
SPREAD = 0.7  # of the customers' pace: standard deviation of the logarithm
AFTER_A_COMPLAINT = 0.7  # of the pace
CANCELLED_RATIO = 0.04
SECOND_PRODUCT_RATIO = 0.2


def go_shopping(house: House, *, now: datetime) -> None:
    """Purchases of everybody who has a case in a trade that sells something, in the order of time."""
    draw = random.Random(SEED)
    offered = {team.pk: [one for one in PRODUCTS if TRADE_OF[one.category] == trade and one.yuan] for trade, team in house.teams.items()}
    rows: list[Purchase] = []
    for customer_id, team_id, complained_at in _shoppers(offered):
        pace = draw.lognormvariate(0, SPREAD) / MEAN_DAYS_BETWEEN
        at = now - timedelta(days=KNOWN_DAYS)
        while True:
            is_after = complained_at is not None and at > complained_at
            at += timedelta(days=draw.expovariate(pace * (AFTER_A_COMPLAINT if is_after else 1.0)))
            if at >= now:
                break
            bought = draw.sample(offered[team_id], 2 if draw.random() < SECOND_PRODUCT_RATIO else 1)
            rows.append(
                Purchase(
                    customer_id=customer_id, team_id=team_id, bought_at=at, currency="CNY",
                    amount_minor=100 * sum(one.yuan for one in bought),
                    products=[one.label for one in bought], is_cancelled=draw.random() < CANCELLED_RATIO, received_at=at,
                )
            )  # fmt: skip
    rows.sort(key=lambda row: row.bought_at)
    for number, row in enumerate(rows, start=1):
        row.order_number = f"S{number:07d}"
    insert_rows(rows)


def _shoppers(offered: Mapping[int, Sequence[object]]) -> list[tuple[int, int, datetime | None]]:
    """Customers with the team of their first case and the time of their first complaint."""
    found: dict[int, tuple[int, datetime | None]] = {}
    cases = Case.objects.exclude(customer=None).order_by("opened_at", "pk").values_list("customer_id", "team_id", "kind", "opened_at")
    for customer_id, team_id, kind, opened_at in cases:
        team, complained_at = found.get(customer_id, (team_id, None))
        found[customer_id] = (team, complained_at or (opened_at if kind == Kind.COMPLAINT else None))
    return [(customer_id, team, at) for customer_id, (team, at) in sorted(found.items()) if offered.get(team)]
