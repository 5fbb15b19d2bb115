"""The sample people's profiles: every agent has one, teams suggest and assign nothing."""

from types import SimpleNamespace

import pytest

from careloop.desk.accounts.models import User
from careloop.desk.cases.models import Case
from careloop.desk.demo.routing import PEOPLE, make_routing
from careloop.desk.demo.staff import PEOPLE as STAFF
from careloop.desk.intake.actions import receive_message
from careloop.desk.routing.actions import Round, route_waiting
from careloop.desk.routing.models import CaseWeight, Profile, RoutingSetting

pytestmark = pytest.mark.django_db


def test_every_sample_agent_can_take_something():
    assert set(PEOPLE) == {mailbox for mailbox, _name, role, _trades in STAFF if role == "AGENT"}


def test_sample_teams_suggest_and_assign_nothing(cast, inbound, now):
    su = User.objects.create(email="agent@example.com", display_name="苏晴", role="AGENT", date_joined=now)
    su.teams.set([cast.team, cast.other_team])
    cast.supervisor.teams.add(cast.other_team)
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    make_routing(SimpleNamespace(supervisor=cast.supervisor, teams={"shop": cast.team, "bank": cast.other_team}), now=now)
    assert Profile.objects.values_list("user", "capacity", "version").get() == (su.pk, 12, 1)
    assert set(RoutingSetting.objects.values_list("mode", flat=True)) == {"SUGGEST"}
    assert CaseWeight.objects.get().case == case
    assert route_waiting(now=now) == Round(suggested=1)
    case.refresh_from_db()
    assert case.assignee is None
