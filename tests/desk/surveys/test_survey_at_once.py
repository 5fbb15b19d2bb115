"""Whoever clicks, plans or sends at the same moment: one answer, one invitation, one mail."""

import threading

import pytest
from django.db import connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careloop.desk.cases.models import CaseEvent, Message
from careloop.desk.feedback.models import Feedback
from careloop.desk.outbox.models import OutboxItem
from careloop.desk.surveys import inviting
from careloop.desk.surveys.answering import record_answer
from careloop.desk.surveys.models import Answer, EarlierAnswer, Invitation
from tests.desk.surveys.conftest import HOUR


def at_once(*calls) -> list:
    """Run calls in threads that begin together; errors are given back, not raised."""
    gate, found = threading.Barrier(len(calls)), [None] * len(calls)

    def run(place, call):
        gate.wait()
        try:
            found[place] = call()
        except Exception as error:
            found[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=entry) for entry in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(clicks=st.lists(st.tuples(st.integers(1, 5), st.booleans(), st.sampled_from(["", "很快", "太慢"])), min_size=1, max_size=8))
def test_any_order_of_clicks_and_forms_leaves_one_answer_that_is_the_last(asked, now, clicks):
    """Every interleaving of transactions that lock the invitation is some order of them."""
    with transaction.atomic():
        invitation = asked(bad_at_most=2)
        stands: dict = {}
        changes = 0
        for score, is_click, why in clicks:
            wanted = {**(stands if is_click else {}), "score": score, **({"why": why} if why and not is_click else {})}
            changes += bool(stands) and wanted != stands
            record_answer(
                invitation_id=invitation.pk, given={"score": score, "why": "" if is_click else why}, now=now + HOUR, is_click=is_click
            )
            stands = wanted
        answer = Answer.objects.get()
        assert (answer.answers, answer.score, EarlierAnswer.objects.count()) == (stands, stands["score"], changes)
        assert Feedback.objects.count() == bool(stands.get("why"))
        assert CaseEvent.objects.filter(kind="SURVEY").count() == changes + 1
        assert CaseEvent.objects.filter(kind="STATUS", after__status="OPEN").count() <= 1
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_clicks_in_the_same_moment_are_one_answer(asked, now):
    invitation = asked(bad_at_most=2)

    def click(score):
        return lambda: record_answer(invitation_id=invitation.pk, given={"score": score}, now=now + HOUR)

    found = at_once(*map(click, (1, 1, 2, 5)))
    assert [one for one in found if isinstance(one, Exception)] == []
    assert Answer.objects.count() == 1
    told = CaseEvent.objects.filter(kind="SURVEY").order_by("pk")
    assert told.last().after["rating"] == Answer.objects.get().score
    assert EarlierAnswer.objects.count() == told.count() - 1
    assert CaseEvent.objects.filter(kind="STATUS", after__status="OPEN").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_send_one_mail(make_survey, make_case, resolve, now):
    make_survey()
    case = make_case()
    inviting.follow_events(now=now)
    resolve(case, now)
    at_once(*[lambda: inviting.follow_events(now=now)] * 2)
    assert Invitation.objects.count() == 1
    assert sum(at_once(*[lambda: inviting.send_due(now=now + HOUR)] * 3)) == 1
    assert (OutboxItem.objects.count(), Message.objects.filter(direction="OUTBOUND").count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_surveys_for_one_customer_in_the_same_moment_are_one_mail(make_survey, make_case, now):
    surveys = [make_survey(name=name, sent_when="HAND") for name in ("One", "Two", "Three")]
    case = make_case()
    made = [inviting.plan(survey=survey, case=case, origin="AUTOMATION", key=survey.name, now=now) for survey in surveys]
    found = at_once(*[lambda one=one: inviting.send(one.pk, now=now) for one in made])
    assert sorted(found) == [False, False, True]
    assert sorted(Invitation.objects.values_list("state", "reason")) == [("SENT", ""), ("SKIPPED", "TOO_SOON"), ("SKIPPED", "TOO_SOON")]
    assert OutboxItem.objects.count() == 1
