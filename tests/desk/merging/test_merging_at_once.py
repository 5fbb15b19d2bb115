"""Two at the same moment: of agents who merge one is told and writes nothing; a message that arrives finds its case."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from careloop.desk.cases.models import Case, Message
from careloop.desk.kernel.errors import Conflict
from careloop.desk.merging.actions import merge_cases, undo
from careloop.desk.merging.models import Regrouping

MINUTE = timedelta(minutes=1)


@pytest.mark.django_db(transaction=True)
def test_of_two_agents_who_merge_the_same_cases_in_opposite_directions_one_wins(pair, versions, cast, now):
    one, other = pair[0].pk, pair[1].pk
    seen, start = versions(one, other), Barrier(2)
    viewers = [cast.viewer(person) for person in (cast.agent, cast.supervisor)]

    def merge(place):
        start.wait()
        source, into = ((one, other), (other, one))[place]
        try:
            return merge_cases(source_ids=[source], into_id=into, expected_versions=seen, viewer=viewers[place], now=now).into_id
        except Conflict:
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        won = sorted(pool.map(merge, (0, 1)))
    assert won[0] == 0
    assert won[1] == Regrouping.objects.get().into_id
    assert set(Message.objects.values_list("case", flat=True)) == {won[1]}
    assert sorted(Case.objects.values_list("status", flat=True)) == ["MERGED", "OPEN"]


@pytest.mark.django_db(transaction=True)
def test_a_message_that_arrives_while_a_merge_is_undone_waits_and_goes_to_the_case_that_is_back(write, versions, cast, now):
    written = (("水管", "bo@x.org"), ("热水器", "lin@x.org"))
    into, source = (write(text, now, channel_slug="contact", who=who).case_id for text, who in written)
    agent = cast.viewer(cast.agent)
    made = merge_cases(source_ids=[source], into_id=into, expected_versions=versions(into, source), viewer=agent, now=now)

    def in_a_thread(work):
        try:
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            Case.objects.select_for_update().get(pk=into)  # both have to wait, the undo first
            undone = pool.submit(in_a_thread, lambda: undo(regrouping_id=made.pk, viewer=agent, now=now))
            wait_for_lock(1)
            arrived = pool.submit(in_a_thread, lambda: write("还在漏", now + MINUTE, channel_slug="contact", who="lin@x.org"))
            wait_for_lock(2)
        undone.result()
        assert arrived.result().case_id in (into, source)
    assert Message.objects.get(body="还在漏").case_id == source
    assert dict(Case.objects.values_list("pk", "status")) == {into: "OPEN", source: "OPEN"}


def wait_for_lock(sessions):
    """Until so many sessions wait for a lock; SQLite, which has one writer, does not say so."""
    while connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] >= sessions:
                return
