"""Dates told from the day of writing: a signed ISO 8601 duration, which `resolve_date` turns into a date when that day is known."""

from __future__ import annotations

import calendar
import re
from datetime import MAXYEAR, MINYEAR, date, timedelta

from careloop.insight.errors import InputError
from careloop.insight.text.entities.pattern import make_pattern

_WEEKDAY_NAMES = "monday tuesday wednesday thursday friday saturday sunday"
_NUMBER_NAMES = "one two three four five six seven eight nine ten"
_CHINESE_WEEKDAYS = {character: number for number, character in enumerate("一二三四五六", start=1)} | {"日": 7, "天": 7}
_ENGLISH_WEEKDAYS = {name: number for number, name in enumerate(_WEEKDAY_NAMES.split(), start=1)}
_ENGLISH_DAY = "|".join(_ENGLISH_WEEKDAYS)
_NUMBERS = "an?|one|two|three|four|five|six|seven|eight|nine|ten|a few|several|a couple of"
_ENGLISH_NUMBERS = {name: str(value) for value, name in enumerate(_NUMBER_NAMES.split(), start=1)} | {
    "a": "1",
    "an": "1",
    "a couple of": "2",
}
_CHINESE_NUMBERS = {character: value for value, character in enumerate("一二三四五六七八九", start=1)} | {"两": 2, "兩": 2}
_DAYS = {"大前天": -3, "前天": -2, "前晚": -2, "昨": -1, "今": 0, "明": 1, "后天": 2, "後天": 2, "大后天": 3, "大後天": 3}
_ENGLISH_DAYS = {
    "the day before yesterday": -2, "yesterday": -1, "last night": -1, "today": 0, "tonight": 0, "this morning": 0, "this afternoon": 0,
    "this evening": 0, "tomorrow": 1, "the day after tomorrow": 2,
}  # fmt: skip
_STEPS = {"上上": -2, "上": -1, "这": 0, "這": 0, "本": 0, "下": 1, "下下": 2, "last": -1, "this": 0, "next": 1}
_YEARS = {"前年": -2, "去年": -1, "今年": 0, "明年": 1, "后年": 2}
_UNITS = {"小时": "TH", "小時": "TH", "天": "D", "日": "D", "周": "W", "週": "W", "星期": "W", "礼拜": "W", "月": "M", "年": "Y"}
_ENGLISH_UNITS = {"hour": "TH", "day": "D", "week": "W", "month": "M", "year": "Y"}

HINT = re.compile(
    "[前昨今明后後上下这這本天日周週时時月年期拜](?:(?<=[前昨今明后後])[天日晚年早夜]|(?<=[上下这這本])个?(?:周|週|星期|礼拜|月)"
    "|(?<=[天日周时時月年期拜])以?[前后後]|(?:(?<=[周週])|(?<=星期)|(?<=礼拜))[一二三四五六日天])"
)
ENGLISH_HINT = re.compile(
    r"day|tonight|tomorrow|ago\b|later|from now|(?:last|next|this) (?:night|week|month|year|morn|aft|even)"
    r"|\bin (?:\d|an? |one|two|three|four|five|six|seven|eight|nine|ten|several)"
)  # for texts in small letters

_SIMPLE = (
    r"(?P<day>大前天|前天|前晚|昨[天日晚夜]|今[天日晚早夜](?!后)|明[天日晚早](?!后)|大[后後]天|[后後]天)"
    r"|(?P<week>上上|下下|上|下|这|這|本)个?(?:周|週|星期|礼拜)(?P<weekday>[一二三四五六日天](?!天))?"
    r"|(?<![一二三四五六七八九十两几半每\d])(?:周|週|星期|礼拜)(?P<lone_weekday>[一二三四五六日天])(?![一二三四五六七八九十岁年围共期天个刊])"
    r"|(?P<month>上|下|这|這|本)个?月(?![经饼光球])(?:(?P<month_day>3[01]|[12]\d|0?[1-9])[日号號])?|(?P<year>前年|去年|今年|明年|[后後]年)"
    r"|(?P<count>\d{1,3}|[一二两兩三四五六七八九十]{1,3}|半|几|幾)\s?个?(?P<unit>小时|小時|天|日|周|週|星期|礼拜|月|年)(?:以|之)?(?P<side>前|[后後])(?![面来])"
)


def _normalise_chinese(match: re.Match[str]) -> str | None:
    if match["day"]:
        day = match["day"]
        return _step(_DAYS.get(day, _DAYS.get(day[0], 0)), "D")
    if match["week"]:
        return _step(_STEPS[match["week"]], "W") + (f"-{_CHINESE_WEEKDAYS[match['weekday']]}" if match["weekday"] else "")
    if match["lone_weekday"]:
        return f"P0W-{_CHINESE_WEEKDAYS[match['lone_weekday']]}"
    if match["month"]:
        return _step(_STEPS[match["month"]], "M") + (f"-{int(match['month_day']):02d}" if match["month_day"] else "")
    if match["year"]:
        return _step(_YEARS[match["year"].replace("後", "后")], "Y")
    return _write(_count(match["count"]), _UNITS[match["unit"]], is_back=match["side"] == "前")


