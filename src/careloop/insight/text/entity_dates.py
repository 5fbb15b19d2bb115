"""Dates: full ones become ISO 8601, dates without a year --MM-DD, relative ones a signed number of units from the day of writing."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS.split(), start=1)}
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
DATES = (
    r"(?<![\d.\-/])(?P<year>(?:19|20)\d\d)\s?[年\-/.]\s?(?P<month>1[0-2]|0?[1-9])\s?[月\-/.]\s?(?P<day>3[01]|[12]\d|0?[1-9])\s?[日号]?(?!\d)",
    r"(?<!\d)(?P<month>1[0-2]|0?[1-9])\s?月\s?(?P<day>3[01]|[12]\d|0?[1-9])\s?[日号]",
    rf"(?<![a-z]){_MONTH}\s(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?(?:,?\s(?P<year>(?:19|20)\d\d))?(?![\da-z])",
    rf"(?<!\d)(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}(?:,?\s(?P<year>(?:19|20)\d\d))?(?![\da-z])",
)

_WEEKDAYS = {character: number for number, character in enumerate("一二三四五六", start=1)} | {"日": 7, "天": 7}
_ENGLISH_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday"
_ENGLISH_DAY = f"(?:{_ENGLISH_WEEKDAYS.replace(' ', '|')})"
_COUNT = r"(?P<count>\d{1,3}|[一二两三四五六七八九十半]{1,3}|几)"
RELATIVE = (
    r"(?P<day>大前天|前天|昨天|昨日|昨晚|今天|今日|今晚|明天|明日|明晚|后天|大后天)"
    r"|(?P<week>上上|下下|上|下|这|本)(?:个)?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天])?"
    r"|(?P<month>上|下|这|本)(?:个)?月(?!经)|(?P<year>前年|去年|今年|明年)"
    rf"|{_COUNT}\s?(?:个)?(?P<unit>小时|天|日|周|星期|礼拜|月|年)(?:以|之)?(?P<side>前|后)"
    r"|(?<![a-z])(?:(?P<english_day>the day before yesterday|yesterday|today|tonight|tomorrow)"
    rf"|(?P<which>last|next|this)\s(?P<what>week|month|year|{_ENGLISH_DAY})"
    r"|(?P<number>\d{1,3}|an?|one|two|three|four|five|six|seven|ten|a few)\s(?P<english_unit>hour|day|week|month|year)s?\sago)(?![a-z])"
)
RELATIVE_HINT = r"[昨今明前后上下这本去]|today|tonight|tomorrow|yesterday|\bago\b|\b(?:last|next|this)\s"

_DAYS = {"大前天": -3, "前天": -2, "昨": -1, "今": 0, "明": 1, "后天": 2, "大后天": 3}
_ENGLISH_DAYS = {"the day before yesterday": -2, "yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1}
_STEPS = {"上上": -2, "上": -1, "这": 0, "本": 0, "下": 1, "下下": 2, "last": -1, "this": 0, "next": 1}
_YEARS = {"前年": -2, "去年": -1, "今年": 0, "明年": 1}
_UNIT_NAMES = {"小时": "hour", "天": "day", "日": "day", "周": "week", "星期": "week", "礼拜": "week", "月": "month", "年": "year"}
_ENGLISH_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10}
_CHINESE_NUMBERS = {character: value for value, character in enumerate("一二三四五六七八九十", start=1)} | {"两": 2}


def normalise_date(match: re.Match[str]) -> str | None:
    """Return YYYY-MM-DD, or --MM-DD without a year; None for a day that no calendar has."""
    groups = match.groupdict()
    name = groups.get("name")
    month = _MONTH_NUMBERS[name[:3].lower()] if name else int(match["month"])
    year, day = groups.get("year"), int(match["day"])
    try:
        date(int(year) if year else 2000, month, day)
    except ValueError:
        return None
    return f"{year}-{month:02d}-{day:02d}" if year else f"--{month:02d}-{day:02d}"


def normalise_relative(match: re.Match[str]) -> str | None:
    """Return a signed step such as “-1 day”, “+1 week”, “-1 week friday”; “a few” keeps no number: “- day”."""
    if match["day"]:
        day = match["day"]
        return _step(_DAYS[day] if day in _DAYS else _DAYS[day[0]], "day")
    if match["week"]:
        weekday = f" {_ENGLISH_WEEKDAYS.split()[_WEEKDAYS[match['weekday']] - 1]}" if match["weekday"] else ""
        return _step(_STEPS[match["week"]], "week") + weekday
    if match["month"]:
        return _step(_STEPS[match["month"]], "month")
    if match["year"]:
        return _step(_YEARS[match["year"]], "year")
    if match["count"]:
        return _count_back(match["count"], _UNIT_NAMES[match["unit"]], "-" if match["side"] == "前" else "+")
    return _normalise_english(match)


def _normalise_english(match: re.Match[str]) -> str:
    if match["english_day"]:
        return _step(_ENGLISH_DAYS[match["english_day"].lower()], "day")
    if match["which"]:
        what, step = match["what"].lower(), _STEPS[match["which"].lower()]
        return _step(step, what) if what in {"week", "month", "year"} else f"{_step(step, 'week')} {what}"
    number = match["number"].lower()
    return _count_back(str(_ENGLISH_NUMBERS.get(number, number)), match["english_unit"].lower(), "-")


def _count_back(count: str, unit: str, sign: str) -> str:
    if count.isdigit():
        return f"{sign}{int(count)} {unit}"
    if count == "半":
        return f"{sign}0.5 {unit}"
    if not all(character in _CHINESE_NUMBERS for character in count):
        return f"{sign} {unit}"
    tens, found, rest = count.partition("十")
    value = (_CHINESE_NUMBERS.get(tens, 1) * 10 + _CHINESE_NUMBERS.get(rest, 0)) if found else _CHINESE_NUMBERS[count[0]]
    return f"{sign}{value} {unit}"


def _step(number: int, unit: str) -> str:
    return f"{number:+d} {unit}" if number else f"0 {unit}"
