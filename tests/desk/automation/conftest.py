"""Rules as short calls, and a case to act on."""

import pytest

from careloop.desk.automation.actions import save_rule
from careloop.desk.automation.judging import judge_new_events
from careloop.desk.automation.models import Rule
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.cases.models import Case
from careloop.desk.intake.actions import receive_message


@pytest.fixture
def make_rule(cast, now):
    """Saves a rule as the supervisor: events, condition, actions."""

    def make(events, condition, *actions, name="Rule", **facts):
        given = RuleFacts(name, events, condition, list(actions), **facts)
        return save_rule(facts=given, viewer=cast.viewer(cast.supervisor), now=now)

    return make


@pytest.fixture
def put_rule(now):
    """Stores a rule that saving would refuse, or did not know of: events, condition, actions."""

    def put(events, condition, *actions, name="Rule", **facts):
        given = {"name": name, "events": events, "condition": condition, "actions": list(actions)}
        return Rule.objects.create(**given, changed_at=now, **facts)

    return put


@pytest.fixture
def case(cast, inbound, now):
    """A case of the first team, opened a moment ago; rules look from here on."""
    opened = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    judge_new_events(now=now)
    return opened
