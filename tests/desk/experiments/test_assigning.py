"""Who goes into which group, what is noted, who may compare."""

from datetime import timedelta

import pytest

from careloop.desk.audit.models import AuditEntry
from careloop.desk.cases.models import Case
from careloop.desk.experiments.actions import (
    ArmFacts,
    ComparisonFacts,
    arm_for,
    ask_arm,
    check_not_held_out,
    end_comparison,
    is_held_out,
    make_comparison,
)
from careloop.desk.experiments.models import Comparison, Exposure
from careloop.desk.experiments.queries import list_comparisons
from careloop.desk.experiments.rules import choose_arm, place_of, problem_of
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import InvalidInput, NotAllowed, NotFound

WITH, WITHOUT = ArmFacts("With the rule", 0.5, 7), ArmFacts("Without", 0.5)


def facts(**changed) -> ComparisonFacts:
    given = {"name": "Does it help?", "design": "RANDOMISED", "outcome": "SATISFACTION", "subject": "RULE", "arms": (WITH, WITHOUT)}
    return ComparisonFacts(**(given | changed))


def test_places_are_even_and_unrelated_between_salts():
    places = [place_of("a", number) for number in range(20_000)]
    assert all(0 <= place < 1 for place in places)
    tenths = [sum(step / 10 <= place < (step + 1) / 10 for place in places) for step in range(10)]
    assert max(abs(count - 2000) for count in tenths) < 150
    both = sum(place_of("a", number) < 0.5 and place_of("b", number) < 0.5 for number in range(20_000))
    assert abs(both - 5000) < 200
    assert place_of("a", 1) == place_of("a", 1) == pytest.approx(places[1])


def test_parts_lie_one_after_the_other():
    assert [choose_arm([0.2, 0.3, 0.5], place) for place in (0, 0.19, 0.2, 0.49, 0.5, 0.999)] == [0, 0, 1, 1, 2, 2]
    assert choose_arm([0.1] * 10, 1 - 1e-17) == 9
    assert [problem_of(one) for one in ([1.0], [0.2] * 6, [0.02, 0.98], [0.5, 0.4], [0.5, 0.5])] == ["few", "many", "small", "sum", ""]


@pytest.fixture
def case(cast, inbound, now):
    return Case.objects.get(pk=receive_message(inbound(), now=now).case_id)


def test_a_case_keeps_its_group_and_is_noted_once(cast, case, now):
    comparison = make_comparison(facts=facts(), viewer=cast.viewer(cast.analyst), now=now)
    first = arm_for(subject="RULE", subject_id=7, case=case, now=now)
    again = arm_for(subject="RULE", subject_id=7, case=case, now=now)
    expected = choose_arm([0.5, 0.5], place_of(comparison.salt, case.pk))
    assert first == again and first.position == expected
    assert is_held_out(subject="RULE", subject_id=7, case=case, now=now) is (expected == 1)
    noted = Exposure.objects.get()
    assert (noted.unit_id, noted.case_id, noted.customer_id, noted.at, noted.arm_id) == (case.pk, case.pk, case.customer_id, now, first.pk)


def test_what_nobody_compares_is_free_for_all(cast, case, now):
    make_comparison(facts=facts(), viewer=cast.viewer(cast.analyst), now=now)
    assert arm_for(subject="RULE", subject_id=8, case=case, now=now) is None
    assert arm_for(subject="MACRO", subject_id=7, case=case, now=now) is None
    assert not Exposure.objects.exists()


def test_by_customer_all_cases_of_one_go_the_same_way(cast, inbound, now):
    later = now + timedelta(days=30)
    received = [receive_message(inbound(external_id=f"{at}", sent_at=at), now=at) for at in (now, later)]
    one, other = (Case.objects.get(pk=receipt.case_id) for receipt in received)
    assert one.pk != other.pk and one.customer_id == other.customer_id
    make_comparison(facts=facts(unit="CUSTOMER"), viewer=cast.viewer(cast.supervisor), now=now)
    assert arm_for(subject="RULE", subject_id=7, case=one, now=now) == arm_for(subject="RULE", subject_id=7, case=other, now=now)
    assert Exposure.objects.get().case_id == one.pk


def test_of_two_things_each_case_gets_one(cast, case, now):
    arms = (ArmFacts("First", 0.5, 7), ArmFacts("Second", 0.5, 8))
    make_comparison(facts=facts(arms=arms), viewer=cast.viewer(cast.owner), now=now)
    held = [is_held_out(subject="RULE", subject_id=number, case=case, now=now) for number in (7, 8)]
    assert sorted(held) == [False, True]


def test_all_automatic_replies_may_be_tried_together(cast, case, now):
    arms = (ArmFacts("Automatic", 0.95, 0), ArmFacts("Without", 0.05))
    make_comparison(facts=facts(subject="AUTOMATIC", arms=arms), viewer=cast.viewer(cast.owner), now=now)
    arm = arm_for(subject="AUTOMATIC", subject_id=4711, case=case, now=now)
    assert is_held_out(subject="AUTOMATIC", subject_id=4711, case=case, now=now) is (arm.name == "Without")


