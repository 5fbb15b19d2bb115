"""Amounts of money: whole numbers of the currency's smallest unit, beside the currency's code.

An amount with a currency is {"minor": 60000, "currency": "CNY"}; a bare whole number is in hundredths of a currency that nobody named.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any
from unicodedata import normalize

from babel.numbers import get_currency_precision, list_currencies

from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence

MOST_MINOR = 10**13
# What a sign may mean: the currency that is expected where it uses the sign, else the first.
SIGNS = {
    "HK$": ("HKD",),
    "US$": ("USD",),
    "NT$": ("TWD",),
    "RMB": ("CNY",),
    "人民币": ("CNY",),
    "美元": ("USD",),
    "欧元": ("EUR",),
    "港元": ("HKD",),
    "日元": ("JPY",),
    "元": ("CNY", "TWD", "HKD"),
    "¥": ("CNY", "JPY"),
    "$": ("USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD", "TWD"),
    "€": ("EUR",),
    "£": ("GBP",),
    "₩": ("KRW",),
    "₹": ("INR",),
}
SHAPE = re.compile(r"(?P<before>[^\d.,-]*)(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?P<after>[^\d.,-]*)")


@cache
def is_currency(code: str) -> bool:
    """Whether this is a currency's code, such as CNY."""
    return code in list_currencies()


def read_money(given: str, name: str, currency: str = "") -> int | dict[str, Any]:
    """An amount such as 1,299.50 or USD 30; without code or sign it is of `currency`, and where that is "" of no currency."""
    refusal = InvalidInput(Sentence("“{name}” is an amount such as 1299.50; “{given}” was given.", name=name, given=given[:40]))
    found = SHAPE.fullmatch(normalize("NFKC", given).strip())
    if found is None:
        raise refusal
    codes = {_code(word.strip(), currency) for word in found.group("before", "after") if word.strip()}
    if len(codes) > 1 or not all(is_currency(code) for code in codes):
        raise InvalidInput(
            Sentence(
                "“{name}” is an amount such as 1299.50 or 1299.50 EUR; “{given}” names no currency that is known.",
                name=name,
                given=given[:40],
            )
        )
    code = codes.pop() if codes else currency
    minor = Decimal(found["number"].replace(",", "")).scaleb(digits_of(code))
    if minor != minor.to_integral_value() or not 0 <= minor <= MOST_MINOR:
        raise refusal
    return {"minor": int(minor), "currency": code} if code else int(minor)


def show_money(value: Any, currency: str = "") -> str:
    """A stored amount as `read_money` takes it; its currency is left out where it is the expected one."""
    minor, code = (value["minor"], value["currency"]) if isinstance(value, Mapping) else (value, "")
    digits = digits_of(code)
    number = f"{Decimal(minor).scaleb(-digits).quantize(Decimal(1).scaleb(-digits)):,}"
    return f"{number} {code}" if code and code != currency else number


def minor_in(value: Any, currency: str) -> int | float | None:
    """The number of an amount if it is of this currency ("": of none, or a plain number); None where it cannot be compared."""
    if isinstance(value, Mapping):
        return value["minor"] if currency and value.get("currency") == currency else None
    return value if not currency and isinstance(value, int | float) else None


def digits_of(currency: str) -> int:
    """How many digits stand behind the point: 2 for CNY, 0 for JPY; 2 where no currency is named."""
    return get_currency_precision(currency) if currency else 2


def _code(word: str, expected: str) -> str:
    meant = SIGNS.get(word.upper(), (word.upper(),))
    return expected if expected in meant else meant[0]
