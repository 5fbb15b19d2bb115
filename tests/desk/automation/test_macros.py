"""Macros: who may use and change them, what they give and do."""

from datetime import timedelta

import pytest

from careloop.desk.automation.actions import (
    MacroFacts,
    delete_macro,
    delete_rule,
    move_rule,
    save_macro,
    save_rule,
    switch_rule,
    take_macro,
)
from careloop.desk.automation.models import Macro, MacroUse, Rule
from careloop.desk.automation.queries import count_uses, find_macros
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.cases.models import CaseEvent
from careloop.desk.kernel.errors import InvalidInput, NotAllowed, NotFound
from tests.desk.automation.rule_words import do, every

pytestmark = pytest.mark.django_db
HELLO = "您好 {{customer.name}}，工单 {{case.number}} — {{agent.name}}"


@pytest.fixture
def mine(cast, now):
    """The agent's own macro: a greeting that takes the case and makes it urgent."""
    actions = [do("SET_PRIORITY", 40), do("ASSIGN", cast.agent.pk)]
    return save_macro(facts=MacroFacts("Hello", "PERSON", HELLO, actions), viewer=cast.viewer(cast.agent), now=now)


def test_it_gives_the_text_and_takes_its_actions_and_the_history_names_it(cast, case, mine, now):
    taken = take_macro(macro_id=mine.pk, case_id=case.pk, viewer=cast.viewer(cast.agent), now=now)
    assert (taken.text, taken.missing) == (f"您好 林晓彤，工单 {case.pk} — Chen", [])
    case.refresh_from_db()
    assert (case.priority, case.assignee_id) == (40, cast.agent.pk)
    told = CaseEvent.objects.filter(case=case, actor_kind="user").values_list("kind", "actor_name", "after__macro")
    assert list(told) == [("MACRO", "Chen", "Hello"), ("PRIORITY", "Chen", None), ("ASSIGNED", "Chen", None)]
    assert count_uses([mine.pk], now) == {mine.pk: 1}
    assert count_uses([mine.pk], now + timedelta(days=31)) == {}


def test_a_refused_action_takes_everything_back(cast, case, now):
    facts = MacroFacts("Give away", "PERSON", "x", [do("SET_PRIORITY", 40), do("ASSIGN", cast.outsider.pk)])
    macro = save_macro(facts=facts, viewer=cast.viewer(cast.agent), now=now)
    with pytest.raises(InvalidInput):
        take_macro(macro_id=macro.pk, case_id=case.pk, viewer=cast.viewer(cast.agent), now=now)
    case.refresh_from_db()
    assert (case.priority, MacroUse.objects.count(), CaseEvent.objects.filter(kind="MACRO").count()) == (20, 0, 0)


def test_one_that_gives_the_case_to_a_team_out_of_sight_goes_on_there(cast, case, now):
    steps = [do("GIVE_TO_TEAM", cast.other_team.pk), do("ASSIGN", cast.outsider.pk), do("SET_PRIORITY", 40), do("ADD_NOTE", "Please call.")]
    macro = save_macro(facts=MacroFacts("To wholesale", "PERSON", "", steps), viewer=cast.viewer(cast.agent), now=now)
    take_macro(macro_id=macro.pk, case_id=case.pk, viewer=cast.viewer(cast.agent), now=now)
    case.refresh_from_db()
    assert (case.team_id, case.assignee_id, case.priority) == (cast.other_team.pk, cast.outsider.pk, 40)
    assert case.messages.get(direction="NOTE").body == "Please call."
    with pytest.raises(NotFound):
        take_macro(macro_id=macro.pk, case_id=case.pk, viewer=cast.viewer(cast.agent), now=now)
    assert MacroUse.objects.count() == 1


def test_personal_macros_are_their_owners_alone(cast, case, mine, now):
    other = cast.viewer(cast.supervisor)
    for refused in (
        lambda: take_macro(macro_id=mine.pk, case_id=case.pk, viewer=other, now=now),
        lambda: save_macro(facts=MacroFacts("Stolen", "ALL", "x"), viewer=other, now=now, macro_id=mine.pk),
        lambda: delete_macro(macro_id=mine.pk, viewer=other, now=now),
    ):
        with pytest.raises(NotFound):
            refused()
    mine.refresh_from_db()
    assert (mine.name, mine.scope, MacroUse.objects.count()) == ("Hello", "PERSON", 0)


