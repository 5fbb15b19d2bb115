"""What people enter into a flow's fields: from text to stored values and back."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from careloop.desk.flows.rules.flow import CHOICE, DATE, MONEY, NUMBER, YES_NO, Field, name_in
from careloop.desk.flows.rules.money import read_money, show_money
from careloop.desk.kernel.errors import InvalidInput
from careloop.desk.kernel.sentences import Sentence

MOST_NUMBER = 10**13
LONGEST_TEXT = 2_000


def read_value(field: Field, text: str, language: str = "en") -> Any:
    """The stored value of what was entered: text, number, amount, ISO date, a choice's code, true or false; None when blank."""
    given = text.replace("\0", "").strip()
    name = name_in(field.name, language)
    if not given:
        return None
    if field.type == CHOICE and given not in dict(field.choices):
        raise InvalidInput(Sentence("“{name}” has no choice “{given}”; choose one of the list.", name=name, given=given[:40]))
    if field.type == MONEY:
        return read_money(given, name, field.currency)
    return READERS.get(field.type, _text)(given, name)


def show_value(field: Field, value: Any, language: str = "en") -> str:
    """A stored value as `read_value` takes it, money with its currency; but for choices, which get their name."""
    if field.type == CHOICE and value is not None:
        return name_in(dict(field.choices).get(value, {}), language) or str(value)
    if field.type == MONEY and value is not None:
        return show_money(value)
    return enter_value(field, value)


def enter_value(field: Field, value: Any) -> str:
    """A stored value as an input holds it."""
    if value is None:
        return ""
    if field.type == MONEY:
        return show_money(value, field.currency)
    if field.type == YES_NO:
        return "yes" if value else "no"
    return str(value)


def _number(given: str, name: str) -> int | float:
    try:
        number = Decimal(given.replace(",", ""))
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) > MOST_NUMBER:
        raise InvalidInput(Sentence("“{name}” is a number; “{given}” was given.", name=name, given=given[:40]))
    return int(number) if number == number.to_integral_value() else float(number)


def _date(given: str, name: str) -> str:
    try:
        return date.fromisoformat(given).isoformat()
    except ValueError:
        raise InvalidInput(Sentence("“{name}” is a day such as 2026-05-04; “{given}” was given.", name=name, given=given[:40])) from None


def _yes_or_no(given: str, name: str) -> bool:
    if given not in ("yes", "no"):
        raise InvalidInput(Sentence("“{name}” is yes or no; “{given}” was given.", name=name, given=given[:40]))
    return given == "yes"


def _text(given: str, name: str) -> str:
    if len(given) > LONGEST_TEXT:
        raise InvalidInput(Sentence("“{name}” has {count} characters; at most {most} fit.", name=name, count=len(given), most=LONGEST_TEXT))
    return given


READERS: dict[str, Callable[[str, str], Any]] = {NUMBER: _number, DATE: _date, YES_NO: _yes_or_no}
