"""Dates and times as people and spreadsheets write them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from careloop.insight.errors import Sentence
from careloop.insight.tables.quantities import to_ascii_forms
from careloop.insight.tables.reasons import Reason, ValueProblem, shortened

YEAR_FIRST = re.compile(r"(\d{4})\s*([-/.年])\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?")
YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})")
COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
DAY_MONTH_NAME = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s\-.]+([a-z]{3,9})\.?,?[\s\-]+(\d{4})")
MONTH_NAME_DAY = re.compile(r"([a-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})")
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
          "december")  # fmt: skip
WEEKDAY = re.compile(r"^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+|(?:星期|周|礼拜)[一二三四五六日天]\s*)")
CLOCK = re.compile(
    r"(上午|下午|晚上|中午|凌晨|早上|am|pm)?\s*(\d{1,2})(?:[:时点]\s*(\d{1,2})?)(?:[:分]\s*(\d{1,2})?(?:[.,](\d{1,9}))?)?[分秒]?"
    r"\s*([ap]\.?m\.?)?\s*(z|utc|gmt|[-+]\d{2}:?\d{2}|[-+]\d{2})?"
)
SERIAL = re.compile(r"\d{5}(?:\.\d+)?")
UNIX_SECONDS = re.compile(r"\d{10}(?:\.\d+)?")
UNIX_MILLISECONDS = re.compile(r"\d{13}")
SERIAL_ORIGIN = datetime(1899, 12, 30)  # noqa: DTZ001 - a wall clock without zone, as in the sheet


def parse_date(text: str, *, is_day_first: bool | None) -> date:
    """Return the calendar day that a cell names; a time of day beside it is passed over.

    Parameters
    ----------
    text : str
        2026-03-05, 20260305, 2026/3/5, 2026.3.5, 2026年3月5日, 05.03.2026 (dots: day first), 5 Mar 2026, March 5, 2026,
        or a spreadsheet's serial number of five digits (46086).
    is_day_first : bool or None
        Meaning of 03/05/2026 and 03-05-2026: day first, month first, or, when None, refused as ambiguous. A part above 12
        or two equal parts decide by themselves.

    Raises
    ------
    ValueProblem
        With `NOT_A_DATE` or `AMBIGUOUS_DATE`.
    """
    return _moment(text, is_day_first).date()


def parse_datetime(text: str, *, is_day_first: bool | None, zone: tzinfo) -> datetime:
    """Return the moment that a cell names, in UTC.

    Parameters
    ----------
    text : str
        A date as in `parse_date`, alone (its midnight) or followed by a time: 14:02, 14:02:33.5, 2:05 PM, 下午2:05, 14时2分, with
        or without Z or an offset. Also seconds (10 digits) and milliseconds (13 digits) since 1970 in UTC.
    is_day_first : bool or None
        As in `parse_date`.
    zone : tzinfo
        Of times that name none. A time that occurs twice when clocks go back is the earlier one.

    Raises
    ------
    ValueProblem
        With `NOT_A_DATE` or `AMBIGUOUS_DATE`.
    """
    cell = text.strip()
    if UNIX_MILLISECONDS.fullmatch(cell):
        return datetime.fromtimestamp(int(cell[:10]), UTC) + timedelta(milliseconds=int(cell[10:]))
    if UNIX_SECONDS.fullmatch(cell):
        return datetime.fromtimestamp(float(cell), UTC)
    moment = _moment(text, is_day_first)
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise _no_date(text) from None


def _moment(text: str, is_day_first: bool | None) -> datetime:
    cell = to_ascii_forms(text)
    if len(cell) >= 10 and cell[4] == cell[7] == "-":  # by far the most common spelling, ten times faster
        try:
            return datetime.fromisoformat(cell)
        except ValueError:
            pass
    if len(cell) > 80:
        raise _no_date(text)
    if SERIAL.fullmatch(cell):
        return SERIAL_ORIGIN + timedelta(days=float(cell))
    cell = WEEKDAY.sub("", cell.lower())
    day, rest = _leading_day(cell, text, is_day_first)
    rest = WEEKDAY.sub("", rest.strip(" ,")).removeprefix("t").strip()
    if not rest:
        return datetime.combine(day, time())
    return _with_clock(day, rest, text)


def _leading_day(cell: str, text: str, is_day_first: bool | None) -> tuple[date, str]:
    if found := YEAR_FIRST.match(cell):
        return _day(text, found[1], found[3], found[4]), cell[found.end() :]
    if found := YEAR_LAST.match(cell):
        month, day = _month_and_day(found, text, is_day_first)
        return _day(text, found[4], month, day), cell[found.end() :]
    if found := COMPACT.match(cell):
        return _day(text, found[1], found[2], found[3]), cell[found.end() :]
    if found := DAY_MONTH_NAME.match(cell):
        return _day(text, found[3], _month(found[2], text), found[1]), cell[found.end() :]
    if found := MONTH_NAME_DAY.match(cell):
        return _day(text, found[3], _month(found[1], text), found[2]), cell[found.end() :]
    raise _no_date(text)


def _month_and_day(found: re.Match[str], text: str, is_day_first: bool | None) -> tuple[str, str]:
    first, second = found[1], found[3]
    if found[2] == "." or int(first) > 12:
        return second, first
    if int(second) > 12 or int(first) == int(second):
        return first, second
    if is_day_first is None:
        raise ValueProblem(
            Reason.AMBIGUOUS_DATE,
            Sentence(
                "“{text}” may be day {day} of month {month} or the reverse; say which comes first in this column",
                text=shortened(text),
                day=int(first),
                month=int(second),
            ),
        )
    return (second, first) if is_day_first else (first, second)


def _month(name: str, text: str) -> int:
    for number, month in enumerate(MONTHS, 1):
        if month.startswith(name) or name == "sept" == month[:4]:
            return number
    raise _no_date(text)


def _day(text: str, year: str, month: str | int, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise ValueProblem(Reason.NOT_A_DATE, Sentence("“{text}” is a day that no calendar has", text=shortened(text))) from None


def _with_clock(day: date, rest: str, text: str) -> datetime:
    found = CLOCK.fullmatch(rest)
    if not found:
        raise _no_date(text)
    hour = int(found[2])
    half = (found[1] or found[6] or "").replace(".", "")
    if (half in ("下午", "晚上", "pm") and hour < 12) or (half == "中午" and hour < 3):
        hour += 12
    elif half in ("am", "上午", "凌晨") and hour == 12:
        hour = 0
    micros = int((found[5] or "0")[:6].ljust(6, "0"))
    try:
        clock = time(hour, int(found[3] or 0), int(found[4] or 0), micros, _offset(found[7]))
    except ValueError:
        raise ValueProblem(Reason.NOT_A_DATE, Sentence("“{text}” has a time that no clock shows", text=shortened(text))) from None
    return datetime.combine(day, clock)


def _offset(mark: str | None) -> tzinfo | None:
    if mark is None:
        return None
    if mark in ("z", "utc", "gmt"):
        return UTC
    digits = mark[1:].replace(":", "").ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-offset if mark[0] == "-" else offset)


def _no_date(text: str) -> ValueProblem:
    return ValueProblem(Reason.NOT_A_DATE, Sentence("“{text}” is no date that can be read", text=shortened(text)))
