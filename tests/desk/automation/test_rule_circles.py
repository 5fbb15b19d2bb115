"""Rules that would set each other off are found when they are saved: refused when it is certain, told when it may be."""

import random

import pytest

from careloop.desk.automation.actions import switch_rule
from careloop.desk.automation.circle_search import list_circles
from careloop.desk.automation.models import Rule
from careloop.desk.automation.registry import ACTIONS
from careloop.desk.automation.rules.choosing import Ready
from careloop.desk.automation.rules.circles import find_circles
from careloop.desk.automation.rules.conditions import folded
from careloop.desk.automation.rules.fields import RuleFacts
from careloop.desk.kernel.errors import InvalidInput
from tests.desk.automation.rule_words import do, every, leaf


def rule(number, events, condition, *actions, stops=False):
    return Ready(number, f"R{number}", tuple(events), folded(condition), actions, stops=stops)


def circles(*rules):
    return [(one.rule_ids, one.is_certain) for one in find_circles(rules[0], rules[1:], ACTIONS)]


def test_two_rules_that_undo_each_other_go_round_for_certain():
    up = rule(1, ["PRIORITY"], every(leaf("priority", "at_most", 20)), do("SET_PRIORITY", 40))
    down = rule(2, ["PRIORITY"], every(leaf("priority", "at_least", 30)), do("SET_PRIORITY", 10))
    assert circles(up, down) == [([1, 2], True)]


def test_three_rules_over_three_kinds_of_events_are_found_from_each_of_them():
    a = rule(1, ["NOTED"], every(), do("SET_PRIORITY", 40), do("TAG", "a"))
    b = rule(2, ["TAGGED"], every({"field": "tags", "op": "has", "value": ["a"]}), do("UNTAG", "a"), do("REPLY", 1))
    c = rule(3, ["REPLIED"], every(), do("ADD_NOTE", "x"))
    assert circles(a, b, c) == [([1, 2, 3], True)]
    assert circles(b, c, a) == [([2, 3, 1], True)]
    assert circles(c, a, b) == [([3, 1, 2], True)]


def test_a_fact_that_nobody_knows_makes_it_possible_only():
    a = rule(1, ["NOTED"], every(leaf("kind", value="REFUND")), do("REPLY", 1))
    b = rule(2, ["REPLIED"], every(), do("ADD_NOTE", "x"))
    assert circles(a, b) == [([1, 2], False)]


def test_what_changes_nothing_the_second_time_ends_by_itself():
    a = rule(1, ["STATUS"], every(), do("SET_PRIORITY", 40))
    b = rule(2, ["PRIORITY"], every(), do("SET_STATUS", "OPEN"))
    assert circles(a, b) == []


def test_a_condition_that_the_others_make_false_ends_it():
    a = rule(1, ["NOTED"], every(leaf("status", value="OPEN")), do("SET_STATUS", "WAITING"), do("REPLY", 1))
    b = rule(2, ["REPLIED"], every(), do("ADD_NOTE", "x"))
    assert circles(a, b) == []
    assert circles(rule(1, ["NOTED"], every(), do("REPLY", 1)), b) == [([1, 2], True)]


def test_a_rule_that_stops_later_ones_makes_it_possible_only():
    a, b = rule(1, ["NOTED"], every(), do("REPLY", 1)), rule(2, ["REPLIED"], every(), do("ADD_NOTE", "x"))
    guard = rule(3, ["NOTED"], every(), do("SET_PRIORITY", 40), stops=True)
    assert circles(a, b, guard) == [([1, 2], False)]


def test_time_is_no_event_that_a_rule_makes():
    a = rule(1, ["TIME"], every(leaf("hours_waiting", "at_least", 3)), do("ADD_NOTE", "x"))
    b = rule(2, ["NOTED"], every(), do("SET_PRIORITY", 40))
    assert circles(a, b) == circles(b, a) == []


def test_a_thousand_rules_are_searched_at_once():
    draw = random.Random(5)
    codes = ["NOTED", "REPLIED", "PRIORITY", "STATUS", "TAGGED"]
    acts = [do("ADD_NOTE", "x"), do("REPLY", 1), do("SET_PRIORITY", 40), do("SET_STATUS", "OPEN"), do("TAG", "a")]
    some = [every(leaf("category", value=f"c{number}")) for number in range(9)]
    rules = [rule(number, draw.sample(codes, 2), draw.choice(some), draw.choice(acts)) for number in range(1_000)]
    assert len(find_circles(rules[0], rules[1:], ACTIONS)) <= 5


@pytest.mark.django_db
def test_saving_refuses_a_certain_circle_and_names_its_rules_and_events(make_rule, now):
    make_rule(["PRIORITY"], every(leaf("priority", "at_most", 20)), do("SET_PRIORITY", 40), name="Up")
    with pytest.raises(InvalidInput) as refused:
        make_rule(["PRIORITY"], every(leaf("priority", "at_least", 30)), do("SET_PRIORITY", 10), name="Down")
    assert "“Down” → Priority changed → “Up” → Priority changed → “Down”" in refused.value.message
    assert list(Rule.objects.values_list("name", flat=True)) == ["Up"]


@pytest.mark.django_db
def test_a_rule_that_is_switched_off_is_saved_and_not_switched_on(cast, make_rule, now):
    up = make_rule(["PRIORITY"], every(leaf("priority", "at_most", 20)), do("SET_PRIORITY", 40), name="Up")
    down = make_rule(["PRIORITY"], every(leaf("priority", "at_least", 30)), do("SET_PRIORITY", 10), name="Down", is_active=False)
    with pytest.raises(InvalidInput):
        switch_rule(rule_id=down.pk, is_active=True, viewer=cast.viewer(cast.supervisor), now=now)
    assert set(Rule.objects.values_list("name", "is_active", "version")) == {("Up", True, 1), ("Down", False, 1)}
    switch_rule(rule_id=up.pk, is_active=False, viewer=cast.viewer(cast.supervisor), now=now)
    assert switch_rule(rule_id=down.pk, is_active=True, viewer=cast.viewer(cast.supervisor), now=now).is_active


@pytest.mark.django_db
def test_a_possible_circle_is_listed_and_may_be_saved(make_rule):
    make_rule(["NOTED"], every(leaf("kind", value="REFUND")), do("SET_PRIORITY", 40), do("SET_CATEGORY", "money"), name="A")
    facts = RuleFacts("B", ["CORRECTED"], every(leaf("category", value="money")), [do("ADD_NOTE", "look")])
    assert list_circles(facts) == []  # the category is set once: the note makes no second correction
    make_rule(["REPLIED"], every(leaf("kind", value="REFUND")), do("ADD_NOTE", "look"), name="C")
    facts = RuleFacts("D", ["NOTED"], every(leaf("channel", value=1)), [do("REPLY", 1)])
    assert [circle.is_certain for circle in list_circles(facts)] == [False]