def test_those_of_teams_and_of_everybody_are_for_those_who_write_rules(cast, now):
    for scope in ("TEAM", "ALL"):
        with pytest.raises(NotAllowed):
            save_macro(facts=MacroFacts("X", scope, "x", team_id=cast.team.pk), viewer=cast.viewer(cast.agent), now=now)
    assert Macro.objects.count() == 0
    shared = save_macro(facts=MacroFacts("X", "ALL", "x"), viewer=cast.viewer(cast.supervisor), now=now)
    with pytest.raises(NotAllowed):
        delete_macro(macro_id=shared.pk, viewer=cast.viewer(cast.agent), now=now)
    with pytest.raises(InvalidInput):
        save_macro(facts=MacroFacts("Y", "TEAM", "x", team_id=cast.other_team.pk), viewer=cast.viewer(cast.supervisor), now=now)
    assert list(Macro.objects.values_list("name", flat=True)) == ["X"]


def test_an_outsider_takes_nothing_on_another_teams_case(cast, case, now):
    shared = save_macro(facts=MacroFacts("X", "ALL", "x", [do("SET_PRIORITY", 40)]), viewer=cast.viewer(cast.owner), now=now)
    with pytest.raises(NotFound):
        take_macro(macro_id=shared.pk, case_id=case.pk, viewer=cast.viewer(cast.outsider), now=now)
    case.refresh_from_db()
    assert (case.priority, MacroUse.objects.count()) == (20, 0)


def test_the_picker_finds_by_every_word_own_ones_first(cast, case, mine, now):
    owner = cast.viewer(cast.owner)
    save_macro(facts=MacroFacts("Hello from all", "ALL", "Hi"), viewer=owner, now=now)
    save_macro(facts=MacroFacts("Hello wholesale", "TEAM", "Hi", team_id=cast.other_team.pk), viewer=owner, now=now)
    viewer = cast.viewer(cast.agent)
    assert [macro.name for macro in find_macros(viewer, case, "")] == ["Hello", "Hello from all"]
    assert [macro.name for macro in find_macros(viewer, case, "hello ALL")] == ["Hello from all"]


@pytest.mark.parametrize(
    ("body", "actions", "field"),
    [
        ("{{nobody.knows}}", [], "body"),
        ("", [], "body"),
        ("x", [do("REPLY", 1)], "actions"),
        ("x", [do("ADD_NOTE", "{{x}}")], "actions"),
        ("x", [do("ADD_NOTE", "{{ link }}")], "actions"),
    ],
)
def test_nonsense_is_refused_on_saving(cast, now, body, actions, field):
    with pytest.raises(InvalidInput) as refused:
        save_macro(facts=MacroFacts("X", "PERSON", body, actions), viewer=cast.viewer(cast.agent), now=now)
    assert refused.value.field == field
    assert Macro.objects.count() == 0


def test_only_those_who_write_rules_change_them(cast, make_rule, now):
    rule = make_rule(["OPENED"], every(), do("SET_PRIORITY", 40))
    agent = cast.viewer(cast.agent)
    for refused in (
        lambda: save_rule(facts=RuleFacts("X", ["OPENED"], every(), [do("SET_PRIORITY", 10)]), viewer=agent, now=now),
        lambda: switch_rule(rule_id=rule.pk, is_active=False, viewer=agent, now=now),
        lambda: move_rule(rule_id=rule.pk, places=1, viewer=agent, now=now),
        lambda: delete_rule(rule_id=rule.pk, viewer=agent, now=now),
    ):
        with pytest.raises(NotAllowed):
            refused()
    assert list(Rule.objects.values_list("name", "is_active", "position")) == [("Rule", True, 0)]


def test_rules_move_among_each_other(cast, make_rule, now):
    first, second, third = (make_rule(["OPENED"], every(), do("SET_PRIORITY", 40), name=name) for name in "abc")
    move_rule(rule_id=third.pk, places=-1, viewer=cast.viewer(cast.supervisor), now=now)
    assert list(Rule.objects.values_list("name", "position")) == [("a", 10), ("c", 20), ("b", 30)]
    assert (first.pk, second.pk) == tuple(Rule.objects.filter(name__in="ab").order_by("name").values_list("pk", flat=True))


def test_a_rule_sends_no_personal_text(cast, make_rule, mine, now):
    with pytest.raises(InvalidInput):
        make_rule(["OPENED"], every(), do("REPLY", mine.pk))
    assert Rule.objects.count() == 0
