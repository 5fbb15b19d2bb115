"""Giving a house what its trade starts with; everything it makes can be changed or removed like what people made."""

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from careloop.desk.accounts.queries import actor_of, check_may
from careloop.desk.accounts.rules import Viewer
from careloop.desk.analysis import queueing
from careloop.desk.analysis.taxonomy_queries import list_taxonomies
from careloop.desk.audit import actions as audit
from careloop.desk.cases import service_levels
from careloop.desk.flows.actions import ensure_shipped
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.sla.queries import list_calendars, list_every_level
from careloop.desk.sla.rules.facts import CalendarFacts, LevelFacts
from careloop.desk.sla.rules.hours import WEEKDAYS, read_intervals
from careloop.desk.solutions.actions import Facts, Wording, save_solution
from careloop.desk.solutions.queries import count_solutions
from careloop.desk.solutions.rules.letters import LANGUAGES

SETS = ("shop", "finance", "travel", "health", "telecoms")
MINUTES = ("first_response", "next_response", "resolution")
STEPS = (("FIRST_RESPONSE", -15, "NOTIFY_ASSIGNEE"), ("FIRST_RESPONSE", 30, "NOTIFY_SUPERVISORS"), ("RESOLUTION", 0, "NOTIFY_SUPERVISORS"))


@dataclass(frozen=True)
class Made:
    """How many things a starting set made."""

    categories: int = 0
    levels: int = 0
    flows: int = 0
    solutions: int = 0


@cache
def read_set(code: str) -> dict[str, Any]:
    """What a trade starts with."""
    text = resources.files("careloop.desk.starting").joinpath("sets", f"{code}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def list_sets() -> list[dict[str, Any]]:
    """Every starting set with its code."""
    return [{"code": code, **read_set(code)} for code in SETS]


def is_fresh(viewer: Viewer) -> bool:
    """Whether the house has no categories, promises and solutions of its own yet."""
    return not (list_taxonomies(viewer) or list_every_level() or count_solutions())


def start_with(*, code: str, zone: str, country: str, viewer: Viewer, now: datetime) -> Made:
    """Make what the set holds, all of it or nothing; a part of which the house has something already is left out."""
    check_may(viewer, "user.edit")
    if code not in SETS:
        raise InvalidInput(_("There is no starting set “%(given)s”; choose one of the list.") % {"given": code[:40]}, field="code")
    given = read_set(code)
    with transaction.atomic():
        made = Made(
            categories=_make_categories(given, viewer, now),
            levels=_make_levels(given, zone, country, viewer, now),
            flows=ensure_shipped(now=now),
            solutions=_make_solutions(given, viewer, now),
        )
        details = {"set": code, **made.__dict__}
        audit.record(actor=actor_of(viewer), action="start.with", object_type="house", object_id=None, now=now, details=details)
    return made


def _make_categories(given: dict[str, Any], viewer: Viewer, now: datetime) -> int:
    if list_taxonomies(viewer):
        return 0
    name = f"{given['name']['zh']} · {given['name']['en']}"
    taxonomy = queueing.create_taxonomy(name=name, team_id=None, viewer=viewer, now=now)
    made = 0
    for group in given["categories"]:
        facts = {"name_en": group["en"], "name_zh": group["zh"], "description": ""}
        heading = queueing.add_category(taxonomy_id=taxonomy.pk, facts=facts, parent_id=None, viewer=viewer, now=now)
        for one in group["categories"]:
            facts = {"name_en": one["en"], "name_zh": one["zh"], "description": one["description"]}
            queueing.add_category(taxonomy_id=taxonomy.pk, facts=facts, parent_id=heading.pk, viewer=viewer, now=now)
            made += 1
    return made


def _make_levels(given: dict[str, Any], zone: str, country: str, viewer: Viewer, now: datetime) -> int:
    if list_every_level() or list_calendars():
        return 0
    hours = given["hours"]
    weekly = [read_intervals(hours["day"] if number < 5 else hours["weekend"], name) for number, name in enumerate(WEEKDAYS)]
    facts = CalendarFacts("工作时间 · Working hours", zone, weekly, country)
    calendar, _changed = service_levels.change_calendar(facts=facts, viewer=viewer, now=now)
    for number, one in enumerate(given["levels"], 1):
        targets = {name.upper(): one[name] for name in MINUTES}
        wanted = LevelFacts(
            f"{one['zh']} · {one['en']}", calendar.pk, targets, {"kind": one["kinds"]} if one["kinds"] else {}, STEPS, position=number * 10
        )
        service_levels.change_level(facts=wanted, viewer=viewer, now=now)
    return len(given["levels"])


def _make_solutions(given: dict[str, Any], viewer: Viewer, now: datetime) -> int:
    if count_solutions():
        return 0
    codes = {one.name_en: one.code for taxonomy in list_taxonomies(viewer) for one in taxonomy.categories.all()}
    for one in given["solutions"]:
        texts = {language: Wording(**one[key]) for language, key in zip(LANGUAGES, ("zh", "en"), strict=True)}
        fitting = tuple(codes[name] for name in one["categories"] if name in codes)
        save_solution(facts=Facts(texts, categories=fitting), viewer=viewer, now=now)
    return len(given["solutions"])
