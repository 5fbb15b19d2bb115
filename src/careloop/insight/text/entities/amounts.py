"""Amounts of money, in figures and in Chinese numerals, as minor units (fen, cents) and an ISO 4217 code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from careloop.insight.text.entities.pattern import Pattern, make_pattern

_CODES = ("cny", "rmb", "usd", "eur", "gbp", "hkd", "twd", "jpy", "krw", "sgd", "aud", "cad")
_SIGNS = {"￥": "CNY", "¥": "CNY", "$": "USD", "＄": "USD", "us$": "USD", "€": "EUR", "£": "GBP", "hk$": "HKD", "nt$": "TWD", "₩": "KRW"}
_SIGNS |= {"s$": "SGD", "a$": "AUD", "c$": "CAD", "₹": "INR", "₽": "RUB", "฿": "THB"}
_SIGNS |= {code: "CNY" if code == "rmb" else code.upper() for code in _CODES}
_NAMES = {
    "CNY": "元 块 块钱 圆 塊 塊錢 圓 人民币 人民幣 元人民币 yuan",
    "USD": "美元 美金 美刀 刀 dollar dollars bucks buck",
    "EUR": "欧元 歐元 € euro euros",
    "GBP": "英镑 英鎊 £ pound pounds quid",
    "HKD": "港币 港元 港幣",
    "JPY": "日元 日圆 日圓 yen",
    "TWD": "台币 新台币 台幣 新台幣",
    "KRW": "韩元 韩币",
}
_UNITS = {name: currency for currency, names in _NAMES.items() for name in names.split()} | {code: _SIGNS[code] for code in _CODES}
_UNITS["$"] = "USD"
_WITHOUT_MINOR = {"JPY", "KRW"}
_SCALES = {"": 1, "百": 100, "千": 1_000, "万": 10_000, "萬": 10_000, "亿": 100_000_000, "k": 1_000, "m": 1_000_000}
_SCALES |= {"thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000}

_NOT_A_UNIT = (
    "(?!素|旦|宝|首|件|老|气|月|板|状|屏|电|表|肉|糖|砖|布|石|巧|饼|蛋|披|香|肥|硬|主|内|玻|瓷|面|地|木|手表|手錶|豆腐)"  # 三块肥皂, 元旦
)
_FIGURES = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,10}(?:\.\d{1,2})?"
_CHINESE_UNITS = (
    "人民币|人民幣|块钱|塊錢|元人民币|元|块|塊|圆|圓|美元|美金|美刀|欧元|歐元|英镑|英鎊|港币|港元|港幣|日元|日圆|日圓|新?台[币幣]|韩[元币]"
)
_SIGN_HINT = re.compile("[￥¥$＄€£₩₹₽฿]")
_UNIT_HINT = re.compile(rf"[0-9](?:\s?[万萬千百亿多来余]{{0,2}}\s?(?:{_CHINESE_UNITS})|[毛角])")
_CODE_HINT = re.compile(rf"(?:{'|'.join(_CODES)})\s?\d")  # for texts in small letters, as the next
_ENGLISH_HINT = re.compile(r"\d\s?(?:dollar|buck|euro|pound|quid|yuan|yen|usd|eur|gbp|rmb|cny|hkd|jpy|twd|krw|sgd|aud|cad)", re.IGNORECASE)
CHINESE_HINT = re.compile("[一二三四五六七八九十百千万两半][元块塊美欧英]")


def _normalise(match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    currency = _SIGNS.get((groups.get("sign") or "").lower()) or _UNITS.get((groups.get("unit") or "").lower())
    if currency is None:
        return None
    figures = match["number"]
    written = figures.replace(",", ".") if re.fullmatch(r"\d{1,3},\d\d", figures) else figures.replace(",", "")
    value = Decimal(written) * _SCALES[(groups.get("scale") or "").lower()]
    tenths = groups.get("tenths")
    return _write(value + (Decimal(tenths) / 10 if tenths else 0), currency)


def _normalise_small(match: re.Match[str]) -> str:
    return _write(Decimal(match["number"]) / 10, "CNY")


def _normalise_chinese(match: re.Match[str]) -> str | None:
    value = Decimal(str(read_chinese_number(match["number"])))
    tenths = match["tenths"]
    if tenths:
        value += Decimal("0.5") if tenths == "半" else Decimal(str(read_chinese_number(tenths))) / 10
    return _write(value, _UNITS[match["unit"]]) if value else None


def _write(value: Decimal, currency: str) -> str:
    return f"{int(value * (1 if currency in _WITHOUT_MINOR else 100))} {currency}"


_SIGNED, _COUNTED, _SMALL = (
    make_pattern(
        "amount",
        rf"(?P<sign>[￥¥€£₩₹₽฿]|(?<![a-z])(?:us|hk|nt|[sac])?[$＄]|(?<![a-z])(?:{'|'.join(_CODES)}))\s?(?P<number>{_FIGURES})"
        r"\s?(?P<scale>[万萬千亿]|(?:k|m|thousand|million|billion)(?![a-z]))?(?!\d|[a-z]|,\d)(?:\s?元)?",
        _normalise,
    ),
    make_pattern(
        "amount",
        rf"(?<![\d.,])(?P<number>\d{{1,3}},\d\d(?=\s?€)|{_FIGURES})\s?(?P<scale>[万萬千百亿]|k(?![a-z]))?[多来余]?\s?"
        rf"(?P<unit>{_CHINESE_UNITS}|刀(?![片具架叉])|[€£$](?!\d)|(?:{'|'.join(_CODES)}|yuan|yen|dollars?|bucks?|euros?|pounds?|quid)(?![a-z]))"
        rf"{_NOT_A_UNIT}(?:(?P<tenths>\d)(?![\d.%a-z年月日号个只件斤瓶盒包次分条])[毛角]?)?",
        _normalise,
    ),
    make_pattern("amount", r"(?<![\d.,])(?P<number>\d{1,2})\s?(?:毛钱?|角钱?)(?![度落色铁])", _normalise_small),
)
CHINESE_AMOUNT = make_pattern(
    "amount",
    r"(?P<number>[零一二两三四五六七八九十百千万半]{1,12})[多来余]?(?P<unit>块钱|块|塊|元|美元|欧元|英镑)"
    rf"{_NOT_A_UNIT}(?P<tenths>[一二三四五六七八九半](?![个块只件斤十百天月年本样]))?(?:毛|角)?",
    _normalise_chinese,
)


def choose_patterns(text: str, small: str) -> Iterator[Pattern]:
    """Yield the patterns for amounts in figures that can match a text with digits; `small` is its copy in small letters, or empty."""
    is_signed = bool(_SIGN_HINT.search(text)) or (bool(small) and bool(_CODE_HINT.search(small)))
    if is_signed or _UNIT_HINT.search(text) or (small and _ENGLISH_HINT.search(small)):
        if is_signed:
            yield _SIGNED
        yield _COUNTED
        if "毛" in text or "角" in text:
            yield _SMALL


_CHINESE_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"两": 2}
_CHINESE_POWERS = {"十": 10, "百": 100, "千": 1_000}


def read_chinese_number(numerals: str) -> float:
    """Return the value of Chinese numerals below a hundred million; 一百五 is 150, 半 is 0.5."""
    if numerals == "半":
        return 0.5
    total = section = digit = 0
    last_power = 10
    for character in numerals.replace("半", ""):
        if character in _CHINESE_DIGITS:
            digit = _CHINESE_DIGITS[character]
            last_power = 10 if character == "零" else last_power
        elif character == "万":
            total, section, digit, last_power = (total + section + digit) * 10_000, 0, 0, 10_000
        else:
            last_power = _CHINESE_POWERS[character]
            section, digit = section + (digit or 1) * last_power, 0
    shortened = digit * last_power // 10 if last_power > 10 and "零" not in numerals else digit
    return float(total + section + shortened)
