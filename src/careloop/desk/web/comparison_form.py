"""The form of a new comparison: what may be tried, what was typed, and the facts that it makes."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from careloop.desk.accounts.rules import Viewer
from careloop.desk.automation.queries import COUNTED_DAYS, count_firings, count_uses, list_macros, list_rules
from careloop.desk.experiments.actions import SPLITS, ArmFacts, ComparisonFacts, WindowFacts
from careloop.desk.experiments.queries import outcome_choices, subject_words, unit_choices
from careloop.desk.experiments.rules import AUTOMATIC, BEFORE_AFTER, MACRO, OTHER, RULE
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.solutions.queries import list_published_after
from careloop.desk.web.measure_words import GROUP_NAMES, group_names

MOST_SOLUTIONS = 500
PLACES = ("first", "second", "third", "fourth", "fifth")
SHARES = tuple(f"share_{place}" for place in PLACES)
TYPED = ("name", "outcome", "unit", "held_out", "planned", "wanted", "concerned", "group", "others", "changed_on", "days")
FIELDS = (*TYPED, *PLACES, *SHARES)
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


def choices_of(design: str) -> dict[str, list[tuple[str, Any]]]:
    """What else is chosen."""
    return {"outcomes": outcome_choices(design), "units": unit_choices()}


def rows_in(given: dict[str, str], errors: dict[str, str]) -> list[dict[str, Any]]:
    """A row of the form for each thing that may be tried, with its part."""
    return [
        {
            "place": place,
            "number": number,
            "code": given.get(place, ""),
            "share": given.get(f"share_{place}", ""),
            "error": errors.get(place, ""),
            "share_error": errors.get(f"share_{place}", ""),
        }
        for number, place in enumerate(PLACES, start=1)
    ]


def given_in(sent: QueryDict) -> dict[str, str]:
    """What was typed, by field."""
    return BEGINNING | {name: sent.get(name, "").strip() for name in FIELDS if name in sent}


def ratios_in(given: dict[str, str]) -> list[float]:
    """The parts of the chosen things and, last, of the group that goes without, if there is one; evenly where none is typed."""
    held_out = _number(given.get("held_out", ""), "held_out") / 100
    chosen = [place for place in PLACES if given.get(place)]
    typed = [place for place in chosen if given.get(f"share_{place}")]
    if typed and typed != chosen:
        missing = next(place for place in chosen if place not in typed)
        raise InvalidInput(_("Give the per cent of every group, or of none to split evenly."), field=f"share_{missing}")
    if typed:
        parts = [_number(given[f"share_{place}"], f"share_{place}") / 100 for place in chosen]
    else:
        parts = [(1 - held_out) / (len(chosen) or 1) for _place in chosen or PLACES[:1]]
    return [*parts, held_out] if held_out > 0 else parts


def concerned_in(given: dict[str, str], moment: datetime) -> float | None:
    """How many cases a day it concerns: what was typed, else how often the chosen rules or macros were used lately; None for all cases."""
    if given.get("concerned"):
        return _number(given["concerned"], "concerned")
    codes = [given[place].partition(":") for place in PLACES if given.get(place)]
    numbers = [int(number) for _kind, _sign, number in codes if number.isdigit()]
    if codes and codes[0][0] == RULE:
        counted = count_firings(moment)
        return float(sum(counted.get(number, {}).get("done", 0) for number in numbers) / COUNTED_DAYS)
    if codes and codes[0][0] == MACRO:
        return float(sum(count_uses(numbers, moment).values()) / COUNTED_DAYS)
    return None


def wanted_in(given: dict[str, str]) -> float:
    """The smallest difference worth seeing."""
    return _number(given.get("wanted", ""), "wanted")


def facts_in(given: dict[str, str], design: str, viewer: Viewer) -> ComparisonFacts:
    """The comparison that was typed, or a sentence about the field that is wrong."""
    name, outcome = given.get("name", ""), given["outcome"]
    if design == BEFORE_AFTER:
        return ComparisonFacts(name, design, outcome, window=_window(given, viewer))
    names = {thing.code: thing.name for _name, things in list_things(viewer) for thing in things}
    places = [place for place in PLACES if given.get(place)]
    codes = [given[place] for place in places]
    if not codes or codes[0] not in names:
        raise InvalidInput(_("Choose what is tried."), field="first")
    kind = codes[0].partition(":")[0]
    for place, code in zip(places, codes, strict=True):
        if code not in names or code.partition(":")[0] != kind:
            raise InvalidInput(_("Compare things of the same kind: rules, macros or solutions."), field=place)
    ratios = ratios_in(given)
    arms = [ArmFacts(names[code], ratio, int(code.partition(":")[2])) for code, ratio in zip(codes, ratios, strict=False)]
    arms += [ArmFacts(_("Without it"), ratio) for ratio in ratios[len(codes) :]]
    planned = int(_number(given.get("planned", ""), "planned"))
    return ComparisonFacts(name, design, outcome, planned, kind, given["unit"], tuple(arms))


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
