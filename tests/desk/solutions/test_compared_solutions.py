"""Solutions in a comparison: automatic replies and offers leave out what a case goes without, and note that they asked."""

import pytest

from careloop.desk.cases.models import Case, Message
from careloop.desk.experiments.actions import ArmFacts, ComparisonFacts, make_comparison
from careloop.desk.experiments.models import Comparison, Exposure
from careloop.desk.experiments.rules import place_of
from careloop.desk.intake.actions import receive_message
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.solutions import answering
from careloop.desk.solutions.models import AutomaticReplies
from careloop.desk.solutions.using import offer

pytestmark = pytest.mark.django_db


@pytest.fixture
def compared(cast, inbound, now):
    """A case, and a comparison in which it goes without (or not)."""

    def make(subject, subject_id, *, goes_without):
        message = Message.objects.get(pk=receive_message(inbound(), now=now).message_id)
        arms = (ArmFacts("Without", 0.5), ArmFacts("With", 0.5, subject_id))
        facts = ComparisonFacts("Does it help?", "RANDOMISED", "REOPENED", subject=subject, arms=arms)
        made = make_comparison(facts=facts, viewer=cast.viewer(cast.owner), now=now)
        salt = next(str(number) for number in range(100) if (place_of(str(number), message.case_id) < 0.5) is goes_without)
        Comparison.objects.filter(pk=made.pk).update(salt=salt)
        return message

    return make


@pytest.mark.parametrize("goes_without", [True, False])
def test_automatic_replies_go_to_their_group_alone(compared, leak, now, goes_without):
    AutomaticReplies.objects.create(pk=1, is_on=True, threshold=0.9, promise=0.95)
    message = compared("AUTOMATIC", 0, goes_without=goes_without)
    assert answering.answer(message=message, solution_id=leak.pk, probability=0.5, now=now) is False
    assert not Exposure.objects.exists()  # it would not have been sent anyway
    assert answering.answer(message=message, solution_id=leak.pk, probability=0.99, now=now) is not goes_without
    assert OutboxItem.objects.exists() is not goes_without
    assert Exposure.objects.get().arm.name == ("Without" if goes_without else "With")


@pytest.mark.parametrize("goes_without", [True, False])
def test_offers_leave_out_what_a_case_goes_without(compared, cast, leak, now, goes_without):
    message = compared("SOLUTION", leak.pk, goes_without=goes_without)
    case = Case.objects.get(pk=message.case_id)
    by_analyst = offer(case_id=case.pk, viewer=cast.viewer(cast.analyst), now=now, query="漏水")
    assert [one.row.solution.pk for one in by_analyst.offers] == [leak.pk] and not Exposure.objects.exists()
    found = offer(case_id=case.pk, viewer=cast.viewer(cast.agent), now=now, query="漏水")
    assert [one.row.solution.pk for one in found.offers] == ([] if goes_without else [leak.pk])
    assert Exposure.objects.get().arm.name == ("Without" if goes_without else "With")
