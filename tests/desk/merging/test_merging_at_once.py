"""Two agents at the same moment: one merges, the other is told, and nothing of the second is written."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from careloop.desk.cases.models import Case, Message
from careloop.desk.kernel.errors import Conflict
from careloop.desk.merging.actions import merge_cases
from careloop.desk.merging.models import Regrouping


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
