"""The sample house asked its customers: rows that the rules of asking allow, answers with the texts that came in."""

from datetime import timedelta

import pytest

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import viewer_of
from careloop.desk.demo import actions, conversations, reviews
from careloop.desk.purchases.models import Purchase
from careloop.desk.surveys.models import Answer, Invitation
from careloop.desk.surveys.queries import get_setting, results_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_house(monkeypatch, settings, tmp_path):
    """A twentieth of the conversations and reviews."""
    monkeypatch.setattr(conversations, "CONVERSATIONS", 160)
    monkeypatch.setattr(conversations, "WAVES", ())
    monkeypatch.setattr(reviews, "REVIEWS", 20)
    monkeypatch.setattr(reviews, "WAVE_REVIEWS", 5)
    settings.DATA_DIR = tmp_path


def test_the_samples_have_a_satisfaction_survey_with_believable_answers(now):
    actions.load_samples(now=now)
    survey = Invitation.objects.first().survey
    found = results_of(survey, viewer_of(User.objects.get(role="OWNER")))
    counts = found.counts
    assert counts.invited >= 60 and counts.asked >= 40
    assert counts.invited == counts.planned + counts.asked + counts.skipped + counts.failed
    assert 0.2 < counts.rate.share < 0.6
    assert 3.2 < found.mean.average < 4.6
    assert len(found.latest) >= 3
    last: dict[int, object] = {}
    for one in Invitation.objects.exclude(sent_at=None).order_by("sent_at"):
        assert one.case.resolved_at + timedelta(hours=1) <= one.sent_at <= now
        if one.customer_id in last:
            assert one.sent_at - last[one.customer_id] >= timedelta(days=get_setting().pause_days)
        last[one.customer_id] = one.sent_at
    for answer in Answer.objects.select_related("invitation", "message"):
        assert answer.invitation.sent_at <= answer.answered_at <= now and answer.invitation.state == "ANSWERED"
        assert answer.message is None or answer.message.feedback.rating == answer.score
        assert answer.invitation.case.events.filter(kind="SURVEY", after__answer=answer.pk).count() == 1


def test_the_samples_customers_bought_before_and_after_their_cases(now):
    actions.load_samples(now=now)
    bought = Purchase.objects.order_by("pk")
    assert bought.count() >= 300
    assert all(one.bought_at < now and one.amount_minor > 0 and one.products for one in bought)
    assert {one.team.name for one in bought.select_related("team")} == {"售后 After-sales", "旅行 Travel"}
    assert len({one.order_number for one in bought}) == bought.count()
