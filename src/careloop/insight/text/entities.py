"""Things with a fixed written form: addresses, numbers, amounts, dates. Patterns find them; what fails its check is left out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from careloop.insight.text import entity_dates, entity_numbers
from careloop.insight.types import Entity


class Pattern(NamedTuple):
    """A type, the expression that finds it, and a function from the match to its normalised value (None: not one after all)."""

    type: str
    expression: re.Pattern[str]
    normalise: Callable[[re.Match[str]], str | None]


def _compile(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.IGNORECASE | re.ASCII)


_EMAIL = Pattern(
    "email",
    _compile(r"(?<![\w.+-])[a-z0-9][a-z0-9._%+-]{0,63}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}[a-z]{2,24}(?![a-z0-9-])"),
    lambda match: match[0].lower(),
)
_URL = Pattern(
    "url",
    _compile(r"(?:https?://|www\.)[a-z0-9][^\s<>\"'（），。！？；、\u4e00-\u9fff]{2,2000}(?<![.,;:!?)\]}])"),
    lambda match: match[0] if match[0][:4].lower() == "http" else f"http://{match[0]}",
)

_HAS_DIGIT = re.compile("[0-9]")
_HAS_LONG_NUMBER = re.compile(r"[0-9][0-9 ().-]{4,}[0-9]")
_HAS_ORDER_WORD = re.compile("[单單订訂]|order|booking|reservation|purchase", re.IGNORECASE)
_HAS_MONTH = re.compile(r"[年月]|[0-9][/.-][0-9]|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec", re.IGNORECASE)
_HAS_MONEY = re.compile("[元块圆￥¥$€£币金镑]|[a-z]", re.IGNORECASE)

# Each with a hint that is much cheaper to look for, in order of trust: text taken by one pattern is not given to a later one.
_WITH_DIGITS = (
    (_HAS_LONG_NUMBER, Pattern("id_card", _compile(r"(?<![\da-z])[1-9]\d{16}[\dx](?![\da-z])"), entity_numbers.check_id_card)),
    (
        _HAS_ORDER_WORD,
        Pattern(
            "order",
            _compile(
                r"(?:订单编号|订单号码|订单号|订单|(?<!快递)(?<!物流)(?<!运)单号|預訂|订位|(?<![a-z])(?:order|booking|reservation|purchase)(?![a-z])"
                r"(?:\s*(?:number|no\.?|id))?)\s*(?:是|为|is)?\s*[:：#＃]?\s*"
                r"(?P<value>(?=[a-z-]{0,8}\d)[a-z0-9][a-z0-9-]{3,30}[a-z0-9])(?![a-z0-9年月日元块])"
            ),
            entity_numbers.check_order,
        ),
    ),
    (
        _HAS_LONG_NUMBER,
        Pattern(
            "tracking",
            _compile(
                r"(?:(?:运单号?|快递单号|物流单号|快递号|tracking\s*(?:number|no\.?|id)?)\s*(?:是|为|is)?\s*[:：#]?\s*"
                r"(?P<value>(?=[a-z]{0,4}\d)[a-z0-9]{8,30})"
                r"|(?P<carrier>(?<![a-z0-9])(?:SF\d{12,15}|YT\d{13,15}|JD[A-Z]{0,2}\d{11,15}|JT\d{13}|1Z[0-9A-Z]{16}|[A-Z]{2}\d{9}[A-Z]{2})))"
                r"(?![a-z0-9])"
            ),
            entity_numbers.check_tracking,
        ),
    ),
    (
        _HAS_LONG_NUMBER,
        Pattern(
            "phone",
            _compile(r"(?<![\d.\-/])(?:(?:\+|00)?86[\s-]?)?1[3-9]\d(?:\d{8}|[\s-]\d{4}[\s-]\d{4})(?![\d-])"),
            entity_numbers.normalise_mobile,
        ),
    ),
    (
        _HAS_LONG_NUMBER,
        Pattern(
            "phone",
            _compile(r"(?<![\d.\-/])(?:\(?0(?:10|2\d|[3-9]\d{2})\)?[\s-]?[2-9]\d{6,7}|[48]00[\s-]?\d{3}[\s-]?\d{4})(?!\d)"),
            entity_numbers.normalise_landline,
        ),
    ),
    (
        _HAS_LONG_NUMBER,
        Pattern(
            "phone",
            _compile(
                r"(?<![\d.\-/+])(?:\+[1-9]\d{0,2}(?:[\s.-]?\(?\d{1,4}\)?){2,5}|\([2-9]\d{2}\)\s?\d{3}-\d{4}|[2-9]\d{2}-\d{3}-\d{4})(?!\d)"
            ),
            entity_numbers.normalise_international,
        ),
    ),
    (
        _HAS_LONG_NUMBER,
        Pattern("bank_card", _compile(r"(?<![\d.])(?:[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{3,7})(?!\d)"), entity_numbers.check_bank_card),
    ),
    *((_HAS_MONTH, Pattern("date", _compile(expression), entity_dates.normalise_date)) for expression in entity_dates.DATES),
    *((_HAS_MONEY, Pattern("amount", _compile(expression), entity_numbers.normalise_amount)) for expression in entity_numbers.AMOUNTS),
)
_WITHOUT_DIGITS = (Pattern("amount", _compile(entity_numbers.CHINESE_AMOUNT), entity_numbers.normalise_chinese_amount),)
_RELATIVE = Pattern("relative_date", _compile(entity_dates.RELATIVE), entity_dates.normalise_relative)
_PLATE = Pattern(
    "plate",
    _compile(r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·\s]?[A-HJ-NP-Z0-9]{5,6}(?![A-Z0-9])"),
    lambda match: re.sub(r"[·\s]", "", match[0]).upper(),
)

_HAS_RELATIVE = re.compile(entity_dates.RELATIVE_HINT, re.IGNORECASE)
_HAS_CHINESE_MONEY = re.compile("[一二三四五六七八九十百千万两半][元块]")


def find_entities(text: str) -> tuple[Entity, ...]:
    """Return the entities of a readable text in order of place; none overlaps another.

    Types: email, url, phone, order, tracking, amount, date, relative_date, id_card (checksum), bank_card (Luhn), plate.
    """
    patterns = _choose_patterns(text)
    if not patterns:
        return ()
    found: list[Entity] = []
    taken = bytearray(len(text))
    for pattern in patterns:
        for match in pattern.expression.finditer(text):
            start, end = match.span("value") if match.re.groupindex.get("value") and match["value"] else match.span()
            value = pattern.normalise(match)
            if value is not None and not any(taken[start:end]):
                taken[start:end] = b"\x01" * (end - start)
                found.append(Entity(pattern.type, text[start:end], start, end, value))
    found.sort(key=lambda entity: entity.start)
    return tuple(found)


def _choose_patterns(text: str) -> list[Pattern]:
    """Return the patterns that can match at all, told by one telling character each: most texts need none."""
    patterns: list[Pattern] = []
    if "@" in text:
        patterns.append(_EMAIL)
    if "://" in text or "www." in text or "WWW." in text:
        patterns.append(_URL)
    if _HAS_DIGIT.search(text):
        patterns.append(_PLATE)
        patterns += [pattern for hint, pattern in _WITH_DIGITS if hint.search(text)]
    if _HAS_CHINESE_MONEY.search(text):
        patterns += _WITHOUT_DIGITS
    if _HAS_RELATIVE.search(text):
        patterns.append(_RELATIVE)
    return patterns
