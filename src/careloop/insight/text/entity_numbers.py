"""Checks and normal forms of phone, order, tracking, identity and card numbers, and of amounts of money."""

from __future__ import annotations

import re

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_ID_CHECKS = "10X98765432"
_UPU_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)  # UPU standard S10

_SIGNS = {"￥": "CNY", "¥": "CNY", "$": "USD", "us$": "USD", "€": "EUR", "£": "GBP", "rmb": "CNY", "cny": "CNY", "usd": "USD"}
_SIGNS |= {"eur": "EUR", "gbp": "GBP", "hk$": "HKD", "hkd": "HKD", "nt$": "TWD", "jpy": "JPY"}
_UNITS = {"元": "CNY", "块": "CNY", "块钱": "CNY", "圆": "CNY", "人民币": "CNY", "rmb": "CNY", "cny": "CNY", "yuan": "CNY", "角": "CNY"}
_UNITS |= {"美元": "USD", "美金": "USD", "刀": "USD", "usd": "USD", "dollar": "USD", "dollars": "USD", "bucks": "USD"}
_UNITS |= {
    "欧元": "EUR",
    "eur": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "€": "EUR",
    "英镑": "GBP",
    "gbp": "GBP",
    "pound": "GBP",
    "pounds": "GBP",
}
_UNITS |= {"港币": "HKD", "港元": "HKD", "日元": "JPY", "jpy": "JPY", "台币": "TWD"}

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,2})?|\d{1,10}(?:\.\d{1,2})?"
AMOUNTS = (
    rf"(?P<sign>[￥¥€£]|(?<![a-z])(?:us|hk|nt)?\$|(?<![a-z])(?:rmb|cny|usd|eur|gbp|hkd|jpy))\s?(?P<number>{_NUMBER})(?P<scale>[万千k]?)"
    r"(?!\d|[a-z])(?:\s?元)?",
    rf"(?<![\d.,])(?P<number>{_NUMBER})\s?(?P<scale>[万千百]?)(?P<several>多|来)?\s?"
    r"(?P<unit>人民币|块钱|元|块|圆|美元|美金|欧元|英镑|港币|港元|日元|台币|€"
    r"|(?:rmb|cny|yuan|usd|dollars?|bucks|euros?|eur|pounds?|gbp|hkd|jpy)(?![a-z]))",
)
CHINESE_AMOUNT = (
    r"(?P<number>[零一二两三四五六七八九十百千万半]{1,12})(?P<several>多|来)?(?P<unit>块钱|块|元|美元|欧元|英镑)(?!素|旦|宝|首|件|板|状)"
)
_SCALES = {"": 1, "百": 100, "千": 1_000, "k": 1_000, "万": 10_000}
_CHINESE_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"两": 2}
_CHINESE_POWERS = {"十": 10, "百": 100, "千": 1_000}


def check_id_card(match: re.Match[str]) -> str | None:
    """Return a Chinese identity number if birth date and check digit fit."""
    digits = match[0].upper()
    month, day = int(digits[10:12]), int(digits[12:14])
    if not (1 <= month <= 12 and 1 <= day <= 31 and digits[6:8] in {"18", "19", "20"}):
        return None
    total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=False))
    return digits if _ID_CHECKS[total % 11] == digits[17] else None


def check_bank_card(match: re.Match[str]) -> str | None:
    """Return a card number of 15–19 digits if it passes Luhn's test."""
    digits = re.sub(r"[ -]", "", match[0])
    doubled = [int(digit) * (2 - (len(digits) - place) % 2) for place, digit in enumerate(digits)]
    total = sum(value - 9 if value > 9 else value for value in doubled)
    is_plain = len(set(digits)) == 1
    return digits if 15 <= len(digits) <= 19 and total % 10 == 0 and not is_plain else None


def check_order(match: re.Match[str]) -> str | None:
    """Return an order number as written, in capitals; a lone year is none."""
    value = match["value"].upper()
    return None if re.fullmatch(r"(?:19|20)\d\d(?:-\d\d?){0,2}", value) else value


def check_tracking(match: re.Match[str]) -> str | None:
    """Return a tracking number; the international form must pass the postal union's check digit."""
    value = (match["value"] or match["carrier"]).upper()
    if re.fullmatch(r"[A-Z]{2}\d{9}[A-Z]{2}", value):
        rest = 11 - sum(int(digit) * weight for digit, weight in zip(value[2:10], _UPU_WEIGHTS, strict=True)) % 11
        if int(value[10]) != {10: 0, 11: 5}.get(rest, rest):
            return None
    return value


def normalise_mobile(match: re.Match[str]) -> str | None:
    """Return a Chinese mobile number as +86 and eleven digits."""
    return f"+86{re.sub(r'[^0-9]', '', match[0])[-11:]}"


def normalise_landline(match: re.Match[str]) -> str | None:
    """Return a Chinese landline as +86 without the leading 0, or a 400/800 number as it is."""
    digits = re.sub(r"\D", "", match[0])
    if digits[0] in "48":
        return digits if len(digits) == 10 else None
    return f"+86{digits[1:]}" if 10 <= len(digits) <= 12 else None


def normalise_international(match: re.Match[str]) -> str | None:
    """Return an international number as + and 8–15 digits (ITU-T E.164); North American ones get +1."""
    digits = re.sub(r"\D", "", match[0])
    if match[0][0] != "+":
        return f"+1{digits}"
    return f"+{digits}" if 8 <= len(digits) <= 15 else None


def normalise_amount(match: re.Match[str]) -> str | None:
    """Return an amount as number with two decimals and ISO 4217 code, such as “88.00 CNY”."""
    groups = match.groupdict()
    sign, unit = (groups.get("sign") or "").lower(), (groups.get("unit") or "").lower()
    currency = _SIGNS.get(sign) or _UNITS.get(unit) or "USD"
    value = float(match["number"].replace(",", "")) * _SCALES[match["scale"].lower()]
    return f"{value:.2f} {currency}"


def normalise_chinese_amount(match: re.Match[str]) -> str | None:
    """Return an amount written in Chinese numerals, such as 三百二十块 → “320.00 CNY”."""
    value = read_chinese_number(match["number"])
    return f"{value:.2f} {_UNITS[match['unit']]}" if value else None


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
