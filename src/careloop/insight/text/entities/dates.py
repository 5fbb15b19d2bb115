"""Calendar dates: full ones become ISO 8601, a month 2024-05, dates without a year --MM-DD."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from careloop.insight.text.entities.pattern import Pattern, make_pattern

_MONTH_NAMES = "jan feb mar apr may jun jul aug sep oct nov dec"
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTH_NAMES.split(), start=1)}
_MONTH = (
    r"(?P<name>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR, _MONTH_FIGURES, _DAY = r"(?P<year>(?:19|20)\d\d)", r"(?P<month>1[0-2]|0?[1-9])", r"(?P<day>3[01]|[12]\d|0?[1-9])"
_NUMERALS = "〇零一二三四五六七八九十"
_CHINESE_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0}
_HINT = re.compile(r"[0-9](?:\s?[年月]|[/.-][0-9])")
_YEAR_HINT = re.compile(r"[12][09][0-9]{2}\s?[年/.-]")
_SLASHED_HINT = re.compile(r"[0-9]([/.-])[0-9]{1,2}\1[0-9]{4}")
_ENGLISH_HINT = re.compile(
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?\s\d|\d(?:st|nd|rd|th)?\s(?:of\s)?[jfmasond]"
)  # for texts in small letters
CHINESE_HINT = re.compile("[一二三四五六七八九十]月[一二三]?[一二三四五六七八九十]{1,2}[日号號]")


def _normalise(match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    name = groups.get("name")
    month = _MONTH_NUMBERS[name[:3].lower()] if name else int(match["month"])
    return _write(groups.get("year"), month, int(groups["day"]) if groups.get("day") else None)


def _normalise_slashes(match: re.Match[str]) -> str | None:
    """Return 10/15/2024 and 15/10/2024 alike; where both readings are dates the month is first."""
    first, second = int(match["first"]), int(match["second"])
    month, day = (second, first) if first > 12 else (first, second)
    return _write(match["year"], month, day)


def _normalise_chinese(match: re.Match[str]) -> str | None:
    year = match["year"]
    figures = "".join(str(_CHINESE_DIGITS[character]) for character in year) if year else None
    return _write(figures, _count(match["month"]), _count(match["day"]))


def _write(year: str | None, month: int, day: int | None) -> str | None:
    if day is None:
        return f"{year}-{month:02d}"
    try:
        date(int(year or 2000), month, day)  # 2000 has 29 February
    except ValueError:
        return None
    return f"{year}-{month:02d}-{day:02d}" if year else f"--{month:02d}-{day:02d}"


def _count(numerals: str) -> int:
    tens, found, ones = numerals.partition("十")
    return (_CHINESE_DIGITS[tens] if tens else 1) * 10 + (_CHINESE_DIGITS[ones] if ones else 0) if found else _CHINESE_DIGITS[numerals[0]]


_FULL, _MONTH_OF_YEAR, _DAY_OF_MONTH, *_ENGLISH = (
    make_pattern("date", expression, _normalise)
    for expression in (
        rf"(?<![\d.\-/]){_YEAR}\s?[年\-/.]\s?{_MONTH_FIGURES}\s?[月\-/.]\s?{_DAY}\s?[日号號]?(?!\d|[.-]\d)",
        rf"(?<![\d.\-/]){_YEAR}\s?年\s?{_MONTH_FIGURES}\s?月(?!\s?\d)(?:份)?",
        rf"(?<!\d){_MONTH_FIGURES}\s?月\s?{_DAY}\s?[日号號]",
        rf"(?<![a-z]){_MONTH}\s{_DAY}(?:st|nd|rd|th)?(?:,?\s{_YEAR})?(?![\da-z]|[.:]\d)",
        rf"(?<![\d.:]){_DAY}(?:st|nd|rd|th)?\s(?:of\s)?{_MONTH}(?:,?\s{_YEAR})?(?![\da-z])",
    )
)
_SLASHED = make_pattern(
    "date",
    r"(?<![\d.\-/])(?P<first>3[01]|[12]\d|0?[1-9])(?P<mark>[/.-])(?P<second>3[01]|[12]\d|0?[1-9])(?P=mark)(?P<year>(?:19|20)\d\d)(?!\d|[./-]\d)",
    _normalise_slashes,
)
CHINESE_DATE = make_pattern(
    "date",
    rf"(?:(?P<year>[一二][{_NUMERALS[:-1]}]{{3}})年)?(?P<month>十[一二]?|[一二三四五六七八九])月(?P<day>三十一?|二?十[一二三四五六七八九]?|[一二三四五六七八九])[日号號]",
    _normalise_chinese,
)


def choose_patterns(text: str, small: str) -> Iterator[Pattern]:
    """Yield the patterns for dates in figures that can match a text with digits; `small` is its copy in small letters, or empty."""
    if _HINT.search(text):
        if _YEAR_HINT.search(text):
            yield _FULL
            yield _MONTH_OF_YEAR
        if "月" in text:
            yield _DAY_OF_MONTH
        if _SLASHED_HINT.search(text):
            yield _SLASHED
    if small and _ENGLISH_HINT.search(small):
        yield from _ENGLISH
