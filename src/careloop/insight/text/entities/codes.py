"""Numbers that name a thing or a person: orders, parcels, identity cards, bank cards, accounts, plates. Most carry a check digit."""

from __future__ import annotations

import re

from careloop.insight.text.entities.pattern import make_pattern

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_ID_CHECKS = "10X98765432"
_WORDS_OF_PROVINCE_CODES = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83"
_PROVINCE_CODES = frozenset(_WORDS_OF_PROVINCE_CODES.split())
_DAYS_OF_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_UPU_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)  # UPU standard S10
_UPU_CHECKS = {10: 0, 11: 5}
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"


def check_id_card(digits: str) -> bool:
    """Tell whether a Chinese identity number has a province, a birth date and the right check digit."""
    month, day = int(digits[10:12]), int(digits[12:14])
    if digits[:2] not in _PROVINCE_CODES or digits[6:8] not in {"18", "19", "20"} or not 1 <= month <= 12:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits, _ID_WEIGHTS, strict=False))
    return 1 <= day <= _DAYS_OF_MONTH[month - 1] and _ID_CHECKS[total % 11] == digits[17].upper()


def check_luhn(digits: str) -> bool:
    """Tell whether the last digit makes the weighted sum a multiple of ten (ISO/IEC 7812-1)."""
    doubled = [int(digit) * (2 - (len(digits) - place) % 2) for place, digit in enumerate(digits)]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def check_iban(account: str) -> bool:
    """Tell whether an international account number leaves 1 when divided by 97 (ISO 13616)."""
    return int("".join(str(int(character, 36)) for character in account[4:] + account[:4])) % 97 == 1


def check_postal(number: str) -> bool:
    """Tell whether a postal item number, such as RR123456785CN, has the right check digit (UPU S10)."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(number[2:10], _UPU_WEIGHTS, strict=True)) % 11
    return int(number[10]) == _UPU_CHECKS.get(rest, rest)


def check_ups(number: str) -> bool:
    """Tell whether a UPS number, 1Z and 16 signs, has the right check digit: letters count (code − 63) mod 10, every second twice."""
    values = [int(character) if character.isdigit() else (ord(character) - 63) % 10 for character in number[2:]]
    return (sum(values[:15:2]) + 2 * sum(values[1:15:2]) + values[15]) % 10 == 0


def check_usps(number: str) -> bool:
    """Tell whether a postal number of 22 digits has the right check digit: every second from the right three times (GS1)."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(number))) % 10 == 0


_CARRIERS = (
    (re.compile(r"[A-Z]{2}\d{9}[A-Z]{2}"), check_postal),
    (re.compile(r"1Z[0-9A-Z]{16}"), check_ups),
    (re.compile(r"9[1-5]\d{20}"), check_usps),
)


def _id_card(match: re.Match[str]) -> str | None:
    return match[0].upper() if check_id_card(match[0]) else None


def _bank_card(match: re.Match[str]) -> str | None:
    digits = re.sub(r"[ -]", "", match[0])
    return digits if 15 <= len(digits) <= 19 and len(set(digits)) > 1 and check_luhn(digits) else None


def _iban(match: re.Match[str]) -> str | None:
    account = match[0].replace(" ", "").upper()
    return account if 15 <= len(account) <= 34 and check_iban(account) else None


def _order(match: re.Match[str]) -> str | None:
    """Return an order number as written, in capitals; a lone date is none."""
    value = match["value"].upper()
    return None if re.fullmatch(r"(?:19|20)\d\d(?:-\d\d?){0,2}", value) else value


def _tracking(match: re.Match[str]) -> str | None:
    value = (match["value"] or match["carrier"]).upper()
    return value if all(check(value) for form, check in _CARRIERS if form.fullmatch(value)) else None


def _plate(match: re.Match[str]) -> str | None:
    """Return a plate of five signs with at least two digits, of six for a car without exhaust (D or F first or last), or with an ending."""
    plate = re.sub(r"[·•\s]", "", match[0]).upper()
    number = plate[2:]
    if len(number) == 6:
        return (
            plate
            if re.fullmatch(r"[A-HJK][A-HJ-NP-Z0-9]\d{4}|\d{5}[A-HJK]|[A-HJ-NP-Z0-9]{4}\d?[学挂警港澳]|\d{4}[A-Z][学挂警]", number)
            else None
        )
    return plate if sum(character.isdigit() for character in number) >= 2 else None


ID_CARD = make_pattern("id_card", r"(?<![\da-z])[1-9]\d{16}[\dx](?![\da-z])", _id_card)
ORDER = make_pattern(
    "order",
    r"(?:订单编号|订单号码|订单号|订单|訂單編號|訂單號碼|訂單號|訂單|(?<!快递)(?<!物流)(?<!运)单号|流水号|預訂|订位|预订号"
    r"|(?<![a-z])(?:order|booking|reservation|purchase|invoice)(?![a-z])(?:\s*(?:number|no\.?|id|ref(?:erence)?))?)"
    r"\s*(?:是|为|is)?\s*[:：#＃]?\s*(?P<value>(?=[a-z-]{0,8}\d)[a-z0-9][a-z0-9-]{3,30}[a-z0-9])(?![a-z0-9年月日元块]|\.\d)",
    _order,
)
TRACKING = make_pattern(
    "tracking",
    r"(?:(?:运单号?码?|運單號?|快递单号|快遞單號|物流单号|快递号|tracking\s*(?:number|no\.?|id|code)?)\s*(?:是|为|is)?\s*[:：#]?\s*"
    r"(?P<value>(?=[a-z]{0,4}\d)[a-z0-9]{8,30})"
    r"|(?P<carrier>(?<![a-z0-9])(?:SF\d{12,15}|YT\d{13,15}|JD[A-Z]{0,3}\d{11,15}|JT\d{13}|ZTO\d{12}|STO\d{12,13}|DPK\d{12}"
    r"|1Z[0-9A-Z]{16}|[A-Z]{2}\d{9}[A-Z]{2}|9[1-5]\d{20})))(?![a-z0-9])",
    _tracking,
)
BANK_CARD = make_pattern("bank_card", r"(?<![\d.-])(?:[3-6]\d{3}(?:[ -]?\d{4}){2}[ -]?\d{3,7})(?![\d-])", _bank_card)
IBAN = make_pattern("iban", r"(?<![a-z0-9])[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?![a-z0-9])", _iban)
PLATE = make_pattern(
    "plate", rf"[{_PROVINCES}][A-HJ-NP-Z][·•\s]?(?:[A-HJ-NP-Z0-9]{{5,6}}|[A-HJ-NP-Z0-9]{{4,5}}[学挂警港澳])(?![A-Z0-9])", _plate
)
