"""The sample house compares two things; in cases that chance made nothing is called a difference."""

import pytest

from careloop.desk.accounts.models import User
from careloop.desk.accounts.queries import viewer_of
from careloop.desk.demo import actions, conversations, reviews
from careloop.desk.experiments.models import Exposure
from careloop.desk.experiments.queries import list_comparisons
from careloop.desk.measures.trials import judge_comparison

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def small_house(monkeypatch, settings, tmp_path):
    """A twentieth of the conversations and reviews."""
    monkeypatch.setattr(conversations, "CONVERSATIONS", 160)
    monkeypatch.setattr(conversations, "WAVES", ())
    monkeypatch.setattr(reviews, "REVIEWS", 20)
    monkeypatch.setattr(reviews, "WAVE_REVIEWS", 5)
    settings.DATA_DIR = tmp_path


def test_the_samples_have_a_comparison_by_lot_and_one_of_before_and_after(now):
    actions.load_samples(now=now)
    viewer = viewer_of(User.objects.get(role="OWNER"))
    by_design = {row.comparison.design: row for row in list_comparisons(viewer)}
    by_lot = judge_comparison(by_design["RANDOMISED"].comparison, viewer, now=now)
    assert by_lot.n == by_design["RANDOMISED"].exposed >= 20 and not by_lot.is_mismatched
    assert {one.verdict for outcome in by_lot.outcomes for one in outcome.contrasts} <= {"TOO_FEW", "NOT_SHOWN"}
    assert all(one.case.opened_at == one.at for one in Exposure.objects.select_related("case"))
    window = judge_comparison(by_design["BEFORE_AFTER"].comparison, viewer, now=now).window
    assert window is not None and window.outcomes[0].outcome == "RESOLVED_IN_24_HOURS"
