"""Amounts of money in flows: what people enter, how it is shown, and what may be compared with a limit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careloop.desk.flows.rules.flow import Approval, Field
from careloop.desk.flows.rules.money import read_money, show_money
from careloop.desk.flows.rules.values import enter_value, read_value, show_value
from careloop.desk.kernel.errors import InvalidInput

YUAN = Field("AMOUNT", {"en": "Amount", "zh": "金额"}, "money", currency="CNY")
LIMIT = Approval("AMOUNT", 50_000, ("OWNER",), 1, "CNY")
OLD_LIMIT = Approval("AMOUNT", 50_000, ("OWNER",), 1)


def of(minor: int, currency: str) -> dict:
    return {"minor": minor, "currency": currency}


@pytest.mark.parametrize(
    ("text", "expected", "value"),
    [
        ("1,299.5", "CNY", of(129_950, "CNY")),
        ("1299.5", "", 129_950),
        ("¥88", "", of(8_800, "CNY")),
        ("￥88", "JPY", of(88, "JPY")),
        ("88 元", "CNY", of(8_800, "CNY")),
        ("$30", "CNY", of(3_000, "USD")),
        ("$30", "AUD", of(3_000, "AUD")),
        ("eur 30", "CNY", of(3_000, "EUR")),
        ("30 USD", "CNY", of(3_000, "USD")),
        ("US$ 30 USD", "CNY", of(3_000, "USD")),
        ("1000 JPY", "CNY", of(1_000, "JPY")),
        ("1.234 KWD", "CNY", of(1_234, "KWD")),
        ("１２.５０", "CNY", of(1_250, "CNY")),
    ],
)
def test_an_amount_is_of_the_currency_that_is_said_else_of_its_fields(text, expected, value):
    assert read_money(text, "Amount", expected) == value


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("30 Taler", "“Amount” is an amount such as 1299.50 or 1299.50 EUR; “30 Taler” names no currency that is known."),
        ("$30 EUR", "“Amount” is an amount such as 1299.50 or 1299.50 EUR; “$30 EUR” names no currency that is known."),
        ("12,50", "“Amount” is an amount such as 1299.50; “12,50” was given."),
        ("12.5 JPY", "“Amount” is an amount such as 1299.50; “12.5 JPY” was given."),
        ("-5 EUR", "“Amount” is an amount such as 1299.50; “-5 EUR” was given."),
        ("EUR", "“Amount” is an amount such as 1299.50; “EUR” was given."),
        ("99999999999999 EUR", "“Amount” is an amount such as 1299.50; “99999999999999 EUR” was given."),
    ],
)
def test_what_is_no_amount_is_said(text, sentence):
    with pytest.raises(InvalidInput) as caught:
        read_money(text, "Amount", "CNY")
    assert caught.value.message == sentence


@pytest.mark.parametrize(
    ("limit", "value", "is_needed"),
    [
        (LIMIT, of(50_000, "CNY"), False),
        (LIMIT, of(50_001, "CNY"), True),
        (LIMIT, of(1, "USD"), True),
        (LIMIT, of(1, "JPY"), True),
        (LIMIT, 1, True),  # entered before the flow had a currency
        (LIMIT, None, True),
        (LIMIT, "1", True),
        (OLD_LIMIT, 50_000, False),
        (OLD_LIMIT, 50_001, True),
        (OLD_LIMIT, of(1, "CNY"), True),
        (OLD_LIMIT, None, True),
    ],
)
def test_what_cannot_be_compared_with_a_limit_needs_an_approval(limit, value, is_needed):
    assert limit.is_needed({"AMOUNT": value}) is is_needed


@given(minor=st.integers(0, 10**13), currency=st.sampled_from(("CNY", "USD", "JPY", "KWD")))
def test_an_amount_comes_back_from_its_input_as_it_went_in(minor, currency):
    value = of(minor, currency)
    assert read_value(YUAN, enter_value(YUAN, value)) == value
    assert read_money(show_money(value), "Amount", "EUR") == value


def test_the_input_leaves_the_fields_own_currency_out_and_the_page_shows_it():
    assert (enter_value(YUAN, of(60_000, "CNY")), show_value(YUAN, of(60_000, "CNY"))) == ("600.00", "600.00 CNY")
    assert (enter_value(YUAN, of(600, "JPY")), show_value(YUAN, of(600, "JPY"))) == ("600 JPY", "600 JPY")
    assert show_value(YUAN, 60_000) == "600.00"
