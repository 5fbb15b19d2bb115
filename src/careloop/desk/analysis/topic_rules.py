"""Arithmetic of topics in plain Python: language groups, spans, the stable sample, scopes of teams."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo

from careloop.desk.kernel.slots import slot_of

MOST_FITTED = 50_000
LEAST_TEXTS = 100  # of one language; with fewer, topics are accidents of a few texts
DEFAULT_SPAN_DAYS = 365
SPANS: dict[str, int | None] = {"90": 90, "365": 365, "all": None}
GROUPS = ("zh", "en", "other")
WEEKS_WATCHED = 13  # the last seven days and a quarter of a year before them
WEEKS_TOLD = 4  # a topic that emerged in one of the last four is still told of
MOST_TOPICS = 30  # of one language: what a person can look over
SAME_SIZE_RATIO = 1.3  # up to here more or fewer texts keep the number of topics of the run before


def group_of(language: str) -> str:
    """The group in whose topics a text of this language belongs; a text of both languages counts as Chinese."""
    if language.startswith("zh") or language == "mixed":
        return "zh"
    return "en" if language == "en" else "other"


def sample(ids: Sequence[int], most: int = MOST_FITTED) -> set[int]:
    """All ids when there are at most so many; else the half, quarter, … that a fixed draw by id leaves.

    The draw does not depend on the other ids: tomorrow's sample holds today's, or is part of it.
    """
    chosen, bits = set(ids), 0
    while len(chosen) > most:
        bits += 1
        chosen = {one for one in chosen if _draw(one) < 1 << (32 - bits)}
    return chosen


def first_slot(span_days: int | None, now: datetime, zone: tzinfo) -> int:
    """The slot at which a span of whole days up to today begins; 0 for all texts."""
    if span_days is None:
        return 0
    today = now.astimezone(zone).date()
    return slot_of(datetime.combine(today - timedelta(days=span_days - 1), time.min, zone))


def scope_of(team_ids: Iterable[int] | None) -> str:
    """A set of teams as it is kept: sorted ids with commas; "" for the whole house, "-" for no team."""
    return "" if team_ids is None else ",".join(map(str, sorted(team_ids))) or "-"


def weeks_until(today: date) -> list[tuple[date, date]]:
    """First and last day of the spans of seven days that end today, oldest first."""
    ends = [today - timedelta(days=7 * back) for back in range(WEEKS_WATCHED)][::-1]
    return [(end - timedelta(days=6), end) for end in ends]


def _draw(number: int) -> int:
    """32 bits that look random but follow from the number alone (Knuth's multiplicative hash, folded once)."""
    mixed = number * 2_654_435_761 & 0xFFFFFFFF
    return (mixed ^ mixed >> 15) * 2_246_822_519 & 0xFFFFFFFF
