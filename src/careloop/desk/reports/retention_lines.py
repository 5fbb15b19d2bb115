"""Retention as flat lines: the file and the API give these, and the page shows them rounded."""

from collections.abc import Iterator
from typing import Any

from careloop.desk.measures.retention import RATES, Retention
from careloop.desk.measures.sales import SALES_RATES, Sales

DIFFERENCE = ("difference", "difference_low", "difference_high")
COLUMNS = ("figure", "group", "within_days", "value", "low", "high", "n", "n_until", *DIFFERENCE, "is_shown")
NOTHING: dict[str, Any] = dict.fromkeys(COLUMNS)
SIDES = ("complaint", "without")
Line = dict[str, Any]


def lines_of(found: Retention) -> list[Line]:
    """Rates of both sides, of remedies, outcomes and months, contacts, and who was left out; what is not known is None."""
    return [{**NOTHING, "within_days": found.within, **line} for line in _lines(found)]


def _lines(found: Retention) -> Iterator[Line]:
    if found.complained is None or found.others is None or found.contacts is None:
        return
    for group, side in zip(SIDES, (found.complained, found.others), strict=True):
        for key in RATES:
            yield _rate_line(key, group, side.rates[key], side.differences.get(key))
    for what, sides in (("remedy", found.remedies), ("outcome", found.outcomes)):
        for side in sides:
            yield _rate_line("retention", f"{what}: {side.name}", side.rates["retention"], side.differences["retention"])
    for one in found.cohorts:
        yield _rate_line("retention", f"{one.month:%Y-%m} complaint", one.complained, one.difference)
        yield _rate_line("retention", f"{one.month:%Y-%m} without", one.others, None)
    for group, contacts in zip(SIDES, found.contacts, strict=True):
        yield {"figure": "contacts_before", "group": group, "value": contacts.before, "n": contacts.n}
        yield {"figure": "contacts_after", "group": group, "value": contacts.after, "n": contacts.n}
        ends = {"value": contacts.change, "low": contacts.low, "high": contacts.high}
        yield {"figure": "contacts_change", "group": group, "n": contacts.n, **ends}
    if found.contacts_difference is not None:
        yield {"figure": "contacts_change", **dict(zip(DIFFERENCE, found.contacts_difference, strict=True))}
    if found.sales is not None:
        yield from _sales_lines(found.sales)
    yield {"figure": "left_out_unknown_kind", "n": found.n_unknown}
    yield {"figure": "left_out_future", "n": found.n_ahead}


def _sales_lines(sales: Sales) -> Iterator[Line]:
    """Who bought again, and what was spent, in the currency's smallest unit."""
    sides = (*zip(SIDES, (sales.complained, sales.others), strict=True), *((f"remedy: {one.name}", one) for one in sales.remedies))
    for group, buyers in sides:
        for key in SALES_RATES:
            yield _rate_line(key, group, buyers.rates[key], buyers.differences.get(key))
        spent = buyers.spent
        for key, value in (("before", spent.before), ("after", spent.after)):
            yield {"figure": f"spent_{key}_minor_{sales.currency}", "group": group, "value": value, "n": spent.n}
        ends = {"value": spent.change, "low": spent.low, "high": spent.high}
        yield {"figure": f"spent_change_minor_{sales.currency}", "group": group, "n": spent.n, **ends}
    if sales.difference is not None:
        yield {"figure": f"spent_change_minor_{sales.currency}", **dict(zip(DIFFERENCE, sales.difference, strict=True))}
    yield {"figure": "left_out_other_currency", "n": sales.n_elsewhere}


def _rate_line(key: str, group: str, rate: Any, difference: Any) -> Line:
    line = {"figure": key, "group": group, "value": rate.value, "low": rate.low, "high": rate.high, "n": rate.n, "n_until": rate.n_until}
    if difference is None or difference.value is None:
        return line
    ends = (difference.value, difference.low, difference.high)
    return {**line, **dict(zip(DIFFERENCE, ends, strict=True)), "is_shown": difference.is_shown}
