"""Routers and people who take cases in the same moment: threads with connections of their own; nobody gets more than fits."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.customers.rules import AddressValue
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import DeskError
from careloop.desk.routing import actions
from careloop.desk.routing.models import Profile, RoutingDecision, RoutingSetting

CASES, CAPACITIES = 24, (5, 7)


def in_threads(works):
    def closing(work):
        try:
            return work()
        except DeskError as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(closing, works))


@pytest.mark.django_db(transaction=True)
def test_six_routers_of_two_teams_and_two_takers_give_each_case_once_and_nobody_too_many(cast, inbound, now):
    cast.supervisor.teams.add(cast.other_team)  # one person whom both teams' routers want
    for team in (cast.team, cast.other_team):
        RoutingSetting.objects.create(team=team, mode="ASSIGN", most_per_round=3)
    for user, capacity in zip((cast.agent, cast.supervisor), CAPACITIES, strict=True):
        Profile.objects.create(user=user, capacity=capacity)
    for number in range(CASES):
        slug = ("shop", "wholesale")[number % 2]
        address = (AddressValue("EMAIL", f"c{number}@example.com"),)
        receive_message(inbound(channel_slug=slug, external_id=str(number), addresses=address), now=now)
    routers = [lambda team=team: actions.route_team(team_id=team.pk, now=now) for team in (cast.team, cast.other_team)] * 6
    takers = [lambda user=user: actions.take_next(viewer=cast.viewer(user), now=now) for user in (cast.agent, cast.supervisor)] * 4
    in_threads([work for pair in zip(routers, [*takers, *takers], strict=False) for work in pair])
    in_threads(routers)
    held = [Case.objects.filter(assignee=user).count() for user in (cast.agent, cast.supervisor)]
    assert held == list(CAPACITIES)
    assert CaseEvent.objects.filter(kind="ROUTED").count() == sum(CAPACITIES) == RoutingDecision.objects.count()
    assert set(Case.objects.exclude(assignee=None).values_list("version", flat=True)) == {2}
