"""The pages of rules and macros, and the picker beside what is being written."""

import json

import pytest
from django.utils import timezone

from careloop.desk.automation.judging import judge_new_events
from careloop.desk.automation.models import Macro, Rule
from careloop.desk.automation.queries import access_macro
from careloop.desk.cases.models import Case, CaseEvent
from careloop.desk.intake.actions import receive_message

pytestmark = pytest.mark.django_db
URGENT = {"do": "SET_PRIORITY", "value": 40}
FORM = {
    "name": "Refunds first",
    "position": "10",
    "events": ["RECEIVED"],
    "every_field": ["text", "priority", ""],
    "every_op": ["contains", "at_most", "is"],
    "every_value": ["退款，refund", "Normal", ""],
    "some_field": ["happiness"],
    "some_op": ["at_most"],
    "some_value": ["20 %"],
    "none_field": ["hours_since_customer"],
    "none_op": ["at_least"],
    "none_value": ["3d"],
    "do": ["SET_PRIORITY", "ASSIGN", ""],
    "do_value": ["Urgent", "Chen", ""],
    "is_active": "on",
}


@pytest.fixture
def case(cast, inbound, now):
    opened = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    judge_new_events(now=now)
    return opened


def test_words_typed_into_the_form_become_codes_and_words_again(client, cast):
    client.force_login(cast.supervisor)
    assert client.post("/rules/new/", FORM).status_code == 302
    rule = Rule.objects.get()
    assert rule.condition == {
        "all": [
            {"field": "text", "op": "contains", "value": ["退款", "refund"]},
            {"field": "priority", "op": "at_most", "value": 20},
            {"any": [{"field": "happiness", "op": "at_most", "value": 0.2}]},
            {"not": {"any": [{"field": "hours_since_customer", "op": "at_least", "value": 72.0}]}},
        ]
    }
    assert rule.actions == [{"do": "SET_PRIORITY", "value": 40}, {"do": "ASSIGN", "value": cast.agent.pk}]
    shown = client.get(f"/rules/{rule.pk}/").content.decode()
    for word in ('value="退款, refund"', 'value="Normal"', 'value="72"', 'value="Urgent"', 'value="Chen"'):
        assert word in shown
    listed = client.get("/rules/").content.decode()
    assert "Priority is at most Normal" in listed
    assert "Give the case to: Chen" in listed


def test_a_rule_that_fires_itself_is_refused_and_the_form_keeps_what_was_typed(client, cast):
    client.force_login(cast.supervisor)
    answer = client.post("/rules/new/", {**FORM, "events": ["PRIORITY"], "every_value": ["退款", "Urgent", ""]})
    assert answer.status_code == 422
    assert "The rule fires itself" in answer.content.decode()
    assert 'value="Refunds first"' in answer.content.decode()
    assert Rule.objects.count() == 0


def test_what_is_not_in_the_list_is_refused_with_what_there_is(client, cast):
    client.force_login(cast.supervisor)
    answer = client.post("/rules/new/", {**FORM, "do_value": ["Extreme", "Chen", ""]})
    assert answer.status_code == 422
    assert "“Extreme” is not in the list; there are: Low, Normal, High, Urgent." in answer.content.decode()
    assert Rule.objects.count() == 0


def test_the_dry_run_shows_cases_and_saves_nothing(client, cast, case):
    client.force_login(cast.supervisor)
    Case.objects.update(last_message_at=timezone.now(), opened_at=timezone.now())
    CaseEvent.objects.update(at=timezone.now())
    given = {"name": "X", "events": ["OPENED"], "do": ["SET_PRIORITY"], "do_value": ["Urgent"], "preview": "1"}
    said = client.post("/rules/new/", given).content.decode()
    assert "In the last 90 days it would have touched 1 case." in said
    assert f"/cases/{case.pk}/" in said
    assert "before: Priority: Normal" in said
    assert Rule.objects.count() == 0
    case.refresh_from_db()
    assert case.priority == 20


