"""What one change means to each of many cases, and how a change is written in a form: plain Python."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

MOST_CASES = 1_000
UNDO_WITHIN = timedelta(hours=1)
ASSIGN, TEAM, PRIORITY, STATUS, CATEGORY = "assignee", "team", "priority", "status", "category"
FIELDS = (ASSIGN, TEAM, PRIORITY, STATUS, CATEGORY)
PRIORITIES = (10, 20, 30, 40)
STATUSES = ("OPEN", "WAITING", "RESOLVED")
MERGED = "MERGED"

CHANGES, ALREADY = "CHANGES", "ALREADY"
OUT_OF_SIGHT, IS_MERGED, NOT_IN_TEAM, NO_SUCH_CATEGORY, ON_A_FLOW, IS_DECIDED_HERE = (
    "OUT_OF_SIGHT",
    "IS_MERGED",
    "NOT_IN_TEAM",
    "NO_SUCH_CATEGORY",
    "ON_A_FLOW",
    "IS_DECIDED_HERE",
)


@dataclass(frozen=True)
class Wish:
    """What is to be set; an assignee is a number or None (nobody)."""

    field: str
    value: Any


@dataclass(frozen=True)
class Standing:
    """A case as the judgement needs it; `is_on_way` means that its flow has not come to an end, `is_asked` that an approval waits."""

    number: int
    team_id: int
    status: str
    priority: int
    assignee_id: int | None
    category: str
    is_on_way: bool = False
    is_asked: bool = False


@dataclass(frozen=True)
class Possible:
    """Who may have cases and which categories there are, by team; a case that is given to a team stays with whom it has there."""

    people: Mapping[int, Set[int]]
    categories: Mapping[int, Set[str]]


def read_wish(given: str) -> Wish | None:
    """A wish from a form, "priority:40" or "assignee:" (nobody); None when it makes no sense."""
    field, colon, value = given.partition(":")
    if not colon or field not in FIELDS:
        return None
    if field == ASSIGN:
        number = _number(value)
        return Wish(field, number) if value == "" or number is not None else None
    if field == TEAM:
        number = _number(value)
        return Wish(field, number) if number is not None else None
    if field == PRIORITY:
        return Wish(field, _number(value)) if _number(value) in PRIORITIES else None
    if field == STATUS:
        return Wish(field, value) if value in STATUSES else None
    return Wish(field, value) if 0 < len(value) <= 80 else None


def judge(case: Standing, wish: Wish, possible: Possible) -> str:
    """CHANGES, ALREADY, or why it cannot be."""
    if case.status == MERGED:
        return IS_MERGED
    if wish.field == ASSIGN and wish.value is not None and wish.value not in possible.people.get(case.team_id, frozenset()):
        return NOT_IN_TEAM
    if wish.field == CATEGORY and wish.value not in possible.categories.get(case.team_id, frozenset()):
        return NO_SUCH_CATEGORY
    now = {ASSIGN: case.assignee_id, TEAM: case.team_id, PRIORITY: case.priority, STATUS: case.status, CATEGORY: case.category}
    if now[wish.field] == wish.value:
        return ALREADY
    return _obstacle(case, wish) or CHANGES


def _obstacle(case: Standing, wish: Wish) -> str:
    """Why the case's flow forbids it; "" if it does not."""
    if wish == Wish(STATUS, "RESOLVED") and case.is_on_way:
        return ON_A_FLOW
    return IS_DECIDED_HERE if wish.field == TEAM and case.is_asked else ""


def columns_of(wish: Wish, corrected: Iterable[str], now: datetime) -> dict[str, Any]:
    """The columns of a case that the wish sets; `corrected` names what people decided of it so far. Of a team: see cases.teams."""
    if wish.field == ASSIGN:
        return {"assignee_id": wish.value}
    if wish.field == STATUS:
        return {"status": wish.value, "resolved_at": now if wish.value == "RESOLVED" else None}
    if wish.field == CATEGORY:
        return {"category": wish.value, "corrected": sorted({*corrected, "category"})}
    return {"priority": wish.value}


def write_versions(versions: Mapping[int, int]) -> str:
    """Cases with the versions that were seen, as one form field: "12:3 15:1"."""
    return " ".join(f"{number}:{version}" for number, version in versions.items())


def read_versions(given: str) -> dict[int, int] | None:
    """What `write_versions` wrote; None when it is damaged or names more cases than are changed at once."""
    parts = given.split()
    if len(parts) > MOST_CASES:
        return None
    found: dict[int, int] = {}
    for part in parts:
        number, version = (_number(text) for text in part.partition(":")[::2])
        if number is None or version is None:
            return None
        found[number] = version
    return found


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
