"""What can be chosen on a page of figures: other pages, periods, splits and filters, and what is chosen, in words."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from careloop.desk.accounts.queries import list_channels, list_teams, list_users
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import choices
from careloop.desk.reports.address import ReportAddress, spell
from careloop.desk.reports.words import facet_words
from careloop.desk.web.measure_words import GROUP_NAMES, period_words
from careloop.desk.web.report_tabs import report_tabs

OFFERED = ("team", "channel", "agent", "kind", "priority")
CARRIED = ("period", "since", "until", "as_of", *GROUP_NAMES)  # to other pages: each has its own split and times
Options = list[tuple[str, str]]


def facet_options(viewer: Viewer) -> dict[str, Options]:
    """The values that can be chosen of each facet that has a list, as they stand in an address."""
    offered = choices()
    found: dict[str, Iterable[tuple[Any, Any]]] = {
        "team": [(team.pk, team.name) for team in list_teams(viewer)],
        "channel": [(channel.pk, channel.name) for channel in list_channels(viewer)],
        "agent": [(person.pk, person.display_name) for person in list_users()],
        "kind": offered["kind"],
        "priority": offered["priority"],
    }
    return {name: [(spell(code), str(label)) for code, label in values] for name, values in found.items()}


def choice_of(address: ReportAddress, viewer: Viewer, *, slug: str = "", by: str = "") -> dict[str, Any]:
    """What the head of a page offers; `slug` is its place among the reports, `by` what its figures are split by."""
    question, options = address.question(timezone.localdate()), facet_options(viewer)
    kept = {name: "" for name in address.values if name not in CARRIED}
    return {
        "tabs": report_tabs(slug, address.link(**kept)) if slug else [],
        "periods": [
            {"label": label, "url": address.link(period=code), "is_current": address.period == code} for code, label in period_words()
        ],
        "splits": [{"name": name, "url": address.link(by=code), "is_current": code == by} for code, name in GROUP_NAMES.items()],
        "by_name": GROUP_NAMES.get(by, ""),
        "filters": [_select(name, options[name], address) for name in OFFERED],
        "hidden": {name: value for name, value in address.given if name not in OFFERED},
        "chosen": chosen_words(address, viewer),
        "query": address.link(),
        "since": question.since,
        "is_earlier": "as_of" in address.values,
        "now_url": address.link(as_of=""),
    }


def chosen_words(address: ReportAddress, viewer: Viewer) -> list[dict[str, str]]:
    """What is filtered by, each with the address without it."""
    chosen = address.question(timezone.localdate()).chosen
    words = facet_words(chosen.items(), viewer)
    return [{"label": word, "url": address.link(**{name: ""})} for name, word in zip(chosen, words, strict=True)]


def mail_url(what: str, address: ReportAddress) -> str:
    """The form that mails a report or a dashboard with what is chosen on its page."""
    return f"{reverse('mailings')}?{urlencode({'what': what, 'query': address.link()})}"


def _select(name: str, options: Options, address: ReportAddress) -> dict[str, Any]:
    given = address.values.get(name, "")
    return {"name": name, "label": GROUP_NAMES[name], "options": [(code, label, code == given) for code, label in options]}