def test_a_rule_is_switched_and_moved_from_the_list(client, cast, now):
    client.force_login(cast.supervisor)
    one, two = (
        Rule.objects.create(
            name=name, events=["OPENED"], condition={"all": []}, actions=[{"do": "SET_PRIORITY", "value": 40}], changed_at=now
        )
        for name in "ab"
    )
    client.post(f"/rules/{one.pk}/switch/", {"on": "0"})
    client.post(f"/rules/{two.pk}/move/", {"up": "1"})
    assert list(Rule.objects.values_list("name", "is_active", "position")) == [("b", True, 10), ("a", False, 20)]


def test_a_nested_rule_made_elsewhere_is_not_flattened(client, cast, now):
    nested = {"all": [{"any": [{"all": [{"field": "kind", "op": "is", "value": ["REFUND"]}]}]}]}
    rule = Rule.objects.create(name="N", events=["OPENED"], condition=nested, actions=[URGENT], changed_at=now)
    client.force_login(cast.supervisor)
    assert client.post(f"/rules/{rule.pk}/", FORM).status_code == 422
    rule.refresh_from_db()
    assert (rule.name, rule.condition) == ("N", nested)


def test_agents_see_rules_and_change_none(client, cast, now):
    rule = Rule.objects.create(name="R", events=["OPENED"], condition={"all": []}, actions=[URGENT], changed_at=now)
    client.force_login(cast.agent)
    listed = client.get("/rules/")
    assert listed.status_code == 200
    assert "Switch off" not in listed.content.decode()
    assert client.post(f"/rules/{rule.pk}/switch/", {"on": "0"}).status_code == 403
    assert Rule.objects.get().is_active


def test_an_agent_makes_a_macro_and_takes_it_while_writing(client, cast, case):
    client.force_login(cast.agent)
    given = {
        "name": "Hello",
        "scope": "PERSON",
        "body": "您好 {{customer.name}}",
        "do": ["SET_PRIORITY"],
        "do_value": ["High"],
        "is_active": "on",
    }
    assert client.post("/macros/new/", given).status_code == 302
    macro = Macro.objects.get()
    assert access_macro(macro.pk, cast.viewer(cast.agent)).owner_id == cast.agent.pk
    found = client.get(f"/cases/{case.pk}/macros/?q=hello").content.decode()
    assert f"/cases/{case.pk}/macros/{macro.pk}/" in found
    assert "No macro has these words." in client.get(f"/cases/{case.pk}/macros/?q=nothing").content.decode()
    taken = client.post(f"/cases/{case.pk}/macros/{macro.pk}/", headers={"HX-Request": "true"})
    assert '<div id="macro-taken" hidden hx-swap-oob="true">您好 林晓彤</div>' in taken.content.decode()
    assert taken["HX-Trigger-After-Swap"] == json.dumps({"careloop:macro": {"case": case.pk}})
    assert "Chen used the macro “Hello”" in taken.content.decode()
    case.refresh_from_db()
    assert case.priority == 30


def test_an_unknown_variable_is_refused_on_saving(client, cast):
    client.force_login(cast.agent)
    answer = client.post("/macros/new/", {"name": "X", "scope": "PERSON", "body": "{{customer.password}}"})
    assert answer.status_code == 422
    assert "There is no variable “customer.password”; there are: customer.name," in answer.content.decode()
    assert Macro.objects.count() == 0


def test_the_history_names_the_rule(client, cast, case, inbound, now):
    client.force_login(cast.supervisor)
    client.post("/rules/new/", {**FORM, "some_field": [], "some_op": [], "some_value": [], "none_field": []})
    receive_message(inbound(external_id="m-2"), now=now)
    judge_new_events(now=now)
    shown = client.get(f"/cases/{case.pk}/").content.decode()
    assert "Rule “Refunds first” set the priority to Urgent" in shown
    assert "Rule “Refunds first” gave the case to Chen" in shown
