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
    "c.mode": "all",
    "c.fact": ["text", "priority", ""],
    "c.op": ["contains", "at_most", "is"],
    "c.value": ["退款，refund", "Normal", ""],
    "c.0.mode": "any",
    "c.0.fact": ["happiness"],
    "c.0.op": ["at_most"],
    "c.0.value": ["20 %"],
    "c.0.0.mode": "all",
    "c.0.0.fact": ["tags", "sentiment"],
    "c.0.0.op": ["has", "is"],
    "c.0.0.value": ["VIP", "Negative"],
    "c.1.mode": "none",
    "c.1.fact": ["hours_since_customer"],
    "c.1.op": ["at_least"],
    "c.1.value": ["3d"],
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
            {
                "any": [
                    {"field": "happiness", "op": "at_most", "value": 0.2},
                    {"all": [{"field": "tags", "op": "has", "value": ["VIP"]}, {"field": "sentiment", "op": "is", "value": ["NEGATIVE"]}]},
                ]
            },
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
    assert "one of: Probability of being positive is at most 0.2; Tags has VIP and Sentiment is Negative" in listed
    again = client.get(f"/rules/{rule.pk}/").context["given"]
    assert [(one.path, one.mode, len(one.blocks)) for one in again.block.blocks] == [("c.0", "any", 1), ("c.1", "none", 0)]


def test_without_script_a_button_adds_a_line_or_a_group_and_saves_nothing(client, cast):
    client.force_login(cast.supervisor)
    drawn = client.post("/rules/new/", {**FORM, "more": "c.0.0"})
    assert drawn.status_code == 200
    assert [len(one.blocks[0].lines) for one in drawn.context["given"].block.blocks[:1]] == [4]
    drawn = client.post("/rules/new/", {**FORM, "inside": "c.1"})
    (inner,) = drawn.context["given"].block.blocks[1].blocks
    assert (inner.path, inner.mode, inner.lines, inner.takes_blocks) == ("c.1.0", "any", [("", "", "")], False)
    assert 'name="c.1.0.mode"' in drawn.content.decode()
    assert 'value="退款，refund"' in drawn.content.decode()
    drawn = client.post("/rules/new/", {**FORM, "more": "do"})
    assert len(drawn.context["given"].actions) == 4
    assert Rule.objects.count() == 0


def test_rules_that_may_set_each_other_off_are_told_before_saving_and_saved_when_accepted(client, cast, now):
    text = Macro.objects.create(name="Thanks", scope="ALL", body="收到", changed_at=now)
    Rule.objects.create(name="A", events=["REPLIED"], condition={"all": []}, actions=[{"do": "ADD_NOTE", "value": "x"}], changed_at=now)
    client.force_login(cast.supervisor)
    form = {"name": "B", "events": ["NOTED"], "is_active": "on", "c.mode": "all", "c.fact": ["kind"], "c.op": ["is"], "c.value": ["Refund"]}
    form |= {"do": ["REPLY"], "do_value": ["Thanks"]}
    told = client.post("/rules/new/", form)
    assert told.status_code == 422
    assert "“B” → Replied → “A” → Note added → “B”" in told.content.decode()
    assert Rule.objects.count() == 1
    previewed = client.post("/rules/new/", {**form, "preview": "1"})
    assert (previewed.status_code, len(previewed.context["circles"]), previewed.context["told"]["run"].count) == (200, 1, 0)
    assert client.post("/rules/new/", {**form, "accepted": told.context["circle_mark"]}).status_code == 302
    assert Rule.objects.get(name="B").actions == [{"do": "REPLY", "value": text.pk}]


def test_switching_on_what_goes_round_for_ever_is_refused_in_words(client, cast, now):
    facts = {"events": ["PRIORITY"], "changed_at": now}
    up = {"all": [{"field": "priority", "op": "at_most", "value": 20}]}
    down = {"all": [{"field": "priority", "op": "at_least", "value": 30}]}
    Rule.objects.create(name="Up", condition=up, actions=[URGENT], **facts)
    low = [{"do": "SET_PRIORITY", "value": 10}]
    off = Rule.objects.create(name="Down", condition=down, actions=low, is_active=False, **facts)
    client.force_login(cast.supervisor)
    said = client.post(f"/rules/{off.pk}/switch/", {"on": "1"}, follow=True).content.decode()
    assert "These rules would set each other off without end" in said
    assert not Rule.objects.get(pk=off.pk).is_active