def _normalise_english(match: re.Match[str]) -> str | None:
    if match["day"]:
        return _step(_ENGLISH_DAYS[" ".join(match["day"].lower().split())], "D")
    if match["lone"]:
        return f"P0W-{_ENGLISH_WEEKDAYS[match['lone'].lower()]}"
    if match["which"]:
        what, step = match["what"].lower(), _STEPS[match["which"].lower()]
        return _step(step, _ENGLISH_UNITS[what]) if what in _ENGLISH_UNITS else f"{_step(step, 'W')}-{_ENGLISH_WEEKDAYS[what]}"
    number = (match["number"] or match["ahead"]).lower()
    count = number if number.isdigit() else _ENGLISH_NUMBERS.get(number, "X")
    return _write(count, _ENGLISH_UNITS[(match["unit"] or match["ahead_unit"]).lower()], is_back=(match["side"] or "").lower() == "ago")


def _count(numerals: str) -> str:
    if numerals.isascii():
        return str(int(numerals))
    if numerals == "半":
        return "0.5"
    if numerals in {"几", "幾"}:
        return "X"
    tens, found, ones = numerals.partition("十")
    return str(_CHINESE_NUMBERS.get(tens, 1) * 10 + _CHINESE_NUMBERS.get(ones, 0) if found else _CHINESE_NUMBERS[numerals[0]])


def _write(count: str, unit: str, *, is_back: bool) -> str:
    time, letter = unit[:-1], unit[-1]
    return f"{'-' if is_back else ''}P{time}{count}{letter}"


def _step(number: int, unit: str) -> str:
    return _write(str(abs(number)), unit, is_back=number < 0)


RELATIVE = make_pattern("relative_date", _SIMPLE, _normalise_chinese)
ENGLISH_RELATIVE = make_pattern(
    "relative_date",
    r"(?<![a-z])(?:(?P<day>the day before yesterday|the day after tomorrow|yesterday|last night|today|tonight|tomorrow"
    r"|this (?:morning|afternoon|evening))"
    rf"|(?P<which>last|next|this)\s(?P<what>week|month|year|{_ENGLISH_DAY})"
    rf"|(?P<number>\d{{1,3}}|{_NUMBERS})\s(?P<unit>hour|day|week|month|year)s?\s(?P<side>ago|later|from now)"
    rf"|in\s(?P<ahead>\d{{1,3}}|{_NUMBERS})\s(?P<ahead_unit>hour|day|week|month|year)s?(?!\s(?:of|ago))"
    rf"|(?P<lone>(?<!black )(?<!cyber )(?:{_ENGLISH_DAY})))(?![a-z])",
    _normalise_english,
)


_VALUE = re.compile(r"(?P<sign>-?)P(?P<time>T?)(?P<count>[\d.]+|X)(?P<unit>[DWMYH])(?:-(?P<part>\d{1,2}))?", re.ASCII)


def resolve_date(value: str, *, today: date) -> str | None:
    """Return the calendar date that an entity of type “date” or “relative_date” names, seen from the day of writing.

    Parameters
    ----------
    value : str
        The entity's value: "2024-05-01", "--05-01" (the nearest such day), or a duration such as "-P3D", "P1W-5" (Friday of the next
        week, weeks starting on Monday), "-P1M-15" (the 15th of the last month), "-PXD" (some days ago).
    today : datetime.date
        The day on which the text was written, in the writer's zone.

    Returns
    -------
    str or None
        A day "2024-05-01", an ISO week "2024-W18", a month "2024-05" or a year "2024", as precise as the words were; None when the words
        name no number (“a few days ago”).

    Raises
    ------
    InputError
        When the value is in none of these forms.

    Examples
    --------
    >>> resolve_date("-P1W-5", today=date(2026, 11, 22))
    '2026-11-13'
    """
    if re.fullmatch(r"\d{4}-\d\d(?:-\d\d)?", value):
        return value
    if re.fullmatch(r"--\d\d-\d\d", value):
        return _nearest(int(value[2:4]), int(value[5:]), today)
    match = _VALUE.fullmatch(value)
    if match is None:
        raise InputError(
            f"“{value}” is not the value of a date: expected was 2024-05-01, --05-01 or a duration such as -P3D.", field="value"
        )
    if match["count"] == "X":
        return None
    return _move(today, float(match["count"]) * (-1 if match["sign"] else 1), match["unit"], int(match["part"] or 0))


def _move(today: date, count: float, unit: str, part: int) -> str | None:
    try:
        if unit in "DH":
            return (today + timedelta(days=round(count) if unit == "D" else int(count / 24))).isoformat()
        if unit == "W":
            day = today + timedelta(weeks=count)
            year, week, _ = day.isocalendar()
            return date.fromisocalendar(year, week, part).isoformat() if part else f"{year}-W{week:02d}"
        if unit == "M" and count != int(count):
            return (today + timedelta(days=round(count * 30))).isoformat()
        months = today.year * 12 + today.month - 1 + round(count * 12 if unit == "Y" else count)
        year, month = divmod(months, 12)
        if part or not MINYEAR <= year <= MAXYEAR:
            return date(year, month + 1, min(part, calendar.monthrange(year, month + 1)[1])).isoformat()
        return f"{year}" if unit == "Y" and count == int(count) else f"{year}-{month + 1:02d}"
    except (ValueError, OverflowError):  # a day outside the calendar's years
        return None


def _nearest(month: int, day: int, today: date) -> str:
    """Return the day of that name that lies closest to today; 29 February only where there is one."""
    days = [date(year, month, day) for year in range(today.year - 4, today.year + 5) if day <= calendar.monthrange(year, month)[1]]
    return min(days, key=lambda one: abs((one - today).days)).isoformat()
