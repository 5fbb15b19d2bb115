"""Encrypted columns: ciphertext in the database, plain in Python, not searchable by value."""

import pytest
from django.core.exceptions import FieldError
from django.db import connection

from careloop.desk.customers.models import Address, Customer
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.intake.models import RawPayload
from careloop.desk.kernel.crypto import decrypt

pytestmark = pytest.mark.django_db


def stored(table: str, column: str) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY id")
        return [None if row[0] is None else bytes(row[0]) for row in cursor.fetchall()]


def test_addresses_and_raw_payloads_are_ciphertext_in_the_database(cast, inbound, now):
    receive_message(inbound(addresses=(AddressValue("PHONE", "138 0013 8000"),)), now=now)
    (phone,), (raw,) = stored("customers_address", "value"), stored("intake_rawpayload", "body")
    assert b"0013" not in phone
    assert b"text" not in raw
    assert decrypt(phone, "customers_address.value").decode() == Address.objects.get().value
    assert decrypt(raw, "intake_rawpayload.body") == b'{"text": "..."}' == RawPayload.objects.get().body


def test_text_keeps_every_character_and_none_stays_none(cast, now):
    for text in ("", "身份证 11010519491231002X", "𠮷 e\u0301 \n", None):
        customer = Customer.objects.create(name="x", identity_number=text, created_at=now, last_seen_at=now)
        assert Customer.objects.get(pk=customer.pk).identity_number == text
    assert stored("customers_customer", "identity_number")[-1] is None


def test_an_encrypted_column_cannot_be_searched_by_value(db):
    with pytest.raises(FieldError, match="use its blind index"):
        list(Address.objects.filter(value="13800138000"))
    assert list(Customer.objects.filter(identity_number__isnull=True)) == []


def test_a_value_copied_to_another_column_by_sql_does_not_open(cast, inbound, now):
    receive_message(inbound(), now=now)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE customers_customer SET identity_number = (SELECT value FROM customers_address LIMIT 1)")
    with pytest.raises(Exception, match=r"customers_customer\.identity_number: the stored bytes do not belong"):
        Customer.objects.get()
