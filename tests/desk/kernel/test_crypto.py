"""Encrypted values open only with their key and in their column; the blind index is fixed for ever."""

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from careloop.desk.config.keys import Secrets, new_secrets
from careloop.desk.kernel.crypto import DecryptionFailed, blind_index, decrypt, encrypt, key_id_of, prefix_of


@given(plain=st.binary(max_size=300), context=st.text(max_size=40))
def test_every_value_opens_to_itself(plain, context):
    stored = encrypt(plain, context)
    assert decrypt(stored, context) == plain
    assert len(stored) == 1 + 1 + 2 + 12 + len(plain) + 16
    assert stored.startswith(b"\x01\x02k1")


def test_the_same_value_is_never_stored_twice_alike():
    assert len({encrypt(b"13800138000", "a.b") for _ in range(100)}) == 100


def test_a_value_moved_to_another_column_does_not_open():
    stored = encrypt(b"13800138000", "customers_address.value")
    with pytest.raises(DecryptionFailed, match=r"customers_customer\.notes: the stored bytes do not belong to this column and key"):
        decrypt(stored, "customers_customer.notes")


@given(position=st.integers(min_value=4, max_value=1 + 1 + 2 + 12 + 11 + 16 - 1), bit=st.integers(min_value=0, max_value=7))
def test_every_changed_bit_is_noticed(position, bit):
    stored = bytearray(encrypt(b"13800138000", "a.b"))
    stored[position] ^= 1 << bit
    with pytest.raises(DecryptionFailed):
        decrypt(bytes(stored), "a.b")


@given(length=st.integers(min_value=0, max_value=1 + 1 + 2 + 12 + 11 + 16 - 1))
def test_a_value_that_was_cut_off_is_refused(length):
    with pytest.raises(DecryptionFailed):
        decrypt(encrypt(b"13800138000", "a.b")[:length], "a.b")


def test_a_missing_key_is_told_with_what_to_do():
    stored = encrypt(b"x", "a.b")
    with pytest.raises(
        DecryptionFailed, match=r"a\.b: key 'k7' is not among the installation's keys; restore secrets\.json from the backup"
    ):
        decrypt(prefix_of("k7") + stored[4:], "a.b")


def test_the_wrong_key_under_the_right_name_does_not_open(settings):
    stored = encrypt(b"x", "a.b")
    settings.SECRETS = Secrets(new_secrets())
    with pytest.raises(DecryptionFailed, match="they were changed"):
        decrypt(stored, "a.b")


def test_what_is_no_ciphertext_is_refused():
    for stored in (b"", b"\x01", b"plain text", b"\x02\x02k1" + b"0" * 40):
        with pytest.raises(DecryptionFailed, match=f"a stored value of {len(stored)} bytes does not begin with version 1"):
            key_id_of(stored)


def test_an_old_key_still_opens_what_it_closed(settings):
    stored = encrypt(b"x", "a.b")
    keys = new_secrets()
    keys["encryption"] |= {"k2": keys["encryption"]["k1"]}
    both = Secrets(keys | {"active": "k2"})
    both.encryption = {**both.encryption, "k1": settings.SECRETS.encryption["k1"]}
    settings.SECRETS = both
    assert decrypt(stored, "a.b") == b"x"
    assert key_id_of(encrypt(b"x", "a.b")) == "k2"


def test_the_blind_index_is_hmac_sha256_of_purpose_and_value():
    # printf 'address.EMAIL.\0lin@example.com' | openssl dgst -sha256 -mac HMAC -macopt hexkey:$(printf 'index…' | xxd -p)
    assert settings.SECRETS.index == b"index" + b"." * 27
    assert blind_index("address.EMAIL.", "lin@example.com") == "c8c25e9b27d84f65db6fde8db05f9ad753b3f73bdfa038227b7b05f0d8e6a17e"


@given(first=st.text(max_size=30), second=st.text(max_size=30))
def test_the_blind_index_tells_purposes_and_values_apart(first, second):
    assert (blind_index("a", first) == blind_index("a", second)) == (first == second)
    assert blind_index("a", first) != blind_index("b", first)