def test_a_rule_that_somebody_saved_is_not_overwritten_and_both_versions_stand_there(client, cast, now):
    rule = Rule.objects.create(name="R", events=["OPENED"], condition={"all": []}, actions=[URGENT], position=10, changed_at=now)
    client.force_login(cast.supervisor)
    address = f"/rules/{rule.pk}/"
    given = {"name": "R", "position": "10", "events": ["OPENED"], "do": ["SET_PRIORITY"], "do_value": ["Urgent"], "is_active": "on"}
    given |= {"version": "1", "c.mode": "all"}
    theirs = {**given, "c.fact": ["kind"], "c.op": ["is"], "c.value": ["Refund"]}
    assert client.post(address, theirs).status_code == 302
    stored = Rule.objects.values().get()
    refused = client.post(address, {**given, "do_value": ["High"]})
    assert refused.status_code == 409
    sides = [(str(side.label), side.theirs, side.mine) for side in refused.context["sides"]]
    assert sides == [("If", "Kind of contact is Refund", ""), ("Then", "Set the priority: Urgent", "Set the priority: High")]
    assert Rule.objects.values().get() == stored
    assert 'name="version" value="2"' in refused.content.decode()
    assert client.post(address, {**given, "version": ""}).status_code == 422
    assert client.post(address, {**given, "do_value": ["High"], "version": "2"}).status_code == 302
    assert Rule.objects.get().actions == [{"do": "SET_PRIORITY", "value": 30}]


def test_a_macro_that_somebody_saved_is_not_overwritten(client, cast, now):
    macro = Macro.objects.create(name="M", scope="ALL", body="one", changed_at=now)
    client.force_login(cast.supervisor)
    given = {"name": "M", "scope": "ALL", "body": "two", "is_active": "on", "version": "1"}
    assert client.post(f"/macros/{macro.pk}/", given).status_code == 302
    refused = client.post(f"/macros/{macro.pk}/", {**given, "body": "three"})
    sides = [(str(side.label), side.theirs, side.mine) for side in refused.context["sides"]]
    assert (refused.status_code, sides) == (409, [("Text", "two", "three")])
    assert Macro.objects.get().body == "two"
    assert client.post(f"/macros/{macro.pk}/", {**given, "body": "three", "version": "2"}).status_code == 302
    assert Macro.objects.get().body == "three"


def test_a_rule_that_fires_itself_is_refused_and_the_form_keeps_what_was_typed(client, cast):
    client.force_login(cast.supervisor)
    answer = client.post("/rules/new/", {**FORM, "events": ["PRIORITY"], "c.value": ["退款", "Urgent", ""]})
    assert answer.status_code == 422
    assert "The rule fires itself:" in answer.content.decode()
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
    nested = {"all": [{"any": [{"all": [{"not": {"all": [{"field": "kind", "op": "is", "value": ["REFUND"]}]}}]}]}]}
    rule = Rule.objects.create(name="N", events=["OPENED"], condition=nested, actions=[URGENT], changed_at=now)
    client.force_login(cast.supervisor)
    assert client.post(f"/rules/{rule.pk}/", {**FORM, "version": "1"}).status_code == 422
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
    done = {"careloop:done": {"case": case.pk, "sent": ""}, "careloop:macro": {}}
    assert taken["HX-Trigger-After-Swap"] == json.dumps(done)
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
    client.post("/rules/new/", {**FORM, "c.0.fact": [], "c.0.0.fact": [], "c.1.fact": []})
    receive_message(inbound(external_id="m-2"), now=now)
    judge_new_events(now=now)
    shown = client.get(f"/cases/{case.pk}/").content.decode()
    assert "Rule “Refunds first” set the priority to Urgent" in shown
    assert "Rule “Refunds first” gave the case to Chen" in shown


def test_the_history_tells_of_other_systems_and_of_the_guard(client, cast, case, now):
    facts = {"case": case, "team": cast.team, "kind": "RULE", "at": now, "actor_kind": "rule", "actor_id": 1, "actor_name": "Hook"}
    CaseEvent.objects.create(after={"did": "CALLED", "source": "Hook", "webhook": "https://example.com/hook"}, **facts)
    CaseEvent.objects.create(after={"did": "STOPPED", "why": "TOO_OFTEN"}, **facts)
    client.force_login(cast.agent)
    shown = client.get(f"/cases/{case.pk}/").content.decode()
    assert "Rule “Hook” told the other system https://example.com/hook" in shown
    assert "Rule “Hook” was stopped: it has acted a hundred times here within a day" in shown


def test_a_macro_takes_the_same_actions_but_sends_and_calls_nothing(client, cast, case):
    client.force_login(cast.agent)
    form = client.get("/macros/new/").content.decode()
    assert 'value="ADD_TASK"' in form and 'value="TAG"' in form
    assert 'value="REPLY"' not in form and 'value="WEBHOOK"' not in form
    given = {"name": "Snooze", "scope": "PERSON", "do": ["SNOOZE", "TAG"], "do_value": ["3d", "Waiting for parts"], "is_active": "on"}
    assert len(client.post("/macros/new/", {**given, "more": "do"}).context["given"]["actions"]) == 4
    assert client.post("/macros/new/", given).status_code == 302
    macro = Macro.objects.get()
    assert macro.actions == [{"do": "SNOOZE", "value": 72.0}, {"do": "TAG", "value": "Waiting for parts"}]
    assert 'value="3d"' in client.get(f"/macros/{macro.pk}/").content.decode()
    client.post(f"/cases/{case.pk}/macros/{macro.pk}/", headers={"HX-Request": "true"})
    case.refresh_from_db()
    assert case.status == "WAITING"
