"""Rules that make no sense are refused in sentences; conditions answer yes, no or unknown."""

import itertools
import random

import pytest

from careloop.desk.automation.registry import ACTIONS
from careloop.desk.automation.rules.blocks import Block, block_of, tree_of
from careloop.desk.automation.rules.checking import InvalidRule, check_rule, find_faults
from careloop.desk.automation.rules.choosing import Ready, RuleIndex
from careloop.desk.automation.rules.conditions import fold, folded, holds, reasons
from careloop.desk.automation.rules.fields import EVENTS, RuleFacts
from careloop.desk.automation.rules.texts import VARIABLES, check_text, fill
from careloop.desk.cases.models import EventKind
from tests.desk.automation.rule_words import do, every, leaf

HIGH = do("SET_PRIORITY", 30)


def faults(events=("OPENED",), condition=None, actions=(HIGH,), name="R"):
    return [str(sentence) for _, sentence in find_faults(RuleFacts(name, list(events), condition or every(), list(actions)), ACTIONS)]


def test_a_sensible_rule_has_no_fault():
    assert faults(condition=every(leaf("kind", value="COMPLAINT"), leaf("text", "contains", "退款"))) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"condition": every(leaf("mood", value="BAD"))}, "There is no fact “mood” of a case; choose from the list."),
        (
            {"condition": every(leaf("happiness", "contains", "x"))},
            "“contains” cannot be asked of “happiness”; expected one of: at_least, at_most, is_empty, is_set.",
        ),
        ({"condition": every(leaf("hours_overdue", "at_least", "3"))}, "“hours_overdue” is compared to “3”; expected a number."),
        ({"condition": every(leaf("happiness", "at_most", 20))}, "The probability 20 is outside 0 to 1; write 0.2 for 20 %."),
        ({"condition": every(leaf("priority", value="HIGH"))}, "“priority” is compared to “HIGH”; choose from the list."),
        ({"condition": every({"field": "kind", "op": "is", "value": []})}, "“kind” is compared to nothing; give at least one value."),
        ({"actions": ()}, "The rule does nothing; add at least one action."),
        ({"actions": (do("DANCE"),)}, "There is no action “DANCE” here; choose from the list."),
        ({"actions": (do("SET_STATUS", "MERGED"),)}, "The action “SET_STATUS” takes no “MERGED”; choose or write its value."),
        ({"actions": (HIGH, do("SET_PRIORITY", 40))}, "Two actions decide the same thing (SET_PRIORITY); keep one of them."),
        ({"events": ()}, "The rule never starts; choose at least one event, or time."),
        ({"events": ("EXPLODED",)}, "There is no event “EXPLODED”; choose from the list."),
        (
            {"events": ("TIME",)},
            "A rule by time waits for nothing; add how many hours at least, say since the customer wrote.",
        ),
        ({"name": " "}, "The rule has no name; the history of cases names it, so give it one."),
        (
            {"events": ("PRIORITY",)},
            "The rule fires itself: what it does is an event for which it waits (PRIORITY), and its conditions may hold again. "
            "Take the event out, or add a condition that no longer holds once the rule has acted.",
        ),
    ],
)
def test_nonsense_is_refused_in_a_sentence(given, sentence):
    assert faults(**given) == [sentence]


def test_a_rule_that_its_own_effect_stops_does_not_fire_itself():
    assert faults(events=("PRIORITY",), condition=every(leaf("priority", "at_most", 20))) == []
    assert faults(events=("STATUS",), condition=every(leaf("status", value="WAITING")), actions=(do("SET_STATUS", "OPEN"),)) == []


def test_notes_and_replies_on_their_own_events_always_fire_again():
    assert len(faults(events=("NOTED",), condition=every(leaf("kind", value="REFUND")), actions=(do("ADD_NOTE", "x"),))) == 1
    assert len(faults(events=("DELIVERY",), actions=(do("REPLY", 1),))) == 1


def test_all_faults_come_at_once():
    with pytest.raises(InvalidRule) as refused:
        check_rule(RuleFacts("", [], every(leaf("mood", value="x")), []), ACTIONS)
    assert [name for name, _ in refused.value.faults] == ["name", "events", "condition", "actions"]


def test_events_are_those_that_cases_have():
    assert set(EVENTS) <= set(EventKind.values)
    assert {event for kind in ACTIONS.values() for event in kind.makes} <= set(EVENTS)


