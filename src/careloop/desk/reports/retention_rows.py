"""Retention, ready to be shown: what the page and the paper print, rounded; the file and the API give the figures themselves."""

from collections.abc import Sequence
from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from careloop.desk.flows.rules.money import digits_of
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.measures.changes import Change
from careloop.desk.measures.retention import DEFAULT_WITHIN, RATES, WITHIN, WITHIN_BY_PERIOD, Cohort, Retention, Side
from careloop.desk.measures.sales import SALES_RATES, Buyers, Sales
from careloop.desk.reports.address import ReportAddress
from careloop.desk.reports.times_words import share_interval, share_words

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


def span_days(count: int) -> str:
    """ "7 days"."""
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


def within_of(address: ReportAddress) -> int:
    """The days to come back in that an address asks for; without any those that fit its period."""
    given = address.values.get("within", "")
    if not given:
        return WITHIN_BY_PERIOD.get(address.period, DEFAULT_WITHIN)
    if given not in {str(days) for days in WITHIN}:
        raise InvalidInput(_("“%(given)s” days is none of the choices; choose one from the list.") % {"given": given[:20]}, field="within")
    return int(given)


def retention_rows(found: Retention) -> dict[str, Any]:
    """All that is shown of an answer that has customers on both sides; nothing before anything was counted."""
    if found.complained is None or found.others is None:
        return {}
    sides = (found.complained, found.others)
    return {
        "notes": _notes(found),
        "n": found.complained.n + found.others.n,
        "rates": [_rate_row(key, RATE_NAMES[key], RATE_DEFINITIONS[key], *sides) for key in RATES],
        "is_followed": any(rate.value is not None for side in sides for rate in side.rates.values()),
        "contacts": _contact_rows(found),
        "sales": _sales_rows(found.sales),
        "groups": [
            {"name": _("Remedy"), "rows": [_side_row("retention", one) for one in found.remedies]},
            {"name": _("Where the complaint stands"), "rows": [_side_row("retention", one) for one in found.outcomes]},
        ],
        "cohorts": [_cohort_row(one) for one in found.cohorts],
    }


def _notes(found: Retention) -> dict[str, str]:
    """What the figures are, in sentences; "" where there is nothing to say."""
    days = {"days": span_days(found.within)}
    left_out = [
        _(
            "Each customer enters once, with the first case in the period that fits the choice, and is told by what that case was: a "
            "complaint, or something else. Customers whose days are not over yet count as far as seen (Kaplan–Meier)."
        )
    ]
    if found.n_unknown:
        left_out.append(
            ngettext(
                "%(n)s customer entered with a case of unknown kind and is left out.",
                "%(n)s customers entered with a case of unknown kind and are left out.",
                found.n_unknown,
            )
            % {"n": f"{found.n_unknown:,}"}
        )
    if found.n_ahead:
        left_out.append(
            ngettext(
                "%(n)s customer has a first case dated in the future and is left out.",
                "%(n)s customers have a first case dated in the future and are left out.",
                found.n_ahead,
            )
            % {"n": f"{found.n_ahead:,}"}
        )
    no_contacts = _("Not enough data: nobody was seen for %(days)s before and after.") % days
    if found.question.since is None:
        no_contacts += " " + _("Choose a period that begins on a day: of all time, the first case has none before it.")
    return {
        "not_followed": _("Not enough data: nobody has been followed for %(days)s yet. Choose fewer days or an earlier period.") % days,
        "rates": " ".join(left_out),
        "no_contacts": no_contacts,
        "contacts": " ".join(
            [
                _("Average number of a customer's other cases, of those who were seen throughout."),
                _(
                    "The entering case is the first of the period, so there are too few before it, on both sides alike: what tells is the "
                    "difference of the two changes."
                ),
            ]
        ),
        "no_sales": _("Not enough data: of no buyer are the %(days)s before and after known.") % days,
        "no_group": _("Nothing is known: none of these complaints ran on a flow that notes it."),
        "cohorts": _(
            "Remedies and outcomes are as they are now. Each range holds for its own row: of twenty rows without any difference, one shows "
            "one. This is what goes with coming back; whether a remedy causes it, a comparison shows."
        ),
    }


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


def _contact_rows(found: Retention) -> dict[str, Any]:
    assert found.contacts is not None
    return {
        "sides": _changes(found.contacts, 2),
        "difference": _told(found.contacts_difference, 2),
        "is_known": any(one.n for one in found.contacts),
    }


def _sales_rows(sales: Sales | None) -> dict[str, Any] | None:
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
        "note": _sales_note(sales),
        "rates": [_rate_row(key, SALES_NAMES[key], SALES_DEFINITIONS[key], *both) for key in SALES_RATES],
        "remedies": [_side_row("bought_again", one) for one in sales.remedies],
    }


def _sales_note(sales: Sales) -> str:
    note = _(
        "Average amount in %(currency)s that a customer spent, of those who had bought before the case and whose purchases are known "
        "throughout. Cancelled orders count as none."
    ) % {"currency": sales.currency}
    if not sales.n_elsewhere:
        return note
    left_out = ngettext(
        "%(shown)s purchase in another currency is in no sum.", "%(shown)s purchases in other currencies are in no sum.", sales.n_elsewhere
    )
    return f"{note} {left_out % {'shown': f'{sales.n_elsewhere:,}'}}"


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
