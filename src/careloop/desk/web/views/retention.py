"""Retention: whether customers come back after a complaint and without, by remedy, outcome and month."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from careloop.desk.accounts.rules import Viewer
from careloop.desk.flows.rules.money import digits_of
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.changes import Change
from careloop.desk.measures.retention import (
    DEFAULT_WITHIN,
    RATES,
    WITHIN,
    WITHIN_BY_PERIOD,
    Cohort,
    Retention,
    Side,
    measure_retention,
)
from careloop.desk.measures.sales import SALES_RATES, Buyers, Sales
from careloop.desk.reports.address import ReportAddress, address_from
from careloop.desk.reports.retention_lines import COLUMNS, lines_of
from careloop.desk.web.access import for_viewer
from careloop.desk.web.downloads import csv_answer
from careloop.desk.web.report_choice import choice_of
from careloop.desk.web.times_words import share_interval, share_words

RATE_NAMES: dict[str, str | Promise] = {
    "retention": gettext_lazy("Retention rate"),
    "repeat": gettext_lazy("Repeat rate"),
    "churn": gettext_lazy("Churn rate"),
    "complained_again": gettext_lazy("Complained again"),
}
RATE_DEFINITIONS: dict[str, str | Promise] = {
    "retention": gettext_lazy("Share of customers who came with another case in these days."),
    "repeat": gettext_lazy("Share of customers who came with at least two more cases in these days."),
    "churn": gettext_lazy("Share of customers who did not come with another case in these days: they may have left, or all may be well."),
    "complained_again": gettext_lazy("Share of customers who came with another complaint in these days."),
}

SALES_NAMES: dict[str, str | Promise] = {
    "bought_again": gettext_lazy("Bought again"),
    "bought_repeatedly": gettext_lazy("Bought again twice or more"),
    "bought_nothing": gettext_lazy("Bought nothing more"),
}
SALES_DEFINITIONS: dict[str, str | Promise] = {
    "bought_again": gettext_lazy("Share of buyers who bought again in these days (retention by purchases)."),
    "bought_repeatedly": gettext_lazy("Share of buyers who bought at least twice more in these days (repeat rate by purchases)."),
    "bought_nothing": gettext_lazy("Share of buyers who bought nothing in these days (churn by purchases)."),
}


@require_GET
@for_viewer("report.view")
def page(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Rates of both sides, contacts before and after, remedies, outcomes and months."""
    address, within = _address(request)
    found = measure_retention(address.question(timezone.localdate()), within, viewer)
    context = {
        "title": _("Retention"),
        "as_of": found.as_of,
        "within": within,
        "withins": [{"name": _days(days), "url": address.link(within=days), "is_current": days == within} for days in WITHIN],
        "days": _days(within),
        "export_url": reverse("retention-csv") + address.link(),
        **choice_of(address, viewer, slug="retention"),
    }
    if found.complained is not None and found.others is not None:
        context |= {
            "n": found.complained.n + found.others.n,
            "rates": [_rate_row(key, RATE_NAMES[key], RATE_DEFINITIONS[key], found.complained, found.others) for key in RATES],
            "is_followed": any(rate.value is not None for side in (found.complained, found.others) for rate in side.rates.values()),
            "contacts": _contacts(found),
            "sales": _sales(found.sales),
            "groups": [
                {"name": _("Remedy"), "rows": [_side_row("retention", one) for one in found.remedies]},
                {"name": _("Where the complaint stands"), "rows": [_side_row("retention", one) for one in found.outcomes]},
            ],
            "cohorts": [_cohort_row(one) for one in found.cohorts],
            "n_unknown": found.n_unknown,
            "n_ahead": found.n_ahead,
        }
    return render(request, "reports/retention.html", context)


