"""Two people who change the same rule or macro: the second is told, and nothing vanishes."""

import pytest

from careloop.desk.automation.actions import MacroFacts, move_rule, save_macro, save_rule, switch_rule
from careloop.desk.automation.models import Macro, Rule
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.kernel.errors import Conflict
from tests.desk.automation.rule_words import do, every

pytestmark = pytest.mark.django_db
URGENT = do("SET_PRIORITY", 40)


def facts(name, **more):
    return RuleFacts(name, ["OPENED"], every(), [URGENT], **more)


def test_the_second_who_saves_a_rule_is_refused_and_the_first_ones_words_stay(cast, make_rule, now):
    rule = make_rule(["OPENED"], every(), URGENT, name="First")
    sun, olga = cast.viewer(cast.supervisor), cast.viewer(cast.owner)
    assert rule.version == 1
    save_rule(facts=facts("Sun's"), viewer=sun, now=now, rule_id=rule.pk, expected_version=1)
    with pytest.raises(Conflict):
        save_rule(facts=facts("Olga's"), viewer=olga, now=now, rule_id=rule.pk, expected_version=1)
    assert list(Rule.objects.values_list("name", "version")) == [("Sun's", 2)]


def test_switching_and_moving_count_as_changes_of_the_rules_that_they_touch(cast, make_rule, now):
    first, second, third = (
        make_rule(["OPENED"], every(), URGENT, name=name, position=place) for place, name in ((10, "a"), (20, "b"), (30, "c"))
    )
    sun = cast.viewer(cast.supervisor)
    switch_rule(rule_id=first.pk, is_active=False, viewer=sun, now=now)
    move_rule(rule_id=third.pk, places=-1, viewer=sun, now=now)
    assert list(Rule.objects.order_by("pk").values_list("version", flat=True)) == [2, 2, 2]
    move_rule(rule_id=third.pk, places=1, viewer=sun, now=now)
    assert list(Rule.objects.order_by("pk").values_list("version", flat=True)) == [2, 3, 3]
    with pytest.raises(Conflict):
        save_rule(facts=facts("b", position=99), viewer=sun, now=now, rule_id=second.pk, expected_version=1)
    assert Rule.objects.get(pk=second.pk).position == 20


def test_the_second_who_saves_a_macro_is_refused(cast, now):
    sun, olga = cast.viewer(cast.supervisor), cast.viewer(cast.owner)
    macro = save_macro(facts=MacroFacts("Hello", "ALL", "您好"), viewer=sun, now=now)
    save_macro(facts=MacroFacts("Hello", "ALL", "Sun's"), viewer=sun, now=now, macro_id=macro.pk, expected_version=macro.version)
    with pytest.raises(Conflict):
        save_macro(facts=MacroFacts("Hello", "ALL", "Olga's"), viewer=olga, now=now, macro_id=macro.pk, expected_version=1)
    assert list(Macro.objects.values_list("body", "version")) == [("Sun's", 2)]
