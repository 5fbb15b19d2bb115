"""What can be chosen on a report or a dashboard: periods and filters, and what is chosen, in words."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone

from careloop.desk.accounts.queries import list_channels, list_teams, list_users
from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import choices
from careloop.desk.reports.address import ReportAddress, spell
from careloop.desk.web.measure_words import GROUP_NAMES, group_names, period_words

OFFERED = ("team", "channel", "agent", "kind", "priority")
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


def choice_of(address: ReportAddress, viewer: Viewer, kept: Iterable[str] = ()) -> dict[str, Any]:
    """Periods as links, filters as lists, what is chosen; `kept` are further parameters that the filters' form sends along."""
    question = address.question(timezone.localdate())
    options = facet_options(viewer)
    hidden = {"period", "category", "segment", "product", "as_of", *kept}
    return {
        "periods": [
            {"label": label, "url": address.link(period=code), "is_current": address.period == code} for code, label in period_words()
        ],
        "filters": [_select(name, options[name], address) for name in OFFERED],
        "hidden": {name: value for name, value in address.given if name in hidden},
        "chosen": chosen_words(address, viewer),
        "since": question.since,
        "until": question.until,
        "now_url": address.link(as_of=""),
    }


def chosen_words(address: ReportAddress, viewer: Viewer) -> list[dict[str, str]]:
    """What is filtered by, each with the address without it."""
    found = []
    for name, value in address.question(timezone.localdate()).chosen.items():
        word = group_names(name, viewer).get(value, str(value))
        found.append({"label": f"{GROUP_NAMES[name]}: {word}", "url": address.link(**{name: ""})})
    return found


def _select(name: str, options: Options, address: ReportAddress) -> dict[str, Any]:
    given = address.values.get(name, "")
    return {"name": name, "label": GROUP_NAMES[name], "options": [(code, label, code == given) for code, label in options]}
