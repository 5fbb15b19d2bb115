"""Plain statements store and find exactly what the ORM would."""

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from careloop.desk.cases.models import Case, CaseEvent, Message, Priority
from careloop.desk.customers.models import Address, Customer
from careloop.desk.kernel.rows import find_rows, insert_rows, update_rows

pytestmark = pytest.mark.django_db


def customer(now, **facts):
    return Customer(created_at=now, last_seen_at=now, **facts)


def columns(row):
    return {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}


def test_rows_get_their_keys_in_order_and_read_back_equal(now):
    made = insert_rows(customer(now, name=f"客户 {number}", attributes={"n": [number, None]}) for number in range(120))
    assert [row.pk for row in made] == sorted(row.pk for row in made)
    assert [columns(row) for row in Customer.objects.order_by("pk")] == [columns(row) for row in made]
    assert not made[0]._state.adding


def test_personal_fields_are_encrypted_and_read_back(now):
    (person,) = insert_rows([customer(now, identity_number="11010119900101123X")])
    (address,) = insert_rows([Address(customer=person, kind="EMAIL", value="lin@example.com", value_index="i", created_at=now)])
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM customers_address")
        assert b"lin@example" not in bytes(cursor.fetchone()[0])
    assert Address.objects.get().value == "lin@example.com"
    assert find_rows(Address, "id = %s", [address.pk])[0].value == "lin@example.com"
    assert find_rows(Customer, "id = %s", [person.pk])[0].identity_number == "11010119900101123X"


def test_found_rows_equal_those_of_the_orm_and_may_be_locked(cast, now):
    (person,) = insert_rows([customer(now)])
    facts = {"team": cast.team, "customer": person, "channel": cast.channel, "opened_at": now, "last_message_at": now}
    (case,) = insert_rows([Case(subject="100 %s", priority=Priority.HIGH, sentiment_probability=0.25, **facts)])
    insert_rows([CaseEvent(case=case, team=cast.team, kind="OPENED", at=now, after={"status": "OPEN", "n": 1.5, "none": None})])
    (found,) = find_rows(Case, "customer_id = %s ORDER BY id", [person.pk], is_locked=True)
    assert columns(found) == columns(Case.objects.get())
    assert columns(find_rows(CaseEvent, "case_id = %s", [case.pk])[0]) == columns(CaseEvent.objects.get())
    assert find_rows(Message, "case_id = %s", [case.pk]) == []


def test_only_the_named_attributes_are_written(now):
    made = insert_rows(customer(now, name=name) for name in "ab")
    for row in made:
        row.name, row.notes, row.attributes = row.name.upper(), "not written", {"x": 1}
    update_rows(made, "name", "attributes")
    assert list(Customer.objects.order_by("pk").values_list("name", "notes", "attributes")) == [("A", "", {"x": 1}), ("B", "", {"x": 1})]


def test_conflicts_are_refused_unless_they_are_to_be_left_alone(now):
    (person,) = insert_rows([customer(now)])
    twice = [Address(customer=person, kind="EMAIL", value="a@b.example", value_index="i", created_at=now) for _ in range(2)]
    insert_rows(twice, ignore_conflicts=True)
    assert (Address.objects.count(), twice[0].pk) == (1, None)
    with pytest.raises(IntegrityError):
        insert_rows(twice[:1])


def test_nothing_to_store_asks_nothing():
    with CaptureQueriesContext(connection) as asked:
        assert insert_rows([]) == []
        update_rows([], "name")
    assert len(asked) == 0