def test_what_ended_holds_nobody_back(cast, case, now):
    comparison = make_comparison(facts=facts(), viewer=cast.viewer(cast.analyst), now=now)
    assert list_comparisons(cast.viewer(cast.analyst))[0].exposed == 0
    ended = end_comparison(comparison_id=comparison.pk, viewer=cast.viewer(cast.analyst), now=now)
    assert end_comparison(comparison_id=comparison.pk, viewer=cast.viewer(cast.analyst), now=now).ended_at == ended.ended_at == now
    assert arm_for(subject="RULE", subject_id=7, case=case, now=now) is None
    assert list(AuditEntry.objects.filter(object_type="comparison").order_by("pk").values_list("action", flat=True)) == [
        "comparison.make",
        "comparison.end",
    ]


def test_a_person_is_told_why_a_case_goes_without(cast, case, now):
    without = (ArmFacts("Without", 0.95), ArmFacts("With", 0.05, 7))
    comparison = make_comparison(facts=facts(arms=without, subject="MACRO"), viewer=cast.viewer(cast.owner), now=now)
    Comparison.objects.filter(pk=comparison.pk).update(salt=salt_for(case.pk, 0.95))
    with pytest.raises(NotAllowed, match=r"group “Without” of the comparison “Does it help\?”"):
        check_not_held_out(subject="MACRO", subject_id=7, case=case, now=now)
    assert Exposure.objects.get().arm.name == "Without"


def salt_for(unit_id: int, below: float) -> str:
    return next(str(number) for number in range(100) if place_of(str(number), unit_id) < below)


def test_another_program_asks(cast, case, now):
    arms = (ArmFacts("Voucher", 0.5, 1), ArmFacts("Nothing", 0.5))
    comparison = make_comparison(facts=facts(arms=arms, subject="OTHER"), viewer=cast.viewer(cast.owner), now=now)
    agent = cast.viewer(cast.agent)
    arm = ask_arm(comparison_id=comparison.pk, case=case, viewer=agent, now=now)
    assert ask_arm(comparison_id=comparison.pk, case=case, viewer=agent, now=now) == arm
    with pytest.raises(NotAllowed):
        ask_arm(comparison_id=comparison.pk, case=case, viewer=cast.viewer(cast.analyst), now=now)
    with pytest.raises(InvalidInput, match="does not run"):
        ask_arm(comparison_id=comparison.pk + 1, case=case, viewer=agent, now=now)
    assert Exposure.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"name": " "}, "0 characters"),
        ({"design": "GUESS"}, "offered"),
        ({"planned": 39}, "39 cases are planned"),
        ({"arms": (WITH,)}, "two groups"),
        ({"arms": (WITH, ArmFacts("Without", 0.4))}, "100 %"),
        ({"arms": (ArmFacts("With", 0.97, 7), ArmFacts("Without", 0.03))}, "less than 5 %"),
        ({"arms": (WITH, ArmFacts("Again", 0.5, 7))}, "get the same"),
        ({"subject": "LUCK"}, "what is tried"),
        ({"design": "BEFORE_AFTER"}, "whom the change concerned"),
    ],
)
def test_what_makes_no_sense_is_refused(cast, now, changed, words):
    with pytest.raises(InvalidInput, match=words):
        make_comparison(facts=facts(**changed), viewer=cast.viewer(cast.owner), now=now)
    assert not Comparison.objects.exists() and not AuditEntry.objects.filter(object_type="comparison").exists()


def test_one_thing_is_tried_by_one_comparison_at_a_time(cast, now):
    make_comparison(facts=facts(), viewer=cast.viewer(cast.owner), now=now)
    with pytest.raises(InvalidInput, match="“Does it help\\?” tries this already"):
        make_comparison(facts=facts(name="Again"), viewer=cast.viewer(cast.owner), now=now)
    assert Comparison.objects.count() == 1


def test_agents_and_outsiders_neither_see_nor_make_comparisons(cast, case, now):
    comparison = make_comparison(facts=facts(), viewer=cast.viewer(cast.supervisor), now=now)
    arm_for(subject="RULE", subject_id=7, case=case, now=now)
    for person in (cast.agent, cast.outsider):
        with pytest.raises(NotAllowed):
            list_comparisons(cast.viewer(person))
        with pytest.raises(NotAllowed):
            make_comparison(facts=facts(name="Mine"), viewer=cast.viewer(person), now=now)
        with pytest.raises(NotAllowed):
            end_comparison(comparison_id=comparison.pk, viewer=cast.viewer(person), now=now)
    with pytest.raises(NotFound):
        end_comparison(comparison_id=comparison.pk + 1, viewer=cast.viewer(cast.owner), now=now)
    assert Comparison.objects.get().state == "RUNNING"
    cast.outsider.role = "SUPERVISOR"
    assert list_comparisons(cast.viewer(cast.outsider))[0].exposed == 0
    assert list_comparisons(cast.viewer(cast.supervisor))[0].exposed == 1
