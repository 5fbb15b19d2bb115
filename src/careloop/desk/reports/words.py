"""Figures in words: names and definitions of measures, values as people read them, names of groups."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from careloop.desk.accounts.queries import list_channels, list_teams, list_users
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis.taxonomy_queries import names_by_code
from careloop.desk.cases.queries import choices
from careloop.desk.measures.rules.definitions import MEASURES
from careloop.desk.measures.rules.values import Figure
from careloop.desk.measures.times import REST
from careloop.desk.measures.times_model import NIGHT, WEEKEND, WORKDAY

MINUTE, HOUR, DAY = 60, 3600, 86_400

NAMES: dict[str, str | Promise] = {
    "opened": gettext_lazy("Cases opened"),
    "resolved": gettext_lazy("Cases resolved"),
    "backlog": gettext_lazy("Open cases"),
    "backlog_age": gettext_lazy("Age of open cases"),
    "first_response": gettext_lazy("Time to first response"),
    "resolution": gettext_lazy("Time to resolution"),
    "first_response_on_time": gettext_lazy("First response on time"),
    "resolution_on_time": gettext_lazy("Resolved on time"),
    "reopened": pgettext_lazy("measure", "Reopened"),
    "one_reply": gettext_lazy("Resolved with one reply"),
    "replies": gettext_lazy("Replies per case"),
    "negative": gettext_lazy("Negative cases"),
    "complaints": gettext_lazy("Complaints"),
    "satisfaction": gettext_lazy("Satisfaction, of 5"),
    "satisfied": gettext_lazy("Satisfied customers"),
    "recommendation": gettext_lazy("Recommendation (NPS)"),
    "effort": gettext_lazy("Ease, of 5 (CES)"),
    "answered": gettext_lazy("Surveys answered"),
    "work": gettext_lazy("Working time per case and day"),
    "efficiency": gettext_lazy("Cases resolved per working hour"),
}
DEFINITIONS: dict[str, str | Promise] = {
    "opened": gettext_lazy("Cases that began in the period."),
    "resolved": gettext_lazy("Cases whose last resolution lies in the period and that are still resolved."),
    "backlog": gettext_lazy("Cases that are not resolved now, whatever the period."),
    "backlog_age": gettext_lazy("Median time since they began of the cases that are not resolved now."),
    "first_response": gettext_lazy(
        "Median time from a case's beginning to the first answer by a person, of cases begun in the period. "
        "Cases without an answer count as not over yet (Kaplan–Meier)."
    ),
    "resolution": gettext_lazy(
        "Median time from a case's beginning to its last resolution, of cases begun in the period. "
        "Open cases count as not over yet (Kaplan–Meier)."
    ),
    "first_response_on_time": gettext_lazy(
        "Share of first responses within the promised working time, of cases begun in the period. "
        "What is overdue counts as late, what is not yet due does not count."
    ),
    "resolution_on_time": gettext_lazy(
        "Share of resolutions within the promised working time, of cases begun in the period. "
        "What is overdue counts as late, what is not yet due does not count."
    ),
    "reopened": gettext_lazy("Share of the cases begun in the period and resolved at least once that came back after that."),
    "one_reply": gettext_lazy("Share of the cases resolved in the period with an answer that needed exactly one and did not come back."),
    "replies": gettext_lazy("Average number of answers by people, of the cases resolved in the period."),
    "negative": gettext_lazy("Share of the cases begun in the period that sound negative, of those that were read."),
    "complaints": gettext_lazy("Share of complaints among the cases begun in the period whose kind is known."),
    "satisfaction": gettext_lazy("Average rating on a scale of 1 to 5, of satisfaction surveys and reviews answered in the period."),
    "satisfied": gettext_lazy("Share of ratings of at least 4 of 5, of satisfaction surveys and reviews answered in the period."),
    "recommendation": gettext_lazy("Share of 9 and 10 minus share of 0 to 6, in points from −100 to 100, of answers in the period."),
    "effort": gettext_lazy("Average answer to how easy it was, on a scale of 1 to 5, of answers in the period."),
    "answered": gettext_lazy("Share of the survey invitations sent in the period that were answered."),
    "work": gettext_lazy("Average time that a person was active in a case on a day, measured while it was open on the screen."),
    "efficiency": gettext_lazy("Cases resolved in the period, divided by the hours people were active in cases in it."),
}
GROUP_NAMES: dict[str, str | Promise] = {
    "team": gettext_lazy("Team"),
    "channel": gettext_lazy("Channel"),
    "agent": gettext_lazy("Agent"),
    "kind": gettext_lazy("Kind"),
    "category": gettext_lazy("Category"),
    "priority": gettext_lazy("Priority"),
    "sentiment": gettext_lazy("Sentiment"),
    "segment": gettext_lazy("Segment"),
    "product": gettext_lazy("Product"),
}
REPORT_NAMES: dict[str, str | Promise] = {
    "overview": gettext_lazy("Overview"),
    "satisfaction": gettext_lazy("Satisfaction"),
    "service-levels": gettext_lazy("Service levels"),
    "agents": gettext_lazy("Agents"),
    "channels": gettext_lazy("Channels"),
    "subjects": gettext_lazy("Subjects"),
    "customers": gettext_lazy("Customers"),
}
OTHER_NAMES: dict[str, str | Promise] = {  # of reports that are more than tiles and tables
    "times": gettext_lazy("Times"),
    "retention": gettext_lazy("Retention"),
    "why": gettext_lazy("Why"),
}
ALL_NAMES = {**REPORT_NAMES, **OTHER_NAMES}


def say(key: str, value: float | None) -> str:
    """A value in its measure's unit; a dash where it cannot be told."""
    if value is None:
        return "–"
    unit = MEASURES[key].unit
    if unit == "share":
        return f"{formats.number_format(round(100 * value, 1), 1)}%"  # number_format alone cuts off
    if unit == "seconds":
        return span(value)
    if unit == "points":
        return f"{formats.number_format(round(value), 0)}"
    digits = 0 if MEASURES[key].form == "COUNT" else 2
    return str(formats.number_format(round(value, digits), digits, use_l10n=True, force_grouping=True))


