"""What is compared asks before it acts: rules, macros, suggested solutions, automatic replies."""

import pytest

from careloop.desk.automation.actions import take_macro
from careloop.desk.automation.judging import judge_new_events
from careloop.desk.automation.models import Firing, Macro, MacroUse, Rule
from careloop.desk.cases.models import Case
from careloop.desk.experiments.actions import ArmFacts, ComparisonFacts, find_held_out, make_comparison
from careloop.desk.experiments.models import Comparison, Exposure
from careloop.desk.experiments.rules import place_of
from careloop.desk.intake.actions import receive_message
from careloop.desk.kernel.errors import NotAllowed, NotFound

pytestmark = pytest.mark.django_db


@pytest.fixture
def compare(cast, now):
    """Compares something; `goes_without` says which way the lot falls for a unit."""

    def make(subject, subject_id, unit_id, *, goes_without):
        arms = (ArmFacts("Without", 0.5), ArmFacts("With", 0.5, subject_id))
        facts = ComparisonFacts("Does it help?", "RANDOMISED", "REOPENED", subject=subject, arms=arms)
        made = make_comparison(facts=facts, viewer=cast.viewer(cast.owner), now=now)
        salt = next(str(number) for number in range(100) if (place_of(str(number), unit_id) < 0.5) is goes_without)
        Comparison.objects.filter(pk=made.pk).update(salt=salt)
        return made

    return make


@pytest.mark.parametrize("goes_without", [True, False])
def test_a_rule_acts_on_its_group_alone(cast, inbound, compare, now, goes_without):
    action = [{"do": "SET_PRIORITY", "value": 40}]
    rule = Rule.objects.create(name="Hurry", events=["OPENED"], condition={"all": []}, actions=action, changed_at=now)
    judge_new_events(now=now)
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    compare("RULE", rule.pk, case.pk, goes_without=goes_without)
    judge_new_events(now=now)
    case.refresh_from_db()
    assert (case.priority == 40) is not goes_without
    assert Firing.objects.get().outcome == ("HELD" if goes_without else "DONE")
    assert Exposure.objects.get().arm.name == ("Without" if goes_without else "With")


@pytest.mark.parametrize("goes_without", [True, False])
def test_a_macro_is_refused_in_the_other_group_and_asking_is_noted(cast, inbound, compare, now, goes_without):
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    macro = Macro.objects.create(name="Sorry", scope="ALL", body="We are sorry.", changed_at=now)
    compare("MACRO", macro.pk, case.pk, goes_without=goes_without)
    with pytest.raises(NotFound):
        take_macro(macro_id=macro.pk, case_id=case.pk, viewer=cast.viewer(cast.outsider), now=now)
    assert not Exposure.objects.exists()
    if goes_without:
        with pytest.raises(NotAllowed, match="goes without it"):
            take_macro(macro_id=macro.pk, case_id=case.pk, viewer=cast.viewer(cast.agent), now=now)
    else:
        assert take_macro(macro_id=macro.pk, case_id=case.pk, viewer=cast.viewer(cast.agent), now=now).text == "We are sorry."
    assert MacroUse.objects.count() == (0 if goes_without else 1)
    assert Exposure.objects.get().arm.name == ("Without" if goes_without else "With")


def test_of_many_offers_only_what_is_tried_asks(cast, inbound, compare, now, django_assert_num_queries):
    case = Case.objects.get(pk=receive_message(inbound(), now=now).case_id)
    with django_assert_num_queries(1):
        assert find_held_out(subject="SOLUTION", subject_ids=[1, 2, 3], case=case, now=now) == set()
    compare("SOLUTION", 2, case.pk, goes_without=True)
    assert find_held_out(subject="SOLUTION", subject_ids=[1, 2, 3], case=case, now=now) == {2}
    assert Exposure.objects.get().arm.name == "Without"
