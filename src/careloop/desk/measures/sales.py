"""What customers bought before and after a case: sales after a complaint and without, and who bought again.

Only who had bought something before entering is a buyer here, on both sides alike. Amounts are those of the currency that most purchases
are in; whoever bought in another one bought again, but adds nothing to the sums. Cancelled orders are no purchases.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db.models import Q
from numpy.typing import NDArray

from careloop.desk.accounts.rules import Viewer
from careloop.desk.measures.changes import BeforeAfter, Change, change_of, difference_of_changes
from careloop.desk.measures.columns import Integers, columns_of, moments_in, numbers_in
from careloop.desk.measures.entering import DAY, Entrants
from careloop.desk.measures.timelines import Timelines
from careloop.desk.purchases.models import Purchase
from careloop.insight.service.retention import Rate, RateDifference, complement, measure_rate, subtract

MICROSECONDS = 1_000_000
SALES_RATES = ("bought_again", "bought_repeatedly", "bought_nothing")


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


class _Book:
    """Purchases by customer and time; amounts in the smallest units of the currency of most, else 0."""

    def __init__(self, customers: Integers, seconds: Integers, minors: Integers, currencies: NDArray[np.str_]) -> None:
        codes, counts = np.unique(currencies, return_counts=True)
        self.currency = str(codes[counts.argmax()])  # of equally many the first by its code
        self.n_elsewhere = int(counts.sum() - counts.max())
        self.began = int(seconds.min())
        order = np.lexsort((seconds, customers))
        self.seconds = seconds[order]
        self.lines = Timelines(customers[order], self.seconds)
        self._sums = np.append(0, np.where(currencies == self.currency, minors, 0)[order].cumsum())

    def spent(self, customers: Integers, since: Integers, until: Integers) -> Integers:
        """What each spent later than one second and until another."""
        first, last = (self.lines.place(customers, seconds, "right") for seconds in (since, until))
        spent: Integers = self._sums[last] - self._sums[first]
        return spent


def measure_sales(
    complained: Entrants, others: Entrants, remedies: Mapping[str, Entrants], within: int, viewer: Viewer, as_of: datetime
) -> Sales | None:
    """Sales within some days before and after entering; None when nobody told of any purchase."""
    book = _read(viewer, as_of)
    if book is None:
        return None
    now = int(as_of.timestamp())
    base = _buyers("", others, book, within, now, None)
    return Sales(
        book.currency,
        book.n_elsewhere,
        _buyers("", complained, book, within, now, base),
        base,
        difference_of_changes(*(_spent(some, book, within, now) for some in (complained, others))),
        tuple(_buyers(name, some, book, within, now, base) for name, some in remedies.items()),
    )


def _read(viewer: Viewer, as_of: datetime) -> _Book | None:
    """What was believed at that moment."""
    believed = Q(replaced_at=None) | Q(replaced_at__gt=as_of)
    rows = Purchase.objects.visible_to(viewer).filter(believed, received_at__lte=as_of, bought_at__lte=as_of, is_cancelled=False)
    customers, moments, minors, currencies = columns_of(rows, "customer_id", "bought_at", "amount_minor", "currency")
    if not currencies:
        return None
    return _Book(numbers_in(customers), moments_in(moments) // MICROSECONDS, numbers_in(minors), np.array(currencies.split(",")))


def _buyers(name: str, entered: Entrants, book: _Book, within: int, now: int, base: Buyers | None) -> Buyers:
    """Of those who had bought before they entered."""
    place, end = (book.lines.place(entered.customers, seconds, "right") for seconds in (entered.seconds, now))
    has_bought = place > book.lines.first(entered.customers)
    seconds, wanted, end = entered.seconds[has_bought], place[has_bought], end[has_bought]
    once, twice = (_rate_of(book, seconds, wanted + later, end, within, now) for later in (0, 1))
    rates = {"bought_again": once, "bought_repeatedly": twice, "bought_nothing": complement(once)}
    differences = {key: subtract(rates[key], base.rates[key]) for key in SALES_RATES} if base is not None else {}
    return Buyers(name, len(seconds), rates, differences, change_of(_spent(entered, book, within, now)))


def _rate_of(book: _Book, seconds: Integers, wanted: Integers, end: Integers, within: int, now: int) -> Rate:
    """How many made the purchase at a place, before the end of what they bought."""
    has_bought = wanted < end
    moments = np.where(has_bought, book.seconds[np.minimum(wanted, len(book.seconds) - 1)], now)
    return measure_rate((moments - seconds) / DAY, has_bought, horizon_days=within)


def _spent(entered: Entrants, book: _Book, within: int, now: int) -> BeforeAfter:
    """What each buyer spent before and after, of those whose days on both sides lie where purchases are known."""
    span = within * DAY
    has_bought = book.lines.place(entered.customers, entered.seconds, "right") > book.lines.first(entered.customers)
    seen = entered.pick((entered.seconds - book.began >= span) & (now - entered.seconds >= span) & has_bought)
    before = book.spent(seen.customers, seen.seconds - span, seen.seconds)
    return before, book.spent(seen.customers, seen.seconds, seen.seconds + span)
