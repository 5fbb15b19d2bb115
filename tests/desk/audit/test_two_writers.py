"""Two processes that append at the same time make one chain, not two."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction

from careloop.desk.audit.actions import record
from careloop.desk.audit.models import AuditEntry
from careloop.desk.audit.queries import verify_chain
from careloop.desk.kernel.actor import Actor

NOW = datetime(2026, 5, 4, 6, 0, tzinfo=UTC)
WRITERS, ENTRIES = 4, 25


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time; the chain cannot fork there")
def test_four_writers_do_not_fork_the_chain():
    failures = []
    start = threading.Barrier(WRITERS)

    def write(number):
        try:
            start.wait()
            for _ in range(ENTRIES):
                with transaction.atomic():
                    record(actor=Actor("user", number, f"W{number}"), action="x", object_type="case", object_id=1, now=NOW)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    report = verify_chain()
    assert (report.is_whole, report.entries) == (True, WRITERS * ENTRIES)
    assert {AuditEntry.objects.filter(actor_id=number).count() for number in range(WRITERS)} == {ENTRIES}
