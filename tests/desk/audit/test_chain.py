"""The audit trail: appended in the caller's transaction, chained, refused by the database when touched, verified from end to end."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from careloop.desk.audit.actions import record
from careloop.desk.audit.models import AuditEntry, AuditHead
from careloop.desk.audit.queries import list_entries, verify_chain
from careloop.desk.audit.rules import GENESIS, hash_of
from careloop.desk.kernel.actor import SYSTEM, Actor

pytestmark = pytest.mark.django_db
OLGA = Actor("user", 1, "Olga")
NOW = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)


def append(count=1, **facts):
    given = {"actor": OLGA, "action": "case.reply", "object_type": "case", "object_id": 7, "now": NOW, **facts}
    with transaction.atomic():
        return [record(**given) for _ in range(count)]


def without_guard():
    """What somebody with the database's own password could do: switch the refusal off."""
    drop = {
        "sqlite": ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"],
        "postgresql": ["DROP TRIGGER audit_no_change ON audit_auditentry"],
    }
    with connection.cursor() as cursor:
        for statement in drop[connection.vendor]:
            cursor.execute(statement)


def test_the_hash_is_the_published_one():
    entry = SimpleNamespace(
        previous_hash=GENESIS,
        at=NOW,
        actor_kind="user",
        actor_id=1,
        actor_name="林晓",
        action="case.reply",
        object_type="case",
        object_id=7,
        details={"b": 1, "a": "退款"},
    )
    # Computed with another program: sha256 of the line [previous hash, UTC time, actor, action, object, details] in JSON, ASCII only.
    assert hash_of(entry) == "9246a1d3dbf9403709d90fc6092cf1691a7108601352fac8cab6851577539b05"
    entry.at = NOW.astimezone(datetime.fromisoformat("2026-05-04T14:00:00+08:00").tzinfo)
    assert hash_of(entry) == "9246a1d3dbf9403709d90fc6092cf1691a7108601352fac8cab6851577539b05"


def test_entries_are_chained_and_the_head_follows():
    first, second = append(2)
    assert (first.previous_hash, second.previous_hash) == (GENESIS, first.hash)
    head = AuditHead.objects.get()
    assert (head.hash, head.count) == (second.hash, 2)
    report = verify_chain()
    assert (report.is_whole, report.entries, report.head, report.broken_at, report.reason) == (True, 2, second.hash, None, "")


def test_an_empty_trail_is_whole():
    assert (verify_chain().is_whole, verify_chain().entries, verify_chain().head) == (True, 0, GENESIS)


def test_a_missing_head_is_told_and_nothing_is_appended():
    append(2)
    AuditHead.objects.all().delete()
    assert (verify_chain().is_whole, verify_chain().entries, verify_chain().reason) == (False, 2, "the head is missing")
    with pytest.raises(RuntimeError, match="no head"):
        append()


def test_facts_survive_the_round_trip_through_the_database():
    details = {"before": {"名": "林晓", "ratio": 0.1, "none": None}, "list": [1, 2.5, True], "z": {"y": [], "x": ""}}
    append(1, details=details, actor=SYSTEM, object_id=None, now=NOW + timedelta(microseconds=123_456))
    assert AuditEntry.objects.get().details == details
    assert verify_chain().is_whole


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="outside a transaction"):
        record(actor=OLGA, action="x", object_type="case", object_id=1, now=NOW)
    assert AuditEntry.objects.count() == 0


def test_an_entry_vanishes_with_the_change_that_it_tells_of():
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(actor=OLGA, action="x", object_type="case", object_id=1, now=NOW)
        1 / 0  # noqa: B018
    assert (AuditEntry.objects.count(), AuditHead.objects.get().count) == (0, 0)


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit_auditentry SET actor_name = 'Nobody'", "DELETE FROM audit_auditentry"],
)
def test_the_database_itself_refuses_to_change_or_delete(statement):
    append(3)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (AuditEntry.objects.filter(actor_name="Olga").count(), verify_chain().is_whole) == (3, True)


@pytest.mark.parametrize(
    "change",
    [
        {"actor_name": "Nobody"},
        {"actor_id": 2},
        {"action": "case.note"},
        {"object_id": 8},
        {"at": NOW + timedelta(microseconds=1)},
        {"details": {"amount_cents": 1}},
    ],
)
def test_a_changed_fact_is_found(change):
    entries = append(3)
    without_guard()
    AuditEntry.objects.filter(pk=entries[1].pk).update(**change)
    report = verify_chain()
    assert (report.is_whole, report.broken_at, report.reason) == (False, entries[1].pk, "its facts were changed")


def test_a_changed_entry_with_a_recomputed_hash_is_found_at_its_successor():
    entries = append(3)
    without_guard()
    forged = entries[1]
    forged.actor_name = "Nobody"
    AuditEntry.objects.filter(pk=forged.pk).update(actor_name="Nobody", hash=hash_of(forged))
    assert (verify_chain().broken_at, verify_chain().reason) == (entries[2].pk, "its predecessor was removed or replaced")


def test_a_removed_entry_is_found():
    entries = append(3)
    without_guard()
    AuditEntry.objects.filter(pk=entries[1].pk).delete()
    assert (verify_chain().broken_at, verify_chain().reason) == (entries[2].pk, "its predecessor was removed or replaced")


def test_a_removed_end_is_found():
    entries = append(3)
    without_guard()
    AuditEntry.objects.filter(pk=entries[2].pk).delete()
    report = verify_chain()
    assert (report.is_whole, report.entries, report.broken_at) == (False, 2, None)
    assert report.reason == "there are 2 entries but 3 were appended: the trail's end was removed"


def test_entries_of_one_object_newest_first():
    append(1, object_id=1)
    append(1, object_id=2, action="case.note")
    append(1, object_id=1, action="case.assign")
    assert [entry.action for entry in list_entries(object_type="case", object_id=1)] == ["case.assign", "case.reply"]
    assert [entry.object_id for entry in list_entries(action="case.note")] == [2]
    assert len(list_entries(limit=2)) == 2


def test_the_command_tells_that_the_trail_is_whole_and_fails_when_it_is_not():
    entries = append(3)
    said = StringIO()
    call_command("verify_audit", stdout=said)
    assert said.getvalue() == f"The audit trail is whole: 3 entries, head {entries[2].hash[:16]}.\n"
    said = StringIO()
    call_command("verify_audit", "--json", stdout=said)
    assert json.loads(said.getvalue()) == {"entries": 3, "head": entries[2].hash, "broken_at": None, "reason": "", "is_whole": True}
    without_guard()
    AuditEntry.objects.filter(pk=entries[0].pk).update(actor_name="Nobody")
    with pytest.raises(CommandError, match=f"entry {entries[0].pk}: its facts were changed"):
        call_command("verify_audit")
    with pytest.raises(SystemExit) as end:
        call_command("verify_audit", "--json", stdout=StringIO())
    assert end.value.code == 1
