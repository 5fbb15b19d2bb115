"""Tokens of pages without sign-in: read as they were signed, refused in any other form."""

import pytest
from django.core import signing

from careloop.desk.kernel.signed_numbers import LONGEST_TOKEN, read_numbers, sign_numbers

SALT = "careloop.customer.link"
TOKEN = signing.Signer(sep=".", salt=SALT).sign("17-4-1-20700")


def test_a_token_holds_its_numbers_and_is_the_same_each_time():
    assert sign_numbers(SALT, 17, 4, 1, 20700) == TOKEN == sign_numbers(SALT, 17, 4, 1, 20700)
    assert TOKEN.startswith("17-4-1-20700.")
    assert read_numbers(SALT, TOKEN) == [17, 4, 1, 20700]
    assert read_numbers(SALT, sign_numbers(SALT, 9)) == [9]


@pytest.mark.parametrize(
    "token",
    ["", "17-4-1-20700", "17-4-1-20700.", TOKEN[:-1], TOKEN.replace("17-", "18-"), TOKEN + "x" * LONGEST_TOKEN, "∞." + TOKEN.split(".")[1]],
)
def test_what_we_did_not_sign_is_no_token(token):
    assert read_numbers(SALT, token) is None


def test_a_token_of_one_kind_opens_nothing_of_another():
    assert read_numbers("careloop.shared.page", TOKEN) is None
