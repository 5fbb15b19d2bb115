"""Who may get a case, what it is worth, why; and what it costs to let one wait."""

from dataclasses import replace
from datetime import timedelta
from math import exp, inf, log1p

import numpy as np
import pytest

from careloop.desk.routing.rules.matching import (
    Person,
    WaitingCase,
    benefit,
    choose,
    explain,
    language_of,
    list_benefits,
    place_costs,
    refusal,
)
from careloop.desk.routing.rules.queue import cost_of_delay, customer_value, late_chance

TEAM = 7
CHEN = Person(1, "Chen", frozenset({TEAM}), 10, 4, {"REFUND": 3, "COMPLAINT": 0, "category:leak": 2}, {"zh": 3})
REFUND = WaitingCase(11, TEAM, "REFUND", language="zh", known_to={1: "CUSTOMER"})


def test_the_reason_names_language_skill_load_and_acquaintance():
    assert explain(REFUND, CHEN, open_cases=4) == [
        {"what": "LANGUAGE", "language": "zh", "level": 3},
        {"what": "SKILL", "kind": "REFUND", "level": 3},
        {"what": "LOAD", "open": 4, "capacity": 10},
        {"what": "KNOWS", "of": "CUSTOMER"},
    ]
    assert explain(REFUND, CHEN, open_cases=4, is_sticky=False)[-1]["what"] == "LOAD"


@pytest.mark.parametrize(
    ("case", "person", "why"),
    [
        (REFUND, CHEN, ""),
        (replace(REFUND, team_id=8), CHEN, "TEAM"),
        (REFUND, replace(CHEN, is_available=False), "AWAY"),
        (REFUND, replace(CHEN, is_in_hours=False), "HOURS"),
        (REFUND, replace(CHEN, open_cases=10), "FULL"),
        (REFUND, replace(CHEN, open_cases=14), "FULL"),
        (replace(REFUND, language="en"), CHEN, "LANGUAGE"),
        (replace(REFUND, kind="COMPLAINT"), CHEN, "SKILL"),
        (replace(REFUND, kind="PRAISE"), CHEN, "SKILL"),
        (replace(REFUND, kind="COMPLAINT", category="leak"), CHEN, ""),
        (replace(REFUND, kind=""), CHEN, ""),
        (replace(REFUND, kind="PRAISE", language="en"), replace(CHEN, skills={}, languages={}), ""),
    ],
)
def test_what_keeps_a_person_from_a_case(case, person, why):
    assert refusal(case, person) == why
    assert (benefit(case, person) == -inf) is bool(why)


def test_a_pair_is_worth_skill_language_and_acquaintance_times_the_cost_of_delay():
    assert benefit(REFUND, CHEN) == pytest.approx((1 + 0.5 + 0.3 + 0.6) * (1 + log1p(1.0)))
    assert benefit(REFUND, CHEN, is_sticky=False) == pytest.approx(1.8 * (1 + log1p(1.0)))
    assert list(place_costs(replace(CHEN, open_cases=8))) == pytest.approx([0.9 * 0.81, 0.9])
    assert list(place_costs(replace(CHEN, open_cases=11))) == []


def draw(seed):
    rng = np.random.default_rng(seed)
    kinds, teams = ("", "REFUND", "COMPLAINT"), (1, 2)
    people = [
        Person(
            number, f"P{number}", frozenset(int(team) for team in rng.choice(teams, rng.integers(1, 3), replace=False)),
            int(rng.integers(0, 8)), int(rng.integers(0, 4)),
            {kind: int(rng.integers(0, 4)) for kind in kinds[1:]} if rng.random() < 0.7 else {},
            {"zh": int(rng.integers(0, 4)), "en": int(rng.integers(0, 4))}, bool(rng.random() < 0.8), bool(rng.random() < 0.9),
        )
        for number in range(9)
    ]  # fmt: skip
    cases = [
        WaitingCase(
            number, int(rng.choice(teams)), str(rng.choice(kinds)), "", str(rng.choice(["", "zh", "en"])), float(rng.exponential(9)),
            {int(rng.integers(0, 9)): "CASE"} if rng.random() < 0.3 else {},
        )
        for number in range(40)
    ]  # fmt: skip
    return cases, people


