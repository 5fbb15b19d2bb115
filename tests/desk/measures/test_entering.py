"""Who enters a count and what came after, against one customer after the other; places among moments."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases.models import Case
from careloop.desk.customers.models import Customer
from careloop.desk.measures.actions import refresh
from careloop.desk.measures.entering import list_entrants
from careloop.desk.measures.queries import find_moment
from careloop.desk.measures.reading import Question
from careloop.desk.measures.timelines import Timelines

DAY = 86_400
MOMENTS = st.tuples(st.integers(-3, 60), st.sampled_from(["COMPLAINT", "PRAISE", ""]))  # days ago, kind


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(people=st.lists(st.lists(MOMENTS, max_size=6), max_size=5), since=st.integers(0, 70), within=st.sampled_from([7, 30]))
def test_entrants_equal_a_slow_count(cast, now, people, since, within):
    Case.objects.all().delete()
    for moments in people:
        customer = Customer.objects.create(name="K", created_at=now, last_seen_at=now)
        for ago, kind in moments:
            at = now - timedelta(days=ago)
            facts = {"team": cast.team, "channel": cast.channel, "subject": "s", "status": "OPEN", "opened_at": at, "last_message_at": at}
            Case.objects.create(customer=customer, kind=kind, **facts)
    refresh(now=now)
    question = Question(("opened",), since=(now - timedelta(days=since)).date())
    found, n_unknown, n_ahead = list_entrants(question, within, viewer_of(cast.owner), find_moment(None))
    expected, unknown, ahead = slow_count(question, within, int(now.timestamp()))
    assert [row(found, place) for place in range(len(found))] == [pytest.approx(one) for one in expected]
    assert (n_unknown, n_ahead) == (unknown, ahead)


def row(found, place):
    """One entrant as plain numbers."""
    numbers = [found.case_ids[place], found.customers[place], found.seconds[place], found.is_complaint[place]]
    seen = found.is_seen[place]
    return [*numbers, *found.days[:, place], *found.has_come[:, place], seen, *((found.before[place], found.after[place]) if seen else ())]


def slow_count(question, within, now):
    """Customer by customer."""
    cases = Case.objects.order_by("customer_id", "opened_at", "pk").select_related("customer")
    began = min([int(case.opened_at.timestamp()) for case in cases], default=now)
    expected, unknown, ahead = [], 0, 0
    for customer in Customer.objects.order_by("pk"):
        told = [(int(case.opened_at.timestamp()), case) for case in cases if case.customer_id == customer.pk]
        entering = next((place for place, (_at, case) in enumerate(told) if case.opened_at.date() >= question.since), None)
        if entering is None:
            continue
        at, entered = told[entering]
        if at > now:
            ahead += 1
            continue
        if not entered.kind:
            unknown += 1
            continue
        later = [(second, case.kind) for second, case in told[entering + 1 :] if second <= now]
        come = [later[:1], later[1:2], [one for one in later if one[1] == "COMPLAINT"][:1]]
        days = [((some[0][0] if some else now) - at) / DAY for some in come]
        is_seen = now - at >= within * DAY and at - began >= within * DAY
        before = sum(second >= at - within * DAY for second, _case in told[:entering])
        after = sum(second <= at + within * DAY for second, _kind in later)
        facts = [entered.pk, customer.pk, at, entered.kind == "COMPLAINT", *days, *map(bool, come), is_seen]
        expected.append([*facts, *((before, after) if is_seen else ())])
    return expected, unknown, ahead


@given(
    moments=st.lists(st.tuples(st.sampled_from([3, 5, 9]), st.integers(-5, 5)), max_size=12),
    asked=st.lists(st.tuples(st.sampled_from([1, 3, 4, 5, 9, 11]), st.integers(-9, 9)), min_size=1, max_size=8),
)
def test_places_are_those_among_the_owners_own_moments(moments, asked):
    moments.sort()
    owners, seconds = np.array(moments, dtype=np.int64).reshape(-1, 2).T
    wanted, at = np.array(asked, dtype=np.int64).T
    lines = Timelines(owners, seconds)
    first, left, right = lines.first(wanted), lines.place(wanted, at, "left"), lines.place(wanted, at, "right")
    for place, (owner, second) in enumerate(asked):
        own = [(position, moment) for position, (one, moment) in enumerate(moments) if one == owner]
        if not own:
            assert first[place] == left[place] == right[place]
            continue
        assert first[place] == own[0][0]
        assert left[place] == own[0][0] + sum(moment < second for _position, moment in own)
        assert right[place] == own[0][0] + sum(moment <= second for _position, moment in own)
