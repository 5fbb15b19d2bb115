"""A new encryption key: every value moves to it, in batches, resumable, beside running processes; old keys go when nothing needs them."""

import json
import os
import stat
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from careloop.desk.audit.queries import list_entries
from careloop.desk.config.keys import Secrets, load_secrets
from careloop.desk.customers.models import Address
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_messages
from careloop.desk.intake.models import RawPayload
from careloop.desk.kernel import crypto
from careloop.desk.kernel.errors import Conflict
from careloop.desk.kernel.rotation import count_stale, encrypted_columns, reencrypt

pytestmark = pytest.mark.django_db


@pytest.fixture
def house_keys(tmp_path, monkeypatch, settings) -> Secrets:
    """Keys in a file of their own, as an installation has them."""
    monkeypatch.delenv("CARELOOP_SECRETS")
    settings.SECRETS = load_secrets(tmp_path)
    return settings.SECRETS


@pytest.fixture
def deliveries(house_keys, cast, inbound, now):
    """Seven messages: seven raw payloads, seven addresses."""
    given = [inbound(external_id=f"m-{i}", addresses=(AddressValue("EMAIL", f"c{i}@example.com"),)) for i in range(7)]
    receive_messages(given, now=now)
    return given


def keys_of(column) -> list[str]:
    """The key id of every stored value of a column, in the rows' order."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column.name} FROM {column.table} WHERE {column.name} IS NOT NULL ORDER BY {column.key}")
        return [crypto.key_id_of(bytes(row[0])) for row in cursor.fetchall()]


def keys_in_use() -> set[str]:
    return {name for column in encrypted_columns() for name in keys_of(column)}


def test_encrypted_columns_are_found_in_every_app():
    names = [column.context for column in encrypted_columns()]
    assert {"customers_address.value", "customers_customer.identity_number", "intake_rawpayload.body"} <= set(names)
    assert names == sorted(names)


def test_stale_values_are_those_of_other_keys(deliveries, house_keys):
    column = encrypted_columns()[0]
    assert [count_stale(column, crypto.prefix_of(name)) for name in ("k1", "k2", "k11")] == [0, 7, 7]


def test_the_file_of_keys_is_for_its_owner_only_and_made_once(tmp_path, monkeypatch):
    monkeypatch.delenv("CARELOOP_SECRETS")
    first, second = load_secrets(tmp_path / "new"), load_secrets(tmp_path / "new")
    path = tmp_path / "new" / "secrets.json"
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent)] == [0o600, 0o700]
    assert (first.django, first.index, first.encryption) == (second.django, second.index, second.encryption)
    assert [len(key) for key in first.encryption.values()] == [32]
    assert [name.name for name in path.parent.iterdir()] == ["secrets.json"]


def test_keys_of_the_wrong_length_are_refused_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.delenv("CARELOOP_SECRETS")
    load_secrets(tmp_path)
    path = tmp_path / "secrets.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps(stored | {"index": "c2hvcnQ="}))
    with pytest.raises(ValueError, match=r"The index in secrets\.json has 5 bytes; expected 32"):
        load_secrets(tmp_path)
    path.write_text(json.dumps(stored | {"active": "k9"}))
    with pytest.raises(ValueError, match=r"names 'k9' as active, but holds k1"):
        load_secrets(tmp_path)


def test_a_process_that_runs_takes_a_new_key_over(house_keys, tmp_path, now, settings):
    running = load_secrets(tmp_path)
    house_keys.add_key(now=now)
    assert (house_keys.active, running.active) == ("k2", "k1")
    stored = crypto.encrypt(b"x", "a.b")
    settings.SECRETS = running
    assert crypto.key_id_of(stored) == "k2"
    assert crypto.decrypt(stored, "a.b") == b"x"
    assert running.active == "k2"
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


def test_rotation_moves_every_value_and_loses_none(deliveries, house_keys):
    said = StringIO()
    call_command("rotate_keys", stdout=said)
    lines = said.getvalue().splitlines()
    assert lines[0] == "The key k2 is active now. Keep a copy of secrets.json with your backups."
    assert {"customers_address.value: 7 re-encrypted", "intake_rawpayload.body: 7 re-encrypted"} <= set(lines)
    assert keys_in_use() == {"k2"}
    assert sorted(house_keys.encryption) == ["k1", "k2"]
    assert sorted(address.value for address in Address.objects.all()) == [f"c{i}@example.com" for i in range(7)]
    assert {row.body for row in RawPayload.objects.all()} == {b'{"text": "..."}'}
    assert [(entry.action, entry.details) for entry in list_entries()] == [("keys.add", {"key": "k2"})]


def test_an_interrupted_rotation_goes_on_where_it_stopped(deliveries, house_keys, now):
    house_keys.add_key(now=now)
    column = encrypted_columns()[0]
    assert next(reencrypt(column, batch=3)) == 3
    assert keys_of(column) == ["k2"] * 3 + ["k1"] * 4
    said = StringIO()
    call_command("rotate_keys", "--continue", stdout=said)
    assert said.getvalue().splitlines()[0] == "customers_address.value: 4 re-encrypted"
    assert keys_in_use() == {"k2"}
    assert house_keys.active == "k2"


def test_batches_cover_everything_once(deliveries, house_keys, now):
    house_keys.add_key(now=now)
    assert list(reencrypt(encrypted_columns()[0], batch=3)) == [3, 3, 1]
    assert list(reencrypt(encrypted_columns()[0], batch=3)) == []


def test_a_value_that_changes_meanwhile_keeps_the_change(deliveries, house_keys, now, monkeypatch):
    house_keys.add_key(now=now)
    first = Address.objects.order_by("pk").first()
    encrypt = crypto.encrypt

    def slow(plain, context):
        monkeypatch.setattr(crypto, "encrypt", encrypt)
        Address.objects.filter(pk=first.pk).update(value="changed@example.com")
        return encrypt(plain, context)

    monkeypatch.setattr(crypto, "encrypt", slow)
    assert list(reencrypt(encrypted_columns()[0])) == [6]
    assert Address.objects.get(pk=first.pk).value == "changed@example.com"


def test_an_old_key_is_removed_only_when_nothing_needs_it(deliveries, house_keys, now, monkeypatch):
    call_command("rotate_keys", stdout=StringIO())
    with pytest.raises(CommandError, match="younger than 60 s: other processes may still use 'k1'"):
        call_command("rotate_keys", "--remove-unused", stdout=StringIO())
    assert sorted(house_keys.encryption) == ["k1", "k2"]
    monkeypatch.setattr("careloop.desk.config.keys.SETTLED_AFTER", timedelta(0))
    said = StringIO()
    call_command("rotate_keys", "--remove-unused", stdout=said)
    assert said.getvalue().splitlines()[-1] == "The key k1 was removed; keep it with the backups that were made while it was used."
    assert list(house_keys.encryption) == ["k2"]
    assert Address.objects.order_by("pk").first().value == "c0@example.com"


def test_the_active_key_cannot_be_removed(house_keys, now):
    with pytest.raises(Conflict, match="'k1' is the active one"):
        house_keys.remove_key("k1", now=now)
    assert list(house_keys.encryption) == ["k1"]


def test_keys_from_the_environment_are_not_rotated_here(db):
    with pytest.raises(CommandError, match="given by CARELOOP_SECRETS; change that variable"):
        call_command("rotate_keys", stdout=StringIO())
    assert os.environ["CARELOOP_SECRETS"]
    assert list_entries() == []
