"""The form of a new comparison: what may be tried, what was typed, and the facts that it makes."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation.queries import list_macros, list_rules
from careloop.desk.experiments.actions import SPLITS, ArmFacts, ComparisonFacts, WindowFacts
from careloop.desk.experiments.queries import outcome_choices, subject_words, unit_choices
from careloop.desk.experiments.rules import AUTOMATIC, BEFORE_AFTER, OTHER
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.solutions.queries import list_published_after
from careloop.desk.web.measure_words import GROUP_NAMES, group_names

MOST_SOLUTIONS = 500
FIELDS = ("name", "outcome", "unit", "first", "second", "held_out", "planned", "wanted", "group", "others", "changed_on", "days")
BEGINNING = {"outcome": "SATISFACTION", "unit": "CASE", "held_out": "50", "planned": "1000", "wanted": "", "days": "56"}


@dataclass(frozen=True)
class Thing:
    """Something that may be tried: "RULE:7" and its name."""

    code: str
    name: str


def list_things(viewer: Viewer) -> list[tuple[str, list[Thing]]]:
    """Everything that a comparison may try, by kind."""
    rules = [Thing(f"RULE:{rule.pk}", rule.name) for rule in list_rules()]
    macros = [Thing(f"MACRO:{macro.pk}", macro.name) for macro in list_macros(viewer) if macro.scope != "PERSON"]
    rows = list_published_after(viewer, query="", after=0, limit=MOST_SOLUTIONS, today=date.today())  # noqa: DTZ011  (only what is due depends on it)
    solutions = [Thing(f"SOLUTION:{row.solution.pk}", row.text.title) for row in rows]
    words = subject_words()
    alone = [Thing("AUTOMATIC:0", words[AUTOMATIC]), Thing("OTHER:1", words[OTHER])]
    groups = [(_("Rules"), rules), (_("Macros"), macros), (_("Suggested solutions"), solutions), (_("As a whole"), alone)]
    return [(str(name), things) for name, things in groups if things]


def list_groups(viewer: Viewer) -> list[tuple[str, list[Thing]]]:
    """Whom a change may have concerned: "team:3" and its name."""
    found = []
    for by in SPLITS:
        things = [Thing(f"{by}:{code}", str(name)) for code, name in group_names(by, viewer).items() if code not in {"", 0}]
        if things:
            found.append((str(GROUP_NAMES[by]), things))
    return found


def choices_of() -> dict[str, list[tuple[str, Any]]]:
    """What else is chosen."""
    return {"outcomes": outcome_choices(), "units": unit_choices()}


def given_in(sent: QueryDict) -> dict[str, str]:
    """What was typed, by field."""
    return BEGINNING | {name: sent.get(name, "").strip() for name in FIELDS if name in sent}


def held_out_in(given: dict[str, str]) -> float:
    """The part that goes without, 0–1."""
    return _number(given.get("held_out", ""), "held_out") / 100


def wanted_in(given: dict[str, str]) -> float:
    """The smallest difference worth seeing."""
    return _number(given.get("wanted", ""), "wanted")


def facts_in(given: dict[str, str], design: str, viewer: Viewer) -> ComparisonFacts:
    """The comparison that was typed, or a sentence about the field that is wrong."""
    name, outcome = given.get("name", ""), given["outcome"]
    if design == BEFORE_AFTER:
        return ComparisonFacts(name, design, outcome, window=_window(given, viewer))
    names = {thing.code: thing.name for _name, things in list_things(viewer) for thing in things}
    codes = [given[name] for name in ("first", "second") if given.get(name)]
    if not codes or any(code not in names for code in codes):
        raise InvalidInput(_("Choose what is tried."), field="first")
    kinds = {code.partition(":")[0] for code in codes}
    if len(kinds) > 1:
        raise InvalidInput(_("Compare two of the same kind: two rules, two macros or two solutions."), field="second")
    held_out = held_out_in(given)
    arms = [ArmFacts(names[code], (1 - held_out) / len(codes), int(code.partition(":")[2])) for code in codes]
    if held_out > 0:
        arms.append(ArmFacts(_("Without it"), held_out))
    planned = int(_number(given.get("planned", ""), "planned"))
    return ComparisonFacts(name, design, outcome, planned, kinds.pop(), given["unit"], tuple(arms))


def _window(given: dict[str, str], viewer: Viewer) -> WindowFacts:
    known = {thing.code for _name, things in list_groups(viewer) for thing in things}
    group, others = given.get("group", ""), given.get("others", "")
    by, _sign, value = group.partition(":")
    if group not in known:
        raise InvalidInput(_("Say whom the change concerned: a team, channel, agent, kind or category."), field="group")
    if others and (others not in known or others.partition(":")[0] != by):
        raise InvalidInput(_("Compare with another group of the same sort, or with everybody else."), field="others")
    try:
        changed_on = date.fromisoformat(given.get("changed_on", ""))
    except ValueError as error:
        raise InvalidInput(_("Give the day from which on the change held, such as 2026-03-01."), field="changed_on") from error
    beside = (others.partition(":")[2],) if others else ()
    return WindowFacts(by=by, value=value, changed_on=changed_on, days=int(_number(given.get("days", ""), "days")), others=beside)


def _number(text: str, name: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise InvalidInput(_("“%(text)s” is no number.") % {"text": text}, field=name) from error
    if not abs(value) < 1e9:
        raise InvalidInput(_("“%(text)s” is no number.") % {"text": text}, field=name)
    return value
