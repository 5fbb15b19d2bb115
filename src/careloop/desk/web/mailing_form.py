"""The form of a report that is mailed: what, how often, when, to whom, and with which choice."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.reports import mailings
from careloop.desk.reports.address import address_from
from careloop.desk.reports.dashboards import list_dashboards
from careloop.desk.reports.mailings import MailingFacts
from careloop.desk.reports.retention_rows import span_days, within_of
from careloop.desk.reports.times_rows import target_of
from careloop.desk.reports.times_words import TARGET_NAMES
from careloop.desk.reports.words import ALL_NAMES, GROUP_NAMES, facet_words
from careloop.desk.web.conflicts import Side, different
from careloop.desk.web.views.together import number_or_none


@dataclass(frozen=True)
class Given:
    """What stands in the form."""

    what: str
    rhythm: str
    hour: str
    people: tuple[str, ...]
    query: str

    def facts(self) -> MailingFacts:
        """As actions take it."""
        kind, _colon, name = self.what.partition(":")
        hour = number_or_none(self.hour, "hour")
        return MailingFacts(
            name if kind == "report" else "",
            number_or_none(name, "what") if kind == "dashboard" else None,
            self.query,
            self.rhythm,
            -1 if hour is None else hour,
            [int(one) for one in self.people if one.isdecimal() and len(one) < 12],
        )


def sent_given(sent: QueryDict, viewer: Viewer) -> Given:
    """What was sent, or what an address proposes; without people oneself."""
    people = tuple(sent.getlist("recipients")) if "rhythm" in sent else (str(viewer.user_id),)
    return Given(sent.get("what", ""), sent.get("rhythm", "week"), sent.get("hour", "8"), people, sent.get("query", ""))


def stored_given(mailing: Any) -> Given:
    """A stored one in the form."""
    what = f"dashboard:{mailing.dashboard_id}" if mailing.dashboard_id is not None else f"report:{mailing.report}"
    people = tuple(str(one.pk) for one in mailing.recipients.all())
    return Given(what, mailing.rhythm, str(mailing.hour), people, mailing.query)


def form_context(given: Given, viewer: Viewer, mailing: Any = None) -> dict[str, Any]:
    """Everything that the form offers."""
    dashboards = {f"dashboard:{one.pk}": one.name for one in list_dashboards(viewer)}
    if mailing is not None and mailing.dashboard_id is not None:
        dashboards.setdefault(f"dashboard:{mailing.dashboard_id}", mailing.dashboard.name)
    return {
        "given": given,
        "reports": [(f"report:{slug}", name) for slug, name in ALL_NAMES.items()],
        "dashboards": list(dashboards.items()),
        "people": [(str(one.pk), one.display_name) for one in mailings.list_possible_recipients(viewer)],
        "rhythms": mailings.rhythm_choices(),
        "hours": [(str(hour), f"{hour:02}:00") for hour in range(24)],
        "choice": choice_words(given, viewer),
    }


def choice_words(given: Given, viewer: Viewer) -> str:
    """What a mailing chooses, in words; its period is its own."""
    report = given.what.partition(":")[2]
    address = address_from(dict(parse_qsl(given.query.lstrip("?"))), report)
    split = address.values.get("by", "")
    words = facet_words(address.question(timezone.localdate()).chosen.items(), viewer)
    by = [_("split by %(name)s") % {"name": GROUP_NAMES[split]}] if split in GROUP_NAMES else []
    target = [str(TARGET_NAMES[target_of(address)])] if "target" in address.values else []
    within = [_("Within %(days)s after the case") % {"days": span_days(within_of(address))}] if "within" in address.values else []
    return " · ".join([*target, *within, *words, *by])


def sides(theirs: Given, mine: Given, context: Mapping[str, Any], viewer: Viewer) -> list[Side]:
    """Both versions beside each other."""
    names = {name: dict(context[name]) for name in ("reports", "dashboards", "people", "rhythms", "hours")}
    what = names["reports"] | names["dashboards"]
    both = (theirs, mine)
    return different(
        [
            (_("Report or dashboard"), *(what.get(one.what, one.what) for one in both)),
            (_("How often"), *(names["rhythms"].get(one.rhythm, one.rhythm) for one in both)),
            (_("Hour"), *(names["hours"].get(one.hour, one.hour) for one in both)),
            (_("Who gets it"), *(", ".join(sorted(names["people"].get(number, number) for number in one.people)) for one in both)),
            (_("With the choice"), *(choice_words(one, viewer) for one in both)),
        ]
    )
