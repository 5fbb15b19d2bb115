"""What customers bought before and after a case: sales after a complaint and without, and who bought again.

Only who had bought something before entering is a buyer here, on both sides alike. Amounts are those of the currency that most purchases
are in; whoever bought in another one bought again, but adds nothing to the sums. Cancelled orders are no purchases.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db.models import Q

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.changes import Change, change_of, difference_of_changes
from careloop.desk.purchases.models import Purchase
from careloop.insight.service.retention import Followed, Rate, RateDifference, measure_churn, measure_repeat, measure_retention, subtract

DAY = 86_400
SALES_RATES = ("bought_again", "bought_repeatedly", "bought_nothing")


class Entered(Protocol):
    """A customer from a case on."""

    @property
    def customer_id(self) -> int:
        """Whose case."""

    @property
    def entered_second(self) -> int:
        """When, in seconds since 1970."""

    @property
    def is_complaint(self) -> bool:
        """What the case was."""


@dataclass(frozen=True)
class Buyers:
    """Some customers who had bought before: how many, who bought again, and what they spent in the smallest unit."""

    name: str
    n: int
    rates: dict[str, Rate]
    differences: dict[str, RateDifference]
    spent: Change


@dataclass(frozen=True)
class Sales:
    """The answer; `n_elsewhere` purchases in other currencies are in no sum. `difference` is that of the two changes."""

    currency: str
    n_elsewhere: int
    complained: Buyers
    others: Buyers
    difference: tuple[float, float, float] | None
    remedies: tuple[Buyers, ...]


@dataclass(frozen=True)
class _Book:
    """Purchases by customer, each as (second, smallest units in the currency of most, else 0), in the order of time."""

    currency: str
    n_elsewhere: int
    began: int
    bought: dict[int, list[tuple[int, int]]]


def measure_sales(
    complained: Sequence[Entered],
    others: Sequence[Entered],
    remedies: Mapping[str, Sequence[Entered]],
    within: int,
    viewer: Viewer,
    as_of: datetime,
) -> Sales | None:
    """Sales within some days before and after entering; None when nobody told of any purchase."""
    book = _read(viewer, as_of)
    if book is None:
        return None
    now = int(as_of.timestamp())
    base = _buyers("", others, book, within, now, None)
    pairs = [_spent_pairs(some, book, within, now) for some in (complained, others)]
    return Sales(
        book.currency,
        book.n_elsewhere,
        _buyers("", complained, book, within, now, base),
        base,
        difference_of_changes(*pairs),
        tuple(_buyers(name, some, book, within, now, base) for name, some in remedies.items()),
    )


def _read(viewer: Viewer, as_of: datetime) -> _Book | None:
    """What was believed at that moment."""
    believed = Q(replaced_at=None) | Q(replaced_at__gt=as_of)
    rows = Purchase.objects.visible_to(viewer).filter(believed, received_at__lte=as_of, bought_at__lte=as_of, is_cancelled=False)
    found = list(rows.order_by("bought_at", "pk").values_list("customer_id", "bought_at", "amount_minor", "currency"))
    if not found:
        return None
    counted = Counter(currency for *_facts, currency in found)
    most = min(counted, key=lambda code: (-counted[code], code))
    bought: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for customer_id, at, minor, currency in found:
        bought[customer_id].append((int(at.timestamp()), minor if currency == most else 0))
    return _Book(most, len(found) - counted[most], int(found[0][1].timestamp()), dict(bought))


def _buyers(name: str, entered: Iterable[Entered], book: _Book, within: int, now: int, base: Buyers | None) -> Buyers:
    followed = [one for person in entered if (one := _follow(person, book, now)) is not None]
    rates = {
        "bought_again": measure_retention(followed, horizon_days=within),
        "bought_repeatedly": measure_repeat(followed, horizon_days=within),
        "bought_nothing": measure_churn(followed, horizon_days=within),
    }
    differences = {key: subtract(rates[key], base.rates[key]) for key in SALES_RATES} if base is not None else {}
    return Buyers(name, len(followed), rates, differences, change_of(_spent_pairs(entered, book, within, now)))


def _follow(person: Entered, book: _Book, now: int) -> Followed | None:
    """From entering to the first and second purchase after it; None for who had bought nothing before."""
    moments = [second for second, _minor in book.bought.get(person.customer_id, ())]
    place = bisect_right(moments, person.entered_second)
    if not place:
        return None
    later = [(second - person.entered_second) / DAY for second in moments[place:]]
    seen = (now - person.entered_second) / DAY
    days = (later[0] if later else seen, later[1] if len(later) > 1 else seen)
    return Followed(person.customer_id, person.entered_second / DAY, person.is_complaint, "", days, (bool(later), len(later) > 1))


def _spent_pairs(entered: Iterable[Entered], book: _Book, within: int, now: int) -> list[tuple[int, int]]:
    """What each buyer spent before and after, of those whose days on both sides lie where purchases are known."""
    span, found = within * DAY, []
    for person in entered:
        at, bought = person.entered_second, book.bought.get(person.customer_id, [])
        if at - book.began < span or now - at < span or not bought or bought[0][0] > at:
            continue
        before = sum(minor for second, minor in bought if at - span < second <= at)
        after = sum(minor for second, minor in bought if at < second <= at + span)
        found.append((before, after))
    return found
