"""Explanations in words: rules of slow cases, states, effects on satisfaction, and what cannot be told."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import formats
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.cases.queries import choices
from careloop.desk.reports.words import group_names, span

GAP, OTHER = "", "…"
COLUMNS: dict[str, str | Promise] = {
    "kind": gettext_lazy("Kind"),
    "channel": gettext_lazy("Channel"),
    "priority": gettext_lazy("Priority"),
    "category": gettext_lazy("Category"),
    "team": gettext_lazy("Team"),
    "weekday": gettext_lazy("Weekday"),
    "hour": gettext_lazy("Hour of arrival"),
    "waiting_for": gettext_lazy("Waited longest in"),
    "first_response_hours": gettext_lazy("One hour longer until the first response"),
    "resolution_hours": gettext_lazy("One day longer until it is resolved"),
    "late": gettext_lazy("First response late"),
    "reopened": gettext_lazy("Case reopened"),
    "replies": gettext_lazy("One reply more"),
    "messages_in": gettext_lazy("One message of the customer more"),
    "handed_over": gettext_lazy("Case handed over"),
    "solution_used": gettext_lazy("A solution of the library used"),
    "escalated": gettext_lazy("Case escalated"),
}
UNITS = {"resolution_hours": 24.0}
WEEKDAYS = [
    gettext_lazy("Monday"), gettext_lazy("Tuesday"), gettext_lazy("Wednesday"), gettext_lazy("Thursday"), gettext_lazy("Friday"),
    gettext_lazy("Saturday"), gettext_lazy("Sunday"),
]  # fmt: skip
TASKS: dict[str, str | Promise] = {
    "communication": gettext_lazy("Communication"),
    "consultation": gettext_lazy("Consultation"),
    "complaint": gettext_lazy("Complaint"),
    "refund": gettext_lazy("Refund"),
}
SCORE_PARTS: dict[str, str | Promise] = {
    "speed": gettext_lazy("Speed"),
    "first_contact": gettext_lazy("Solved at first contact"),
    "satisfaction": gettext_lazy("Satisfaction"),
}
CALIBRATORS: dict[str, str | Promise] = {
    "average": gettext_lazy("the average"),
    "as is": gettext_lazy("nothing more"),
    "Platt": gettext_lazy("Platt's line"),
    "beta": gettext_lazy("a beta curve"),
    "isotonic": gettext_lazy("isotonic steps"),
}
MEASURED: dict[str, str | Promise] = {
    "first_response_hours": gettext_lazy("Hours until the first response"),
    "resolution_hours": gettext_lazy("Hours until it was resolved"),
    "replies": gettext_lazy("Replies"),
    "messages_in": gettext_lazy("Messages of the customer"),
    "sentiment_lowest": gettext_lazy("How positive the unhappiest message sounds"),
    "sentiment_mean": gettext_lazy("How positive the messages sound"),
    "sentiment_last": gettext_lazy("How positive the last message sounds"),
}
PERCENTS = {"sentiment_lowest", "sentiment_mean", "sentiment_last"}
REASONS: dict[str, str | Promise] = {
    "never varies": gettext_lazy("it is the same in all answers"),
    "too few": gettext_lazy("too few answers have it"),
    "follows from others": gettext_lazy("it cannot be told apart from the others"),
}


class Words:
    """Names of values, looked up once a page."""

    def __init__(self, viewer: Viewer, states: Mapping[str, Mapping[str, str]]) -> None:
        self.names: dict[str, dict[str, str]] = {
            "kind": {str(code): str(label) for code, label in choices()["kind"]},
            "priority": {str(code): str(label) for code, label in choices()["priority"]},
            "channel": {str(code): name for code, name in group_names("channel", viewer).items()},
            "team": {str(code): name for code, name in group_names("team", viewer).items()},
            "category": {str(code): name for code, name in group_names("category", viewer).items() if code},
            "weekday": {str(day): str(name) for day, name in enumerate(WEEKDAYS)},
            "agent": {str(code): name for code, name in group_names("agent", viewer).items()},
            "waiting_for": {},
        }
        self.states = states

    def value(self, column: str, value: str) -> str:
        """A value as people call it."""
        if value == OTHER:
            return _("a rare one")
        if value == GAP:
            return _("not known")
        return self.state(value) if column == "waiting_for" else self.names.get(column, {}).get(value, value)

    def state(self, code: str) -> str:
        """A status, or the state of a flow in the reader's language."""
        named = self.states.get(code) or {}
        language = "zh" if (get_language() or "en").startswith("zh") else "en"
        known = {"OPEN": _("Open"), "WAITING": _("Waiting for the customer"), "RESOLVED": _("Resolved")}
        return named.get(language) or named.get("en") or named.get("zh") or known.get(code, code)

    def rule(self, conditions: Sequence[Sequence[Any]]) -> str:
        """All conditions of a rule in one line."""
        return " · ".join(self._condition(*one) for one in conditions)

    def _condition(self, column: str, relation: str, value: Any) -> str:
        facts = {"name": COLUMNS.get(column, column)}
        if relation == "known":
            return _("%(name)s known") % facts
        if relation == "unknown":
            return _("%(name)s not known") % facts
        if relation in {"at least", "below"}:
            facts["value"] = f"{-(-float(value) // 1):.0f}:00" if column == "hour" else number(value, 1)
            return (_("%(name)s: from %(value)s on") if relation == "at least" else _("%(name)s: before %(value)s")) % facts
        facts["value"] = self.value(column, str(value))
        return (_("%(name)s: %(value)s") if relation == "is" else _("%(name)s: not %(value)s")) % facts

    def cause(self, one: Mapping[str, Any]) -> str:
        """What an effect is the effect of."""
        column = one["column"]
        name = str(COLUMNS.get(column, column))
        if one["is_gap"]:
            return _("%(name)s: not known") % {"name": name}
        if one["value"] is None:
            return name
        facts = {"name": name, "value": self.value(column, one["value"]), "base": self.value(column, one["base"])}
        return _("%(name)s: %(value)s instead of %(base)s") % facts

    def effect(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """An effect on the rating, in points."""
        units = UNITS.get(one["column"], 1.0)
        tone = "" if not one["is_shown"] else "good" if one["estimate"] > 0 else "bad"
        return {
            "name": self.cause(one),
            "points": points(one["estimate"] * units),
            "interval": f"{points(one['low'] * units)} … {points(one['high'] * units)}",
            "n": one["n_with"],
            "is_shown": one["is_shown"],
            "tone": tone,
            "verdict": _("lowers it") if tone == "bad" else _("raises it") if tone == "good" else _("cannot be told from chance"),
        }

    def influence(self, one: Mapping[str, Any]) -> dict[str, Any]:
        """What a column adds to the chance of being dissatisfied, at two of its values, in points."""
        column = one["column"]
        ends = [
            {"value": self._measured(column, value), "points": points(100 * moved, 0), "tone": "bad" if moved > 0 else "good"}
            for value, moved in one["ends"]
        ]
        return {"name": str(MEASURED.get(column) or COLUMNS.get(column, column)), "ends": ends, "n": one["n"]}

    def _measured(self, column: str, value: Any) -> str:
        if isinstance(value, bool):
            return _("yes") if value else _("no")
        if isinstance(value, str):
            return self.value(column, value)
        return percent(value) if column in PERCENTS else number(value, 1)

    def untold(self, parts: Sequence[Mapping[str, Any]]) -> list[str]:
        """What could not be asked, and why."""
        found = []
        for one in parts:
            if one["value"] == OTHER:
                continue
            name = str(COLUMNS.get(one["column"], one["column"]))
            value = f": {self.value(one['column'], one['value'])}" if one["value"] is not None else ""
            found.append(f"{name}{value} ({REASONS[one['reason']]}, n = {one['n_with']:,})")
        return found


def points(value: float, digits: int = 2) -> str:
    """ "+0.12", "−0.31"."""
    sign = "−" if round(value, digits) < 0 else "+" if round(value, digits) > 0 else "±"
    return f"{sign}{number(abs(value), digits)}"


def algorithm_words(name: str) -> str:
    """The chosen model and its calibration as people call them."""
    form, _penalty, kind = re.split(r", C = |; ", name)
    shape = _("a sum of bent lines") if form == "bent" else _("a sum of straight lines")
    return _("%(shape)s, calibrated by %(kind)s") % {"shape": shape, "kind": CALIBRATORS[kind]}


def efficiency_cells(figures: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Tasks an hour with their interval, for communication, consultations, complaints and refunds."""
    cells = []
    for task, name in TASKS.items():
        one = figures[task]
        value = "–" if one["value"] is None else number(one["value"], 2)
        known = one["low"] is not None and one["high"] is not None
        interval = f"{number(one['low'], 2)}–{number(one['high'], 2)} · " if known else ""
        done, hours = f"{one['done']:,.0f}", number(one["hours"], 1)
        told = _("%(done)s in %(hours)s h") % {"done": done, "hours": hours}
        below = f"{interval}{told} · n = {one['n']:,}" if one["hours"] else ""
        cells.append({"name": str(name), "value": value, "below": below})
    return cells


def score_part(name: str, parts: Mapping[str, Any], weight: float) -> dict[str, Any]:
    """A part of the communication score: value with interval, how it comes about, and what it weighs."""
    one = parts[name]
    known = one["low"] is not None and one["high"] is not None
    how = {
        "speed": _("2^(−median ÷ target): median first response %(median)s, target %(target)s")
        % {"median": "–" if parts["median_seconds"] is None else span(parts["median_seconds"]), "target": span(parts["target_seconds"])},
        "first_contact": _("share of answered and resolved cases with one reply and not reopened"),
        "satisfaction": _("share of satisfied customers, weighted for who answered"),
    }[name]
    interval = f"{percent(one['low'])}–{percent(one['high'])}" if known else ""
    counted = f"n = {one['n']:,}" if one.get("n") is not None else ""
    return {
        "code": name,
        "name": SCORE_PARTS[name],
        "value": percent(one["value"]),
        "interval": " · ".join(part for part in (interval, counted) if part),
        "how": how,
        "weight": f"{weight:g}",
    }


def number(value: float, digits: int) -> str:
    """A number as the language writes it, rounded (Django cuts digits off)."""
    return str(formats.number_format(round(value, digits), digits))


def percent(value: float | None, digits: int = 0) -> str:
    """A share, without decimals unless some are asked for."""
    return "–" if value is None else f"{number(100 * value, digits)}%"


def seconds(value: float | None) -> str:
    """A span, or that fewer than half have left."""
    return _("more than half are still there") if value is None else span(value)
