"""Numbers, ratings and amounts as people write them, Chinese and Western."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import NamedTuple

from careloop.insight.errors import Sentence
from careloop.insight.tables.reasons import Reason, ValueProblem, shortened

# Full-width forms (U+FF01–FF5E) to ASCII, the ideographic space, and the minus and dash signs to "-".
ASCII_FORMS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: " ", 0x00A0: " ", 0x2212: "-", 0x2010: "-", 0x2011: "-", 0x2012: "-", 0x2013: "-",
}  # fmt: skip
UNITS = {"千": 10**3, "万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
GROUPS_OF_THREE = re.compile(r"\d{1,3}(?:([,. '])\d{3})(?:\1\d{3})*")
PLAIN = re.compile(r"\d+(?:\.\d*)?|\.\d+")
EXPONENT = re.compile(r"[-+]?\d+(?:\.\d+)?[eE][-+]?\d{1,2}")
LARGEST_INTEGER = 2**63 - 1

CURRENCIES = {
    "¥": "CNY", "元": "CNY", "圆": "CNY", "块": "CNY", "人民币": "CNY", "rmb": "CNY", "cny": "CNY",
    "$": "USD", "usd": "USD", "us$": "USD", "美元": "USD", "€": "EUR", "eur": "EUR", "欧元": "EUR",
    "£": "GBP", "gbp": "GBP", "英镑": "GBP", "hk$": "HKD", "hkd": "HKD", "港元": "HKD", "港币": "HKD",
    "jpy": "JPY", "日元": "JPY", "twd": "TWD", "nt$": "TWD", "新台币": "TWD", "sgd": "SGD", "krw": "KRW",
    "₩": "KRW", "韩元": "KRW", "aud": "AUD", "cad": "CAD", "chf": "CHF", "mop": "MOP", "inr": "INR", "₹": "INR",
}  # fmt: skip
MINOR_DIGITS = {"JPY": 0, "KRW": 0}
AMOUNT = re.compile(r"(-?)\s*([^\d.,\s-]{0,3}|[a-zA-Z]{2}\$)\s*(-?)([\d.,' ]*\d)\s*([千万萬亿億]?)\s*([^\d]*)")
STARS = re.compile(r"([★⭐🌟]+)[☆✩]*")
CHINESE_DIGITS = dict(zip("零一二三四五六七八九十", range(11), strict=True)) | {"两": 2}
RATING = re.compile(r"([-+]?[\d.,]+)\s*(?:(?:/|out of)\s*([\d.]+))?\s*(?:星级?|分|颗星|stars?|points?)?")
RATING_WORD = re.compile(r"([零一二三四五六七八九十两])(?:星级?|分|颗星)")


class Amount(NamedTuple):
    """Money: whole minor units (cents, fen; yen as they are) and the ISO 4217 code."""

    cents: int
    currency: str


def to_ascii_forms(text: str) -> str:
    """Return the text with full-width letters, digits and signs as ASCII, trimmed."""
    return text.strip() if text.isascii() else text.translate(ASCII_FORMS).strip()


def parse_number(text: str) -> Decimal:
    """Return the number that a cell holds.

    Thousands may be grouped by commas, dots, spaces or apostrophes. With both comma and dot, the later one is the decimal
    sign. A single comma or dot followed by exactly three digits: a comma groups ("1,234" is 1234), a dot is a decimal
    point ("1.234" is 1.234). 万 and 亿 multiply; "%" divides by a hundred.

    Raises
    ------
    ValueProblem
        With `Reason.NOT_A_NUMBER`.
    """
    cell = to_ascii_forms(text)
    if EXPONENT.fullmatch(cell):
        return Decimal(cell)
    is_negative = cell.startswith("-") or (cell.startswith("(") and cell.endswith(")"))
    body = cell.strip("()") if cell.startswith("(") else cell.lstrip("+-")
    factor = Decimal(1)
    if body.endswith("%"):
        body, factor = body[:-1].rstrip(), Decimal("0.01")
    elif body[-1:] in UNITS:
        body, factor = body[:-1].rstrip(), Decimal(UNITS[body[-1]])
    digits = _plain_digits(body)
    if digits is None or len(cell) - len(cell.lstrip("+-")) > 1:
        raise ValueProblem(Reason.NOT_A_NUMBER, Sentence("“{text}” is no number", text=shortened(text)))
    value = Decimal(digits) * factor
    return -value if is_negative else value


def parse_integer(text: str) -> int:
    """Return the whole number that a cell holds; "5.0" is 5.

    Raises
    ------
    ValueProblem
        With `NOT_A_NUMBER`, `NOT_AN_INTEGER` or `NUMBER_TOO_LARGE` (beyond 64 bits).
    """
    cell = text.strip()
    if cell.isdecimal() and len(cell) < 19:
        return int(cell)
    value = parse_number(cell)
    if value != value.to_integral_value():
        raise ValueProblem(Reason.NOT_AN_INTEGER, Sentence("“{text}” is not a whole number", text=shortened(text)))
    if abs(value) > LARGEST_INTEGER:
        problem = Sentence("“{text}” is beyond {most}", text=shortened(text), most=LARGEST_INTEGER)
        raise ValueProblem(Reason.NUMBER_TOO_LARGE, problem)
    return int(value)


def parse_rating(text: str, lowest: float, highest: float) -> float:
    """Return a rating on the scale `lowest` … `highest`: "4", "4.5", "4/5", "4星", "四星", "4 stars", "★★★★☆".

    A rating out of another number than `highest` is refused, not converted.

    Raises
    ------
    ValueProblem
        With `NOT_A_RATING` or `RATING_OUT_OF_RANGE`.
    """
    value: float
    scale: float | None
    if len(text) <= 2 and text.isascii() and text.isdecimal():
        value, scale = float(text), None
    else:
        value, scale = _rating(to_ascii_forms(text), text)
    if scale not in (None, highest):
        problem = Sentence("“{text}” is out of {top:g}, the scale ends at {highest:g}", text=shortened(text), top=scale, highest=highest)
        raise ValueProblem(Reason.RATING_OUT_OF_RANGE, problem)
    if not lowest <= value <= highest:
        problem = Sentence("“{text}” is outside the scale {lowest:g} to {highest:g}", text=shortened(text), lowest=lowest, highest=highest)
        raise ValueProblem(Reason.RATING_OUT_OF_RANGE, problem)
    return value


def _rating(cell: str, text: str) -> tuple[float, float | None]:
    """Return the rating and what it is out of, where the cell says so."""
    if stars := STARS.fullmatch(cell.replace("\ufe0f", "")):
        return float(len(stars[1])), None
    if word := RATING_WORD.fullmatch(cell):
        return float(CHINESE_DIGITS[word[1]]), None
    try:
        if found := RATING.fullmatch(cell.lower()):
            return float(parse_number(found[1])), float(parse_number(found[2])) if found[2] else None
    except ValueProblem:
        pass
    raise ValueProblem(Reason.NOT_A_RATING, Sentence("“{text}” is no rating", text=shortened(text)))


def parse_amount(text: str, currency: str) -> Amount:
    """Return an amount of money: "1299", "¥1,299.00", "12.5元", "1.2万", "-$3", "EUR 1.299,00".

    Parameters
    ----------
    text : str
    currency : str
        ISO 4217 code where the cell names none. "¥" means JPY when `currency` is JPY, else CNY.

    Raises
    ------
    ValueProblem
        With `NOT_AN_AMOUNT`, also when it is finer than the currency's minor unit, or `NUMBER_TOO_LARGE`.
    """
    cell = to_ascii_forms(text).replace("￥", "¥").replace("￡", "£")
    found = AMOUNT.fullmatch(cell)
    if not found or (found[1] and found[3]):
        raise ValueProblem(Reason.NOT_AN_AMOUNT, Sentence("“{text}” is no amount of money", text=shortened(text)))
    marks = [mark for mark in (found[2].strip().lower(), found[6].strip().lower()) if mark]
    named = {_currency(mark, currency) for mark in marks} or {currency}
    digits = _plain_digits(found[4].strip())
    if digits is None or len(named) > 1 or None in named:
        raise ValueProblem(Reason.NOT_AN_AMOUNT, Sentence("“{text}” is no amount of money", text=shortened(text)))
    code = str(named.pop())
    places = MINOR_DIGITS.get(code, 2)
    cents = Decimal(digits) * UNITS.get(found[5], 1) * 10**places
    if cents != cents.to_integral_value():
        problem = Sentence("“{text}” has more than the {places} decimals that {code} has", text=shortened(text), places=places, code=code)
        raise ValueProblem(Reason.NOT_AN_AMOUNT, problem)
    if cents > LARGEST_INTEGER:
        raise ValueProblem(Reason.NUMBER_TOO_LARGE, Sentence("“{text}” is too large an amount", text=shortened(text)))
    return Amount(int(-cents if found[1] or found[3] else cents), code)


def _currency(mark: str, default: str) -> str | None:
    if mark == "¥" and default == "JPY":
        return "JPY"
    if mark == "$" and default in ("HKD", "TWD", "SGD", "AUD", "CAD"):
        return default
    if mark in CURRENCIES:
        return CURRENCIES[mark]
    return mark.upper() if mark.upper() == default else None


def _plain_digits(body: str) -> str | None:
    """Return digits with at most one point, as `Decimal` reads them; None when the marks make no sense."""
    if not body.isascii():
        return None
    if PLAIN.fullmatch(body):
        return body
    if "," in body and "." in body:
        decimal = "," if body.rfind(",") > body.rfind(".") else "."
        whole, _, fraction = body.rpartition(decimal)
        return f"{_ungrouped(whole)}.{fraction}" if _ungrouped(whole) and fraction.isdecimal() else None
    if grouped := _ungrouped(body):
        return grouped
    whole, comma, fraction = body.partition(",")
    return f"{whole}.{fraction}" if comma and whole.isdecimal() and fraction.isdecimal() and len(fraction) != 3 else None


def _ungrouped(body: str) -> str | None:
    found = GROUPS_OF_THREE.fullmatch(body)
    if found:
        return body.replace(found[1], "")
    return body if body.isdecimal() else None