def test_words_are_compared_in_both_languages_without_capitals_and_widths():
    assert fold("ＶＩＰ  Refund") == "vip refund"
    condition = folded(every(leaf("text", "contains", "ＲＥＦＵＮＤ")))
    assert holds(condition, {"text": fold("I want a refund")}) is True
    assert holds(folded(every(leaf("text", "contains", "退款"))), {"text": fold("我要求退款。")}) is True


def test_an_unknown_fact_makes_only_that_unknown_which_depends_on_it():
    a, b = leaf("kind", value="REFUND"), leaf("status", value="OPEN")
    facts = {"status": "WAITING"}
    assert holds(every(a, b), facts) is False
    assert holds({"any": [a, b]}, facts) is None
    assert holds({"not": b}, facts) is True
    assert holds(every(), {}) is True


def test_an_empty_fact_is_neither_late_nor_early():
    facts = {"hours_overdue": None, "assignee": None}
    assert [holds(leaf("hours_overdue", op, 0), facts) for op in ("at_least", "at_most")] == [False, False]
    assert holds({"field": "assignee", "op": "is_empty"}, facts) is True


def test_reasons_are_the_leaves_that_decided():
    one, two = leaf("kind", value="REFUND"), leaf("kind", value="COMPLAINT")
    assert reasons({"any": [one, two]}, {"kind": "COMPLAINT"}) == [two]
    assert reasons({"not": one}, {"kind": "COMPLAINT"}) == [{"not": one}]


def test_a_form_shows_what_it_made_two_levels_deep_and_nothing_deeper():
    a, b, c, d = leaf("kind", value="REFUND"), leaf("priority", value=40), leaf("status", value="RESOLVED"), leaf("team", value=1)
    block = Block("all", [a], [Block("any", [b], [Block("none", [c]), Block("all", [d, a])]), Block("none", [d])])
    tree = tree_of(block)
    assert tree == {"all": [a, {"any": [b, {"not": {"any": [c]}}, {"all": [d, a]}]}, {"not": {"any": [d]}}]}
    assert block_of(tree) == block
    assert tree_of(Block("any", [], [Block("none")])) == {"all": []}
    assert block_of({"all": [{"any": [{"not": {"all": [{"any": [a]}]}}]}]}) is None


def random_condition(draw):
    values = {"kind": ["REFUND", "COMPLAINT"], "category": ["a", "b", "c"], "priority": [10, 40]}
    leaves = []
    for name in draw.sample(sorted(values), draw.randint(0, 3)):
        leaves.append({"field": name, "op": draw.choice(["is", "is_not"]), "value": draw.sample(values[name], draw.randint(1, 2))})
    return every(*leaves) if draw.random() < 0.7 else {"any": leaves or [leaf("kind", value="REFUND")]}


def test_candidates_leave_out_no_rule_that_holds():
    draw = random.Random(4)
    rules = [Ready(n, "", (draw.choice("AB"),), random_condition(draw), (), draw.randint(0, 3)) for n in range(200)]
    index = RuleIndex(rules)
    for kind, category, priority, event in itertools.product(["REFUND", "PRAISE"], ["a", "d"], [10, 20], "AB"):
        facts = {"kind": kind, "category": category, "priority": priority}
        expected = sorted((rule for rule in rules if event in rule.events and holds(rule.condition, facts)), key=lambda one: one.order)
        assert [rule for rule in index.candidates(event, facts) if holds(rule.condition, facts)] == expected


def test_variables_are_put_in_as_letters_and_never_run():
    text, missing = fill("您好 {{customer.name}}，工单 {{ case.number }}", {"customer.name": "{{agent.name}}", "case.number": "7"})
    assert (text, missing) == ("您好 {{agent.name}}，工单 7", [])


def test_a_missing_value_leaves_a_mark_for_the_agent():
    assert fill("Dear {{customer.name}}", {"customer.name": " "}) == ("Dear ⟦customer.name⟧", ["customer.name"])


def test_the_customers_link_stays_a_variable_in_replies_and_is_none_of_notes():
    check_text("See {{ link }} or {{link}}")
    assert fill("{{ link }}", {"link": "x"}) == ("{{ link }}", [])
    with pytest.raises(InvalidRule):
        check_text("{{ link }}", VARIABLES)


@pytest.mark.parametrize("text", ["{{customer.password}}", "{{customer.name}", "{{ }}", "{{customer.__class__}}"])
def test_unknown_variables_and_open_braces_are_refused(text):
    with pytest.raises(InvalidRule):
        check_text(text)
