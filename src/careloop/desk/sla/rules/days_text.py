"""Days entered by hand, one a line: “2026-12-24 closed Christmas Eve”, “2027-02-06 09:00-18:00 make-up day”."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence
from careloop.desk.sla.rules.hours import Interval, read_intervals, show_intervals

CLOSED = ("closed", "off", "休", "休息", "关闭")
_LINE = re.compile(r"^(\d{4}-\d{2}-\d{2})[:：]?\s*(.*)$")
_HOURS = re.compile(r"^((?:\d{1,2}:\d{2}\s*[-–—~至]\s*\d{1,2}:\d{2}[\s,，;；、]*)+)(.*)$")

Days = dict[date, tuple[Sequence[Interval], str]]


def read_days(text: str) -> Days:
    """The days of a text, each with its intervals (none: closed) and name; InvalidInput names the line that makes no sense."""
    days: Days = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        found = _LINE.match(line.strip())
        try:
            day = date.fromisoformat(found[1]) if found else None
        except ValueError:
            day = None
        if found is None or day is None:
            sentence = Sentence("Line {number}, “{line}”, begins with no day such as 2026-12-24.", number=number, line=line.strip()[:60])
            raise InvalidInput(sentence, field="days")
        if day in days:
            sentence = Sentence("Line {number}: {day} was given before; keep one line a day.", number=number, day=day.isoformat())
            raise InvalidInput(sentence, field="days")
        days[day] = _read_rest(found[2].strip(), day)
    return days


def show_days(days: Mapping[date, tuple[Sequence[Interval], str]]) -> str:
    """The text of days, in order."""
    return "\n".join(
        f"{day.isoformat()} {show_intervals(intervals).replace('–', '-') or CLOSED[0]} {name}".rstrip()
        for day, (intervals, name) in sorted(days.items())
    )


def _read_rest(rest: str, day: date) -> tuple[Sequence[Interval], str]:
    hours = _HOURS.match(rest)
    if hours is not None:
        return read_intervals(hours[1].strip(" ,，;；、"), day.isoformat()), hours[2].strip()
    for word in CLOSED:
        if rest.lower().startswith(word):
            return (), rest[len(word) :].strip()
    if not rest:
        return (), ""
    sentence = Sentence("{day}: “{given}” is neither “closed” nor hours such as 09:00-18:00.", day=day.isoformat(), given=rest[:60])
    raise InvalidInput(sentence, field="days")