@require_GET
@for_viewer("report.view")
def export(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """The same figures as CSV, unrounded."""
    address, within = _address(request)
    found = measure_retention(address.question(timezone.localdate()), within, viewer)
    return csv_answer("retention", COLUMNS, lines_of(found))


def _address(request: HttpRequest) -> tuple[ReportAddress, int]:
    address, given = address_from(request.GET), request.GET.get("within", "")
    if not given:
        return address, WITHIN_BY_PERIOD.get(address.period, DEFAULT_WITHIN)
    if given not in {str(days) for days in WITHIN}:
        raise InvalidInput(_("“%(given)s” days is none of the choices; choose one from the list.") % {"given": given[:20]}, field="within")
    return ReportAddress((*address.given, ("within", given))), int(given)


def _days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


def _rate_row(key: str, name: Any, definition: Any, complained: Side | Buyers, others: Side | Buyers) -> dict[str, Any]:
    return {
        "name": name,
        "definition": definition,
        "cells": [_rate(side.rates[key]) for side in (complained, others)],
        "difference": _points(complained.differences[key]),
        "verdict": _verdict(complained.differences[key]),
    }


def _rate(rate: Any) -> dict[str, str]:
    counted = f"n = {rate.n:,}"
    interval = share_interval(rate.low, rate.high)
    return {"value": share_words(rate.value), "interval": f"{interval} · {counted}" if interval else counted}


def _points(difference: Any) -> dict[str, str]:
    """A difference of shares in percentage points."""
    if difference.value is None:
        return {"value": "–", "interval": ""}
    ends = [_signed(100 * end, 1) for end in (difference.value, difference.low, difference.high)]
    return {"value": ends[0], "interval": f"{ends[1]} … {ends[2]}"}


def _verdict(difference: Any) -> str:
    if difference.value is None:
        return _("not enough data")
    if not difference.is_shown:
        return _("no difference can be shown")
    return _("more after a complaint") if difference.value > 0 else _("less after a complaint")


def _signed(value: float, digits: int) -> str:
    rounded = round(value, digits)
    sign = "−" if rounded < 0 else "+" if rounded > 0 else "±"
    return f"{sign}{formats.number_format(abs(rounded), digits)}"


def _side_row(key: str, one: Side | Buyers) -> dict[str, Any]:
    return {"name": one.name, "rate": _rate(one.rates[key]), "difference": _points(one.differences[key])}


def _cohort_row(one: Cohort) -> dict[str, Any]:
    return {"month": one.month, "cells": [_rate(one.complained), _rate(one.others)], "difference": _points(one.difference)}


def _contacts(found: Retention) -> dict[str, Any]:
    assert found.contacts is not None
    return {
        "sides": _changes(found.contacts, 2),
        "difference": _told(found.contacts_difference, 2),
        "is_known": any(one.n for one in found.contacts),
    }


def _sales(sales: Sales | None) -> dict[str, Any] | None:
    if sales is None:
        return None
    both, digits = (sales.complained, sales.others), digits_of(sales.currency)
    difference = None if sales.difference is None else [end / 10**digits for end in sales.difference]
    return {
        "currency": sales.currency,
        "n_elsewhere": sales.n_elsewhere,
        "is_known": any(one.spent.n for one in both),
        "sides": _changes([one.spent for one in both], digits, unit=10**digits),
        "difference": _told(difference, digits),
        "verdict": "" if difference is None or difference[1] > 0 or difference[2] < 0 else _("no difference can be shown"),
        "rates": [_rate_row(key, SALES_NAMES[key], SALES_DEFINITIONS[key], *both) for key in SALES_RATES],
        "remedies": [_side_row("bought_again", one) for one in sales.remedies],
    }


def _changes(both: Sequence[Change], digits: int, unit: int = 1) -> list[dict[str, Any]]:
    names = (_("After a complaint"), _("Without"))
    return [{"name": name, **_change_row(one, digits, unit)} for name, one in zip(names, both, strict=True)]


def _change_row(one: Change, digits: int, unit: int) -> dict[str, Any]:
    """What is counted in whole units, of which `unit` make what is shown."""
    ends = [None if value is None else value / unit for value in (one.before, one.after, one.change, one.low, one.high)]
    before, after = (
        "–" if value is None else formats.number_format(round(value, digits), digits, force_grouping=True) for value in ends[:2]
    )
    change, low, high = ends[2:]
    interval = "" if low is None or high is None else _range([low, high], digits)
    return {
        "n": one.n,
        "before": before,
        "after": after,
        "change": "–" if change is None else _signed(change, digits),
        "interval": interval,
    }


def _told(difference: Sequence[float] | None, digits: int) -> str:
    return "" if difference is None else f"{_signed(difference[0], digits)} ({_range(difference[1:], digits)})"


def _range(ends: Sequence[float], digits: int) -> str:
    return f"{_signed(ends[0], digits)} … {_signed(ends[1], digits)}"