def say_interval(key: str, figure: Figure) -> str:
    """ "95 %: 0.81–0.88 · n = 912", as far as known."""
    parts = []
    if figure.low is not None or figure.high is not None:
        low, high = ("…" if end is None else say(key, end) for end in (figure.low, figure.high))
        parts.append(f"{low}–{high}")
    if MEASURES[key].form != "COUNT":
        parts.append(f"n = {figure.n:,}")
    return " · ".join(parts)


def span(seconds: float) -> str:
    """ "45 s", "25 min", "3 h 20 min", "2 d 4 h"."""
    whole = max(0, round(seconds))
    if whole < MINUTE:
        return pgettext("span", "%(count)d s") % {"count": whole}
    if whole < HOUR:
        return pgettext("span", "%(count)d min") % {"count": round(whole / MINUTE)}
    if whole < 2 * DAY:
        return _two(whole, HOUR, MINUTE, pgettext("span", "%(count)d h"), pgettext("span", "%(count)d min"))
    return _two(whole, DAY, HOUR, pgettext("span", "%(count)d d"), pgettext("span", "%(count)d h"))


def _two(seconds: int, large: int, small: int, large_words: str, small_words: str) -> str:
    rounded = round(seconds / small) * small
    first, rest = divmod(rounded, large)
    words = large_words % {"count": first}
    return f"{words} {small_words % {'count': rest // small}}" if rest else words


def group_names(by: str, viewer: Viewer) -> dict[Any, str]:
    """What the groups of a split are called; one that is not among them is called by itself."""
    if by == "team":
        return {team.pk: team.name for team in list_teams(viewer)}
    if by == "channel":
        return {channel.pk: channel.name for channel in list_channels(viewer)}
    if by == "agent":
        return {0: _("Nobody"), **{person.pk: person.display_name for person in list_users()}}
    if by == "category":
        return {"": _("No category"), **names_by_code(viewer)}
    if by in {"kind", "sentiment", "priority"}:
        return {"": _("Not known"), **{code: str(label) for code, label in choices()[by]}}
    return {"": _("Not known")}


def period_words() -> list[tuple[str, str]]:
    """Codes of periods and their names."""
    return [("7", _("7 days")), ("30", _("30 days")), ("90", _("90 days")), ("365", _("A year")), ("all", _("All time"))]


def days_words(since: date | None, until: date | None) -> str:
    """ "1 May 2026 – 30 May 2026", or that no day was chosen."""
    if since is None and until is None:
        return _("All time")
    return " – ".join(formats.date_format(day, "DATE_FORMAT") if day else "…" for day in (since, until))


def facet_words(chosen: Iterable[tuple[str, Any]], viewer: Viewer) -> list[str]:
    """Chosen facets, "Team: After-sales", from values of questions or as they stand in an address."""
    found = []
    for name, value in chosen:
        names = {**{str(code): word for code, word in group_names(name, viewer).items()}, **group_names(name, viewer)}
        found.append(f"{GROUP_NAMES[name]}: {names.get('' if value == '-' else value, value)}")
    return found


def split_names(by: str, viewer: Viewer) -> dict[Any, str]:
    """What the groups of a split are called, the rest too."""
    arrivals = {WORKDAY: _("on a workday by day"), NIGHT: _("on a workday before 8:00 or after 18:00"), WEEKEND: _("on a weekend")}
    names = arrivals if by == "arrived" else group_names(by, viewer)
    return {**names, REST: _("The others")}


def facet_name(facet: str) -> str:
    """What a facet is called, the time of arrival too."""
    return _("Arrived") if facet == "arrived" else str(GROUP_NAMES[facet])