@pytest.mark.parametrize("seed", range(15))
def test_a_round_keeps_every_rule_and_leaves_nobody_waiting_for_whom_there_is_room(seed):
    cases, people = draw(seed)
    table = list_benefits(cases, people)
    assert table == pytest.approx(np.array([[benefit(case, person) for person in people] for case in cases]))
    choices, found = choose(cases, people)
    given = {one.case.case_id: one.person for one in choices}
    assert found.gap_ratio <= 0.02
    assert [one for one in choices if refusal(one.case, one.person)] == []
    for person in people:
        got = sum(one is person for one in given.values())
        assert got <= person.room
        if got < person.room:
            assert [case for case in cases if case.case_id not in given and not refusal(case, person)] == []


def test_the_reasons_of_a_round_count_up_and_name_the_next_best():
    other = replace(CHEN, user_id=2, name="Sun", open_cases=9)
    choices, _found = choose([REFUND, replace(REFUND, case_id=12)], [CHEN, other])
    assert [(one.person.name, one.parts[2]["open"]) for one in choices] == [("Chen", 4), ("Chen", 5)]
    assert [(one["name"], one["because"][2]) for one in choices[0].alternatives] == [("Sun", {"what": "LOAD", "open": 9, "capacity": 10})]


def test_nobody_to_give_to_or_nothing_to_give_is_an_empty_round():
    assert choose([REFUND], [])[0] == []
    assert choose([], [CHEN])[0] == []


@pytest.mark.parametrize(
    ("stated", "text", "language"),
    [
        ("zh-hans", "Hello", "zh"),
        ("en", "你好", "en"),
        ("", "热水器漏水 Model X5", "zh"),
        ("", "My boiler leaks", "en"),
        ("", "12345 ?!", ""),
        ("fr", "Bonjour", "en"),
    ],
)
def test_the_language_is_what_the_record_says_or_the_script_shows(stated, text, language):
    assert language_of(stated, text) == language


@pytest.mark.parametrize(
    ("attributes", "value"),
    [({}, 1.0), ({"value": 2}, 2.0), ({"value": 99}, 3.0), ({"value": float("nan")}, 1.0),
     ({"segment": "VIP"}, 3.0), ({"value": "高"}, 2.0),
     ({"value": True}, 1.0), ({"value": "", "segment": "gold"}, 2.0), ({"segment": "new"}, 1.0)],
)  # fmt: skip
def test_the_value_of_a_customer_is_between_one_and_three(attributes, value):
    assert customer_value(attributes) == value


def cost(now, **facts):
    return cost_of_delay(**{"priority": 20, "kind": "CONSULTATION", "due_at": None, "value": 1.0, "now": now, **facts})


def test_an_ordinary_enquiry_costs_one_an_hour_and_takes_eight_minutes(now):
    plain = cost(now)
    assert (plain.cost_per_hour, plain.minutes, plain.score, plain.parts) == (1.0, 8, 7.5, [])


def test_the_cost_is_the_product_of_the_factors_that_are_told(now):
    told = cost(now, priority=40, kind="REFUND", due_at=now + timedelta(hours=4), value=2.0)
    chance = exp(-1)
    assert told.cost_per_hour == pytest.approx(4.0 * 1.4 * 2.0 * (1 + 8 * chance), rel=1e-3)
    assert [part["what"] for part in told.parts] == ["PRIORITY", "KIND", "VALUE", "DUE"]
    assert told.parts[-1] == {"what": "DUE", "seconds": 14_400, "chance": 0.368, "factor": pytest.approx(3.943)}
    assert cost(now, kind="REFUND", minutes={"REFUND": 40}).minutes == 40


def test_nearer_deadlines_more_urgent_and_quicker_cases_come_first(now):
    hours = [cost(now, due_at=now + timedelta(hours=left)).score for left in (48, 8, 2, 0.5, 0, -3)]
    assert hours == sorted(hours)
    assert hours[-1] == hours[-2] == 67.5
    assert [cost(now, priority=one).score for one in (10, 20, 30, 40)] == [3.75, 7.5, 15.0, 30.0]
    assert cost(now, kind="COMPLAINT", minutes={"COMPLAINT": 5}).score > cost(now, kind="COMPLAINT").score
    assert late_chance(now + timedelta(hours=1), now, 0.0) == pytest.approx(exp(-4))
