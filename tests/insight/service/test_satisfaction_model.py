"""The model for those who did not answer: measured on answers it did not see, calibrated, stored as numbers, abstaining."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from careloop.insight.errors import InputError, ModelError
from careloop.insight.service.boosting import list_candidates
from careloop.insight.service.satisfaction_model import SatisfactionModel, learn_satisfaction, measure_quality


def draw(n, *, seed=1):
    rng = np.random.default_rng(seed)
    sentiment, hours = rng.beta(2, 2, n), rng.exponential(4, n)
    reopened, kind = rng.random(n) < 0.15, rng.choice(["question", "complaint", "refund"], n)
    odds = -1.2 + 3.5 * (0.5 - sentiment) + 0.9 * (hours > 6) + 1.6 * reopened + 0.8 * (kind == "complaint")
    table = {
        "sentiment": [None if place % 9 == 0 else float(one) for place, one in enumerate(sentiment)],
        "hours": hours.tolist(),
        "reopened": reopened.tolist(),
        "kind": kind.tolist(),
    }
    return table, rng.random(n) < expit(odds), expit(odds)


@pytest.fixture(scope="module")
def model():
    table, answers, _ = draw(700)
    return learn_satisfaction(table, answers)


def test_the_reported_quality_is_that_on_cases_it_never_saw(model):
    table, answers, true = draw(20_000, seed=2)
    chances, abstained = model.estimate(table)
    reached, best = roc_auc_score(answers, chances), roc_auc_score(answers, true)
    assert model.quality.auc_low <= reached <= model.quality.auc_high
    assert best - reached < 0.04  # a ninth of the sentiments is not known
    assert measure_quality(chances, answers).calibration_error < 0.03
    assert not abstained.any()
    assert (model.quality.n, len(model.chosen)) == (700, 5)
    assert model.quality.is_useful


def test_the_mean_estimate_for_the_silent_is_their_share(model):
    table, answers, _ = draw(20_000, seed=3)
    assert model.estimate(table)[0].mean() == pytest.approx(answers.mean(), abs=0.03)


def test_it_comes_back_from_a_folder(model, tmp_path):
    model.write(tmp_path / "satisfaction")
    again = SatisfactionModel.read(tmp_path / "satisfaction")
    table = draw(50, seed=4)[0]
    assert again.estimate(table)[0].tolist() == model.estimate(table)[0].tolist()
    assert (again.quality, again.algorithm, again.chosen) == (model.quality, model.algorithm, model.chosen)


def test_damaged_and_foreign_models_are_refused(model, tmp_path):
    with pytest.raises(ModelError, match="no model of satisfaction"):
        SatisfactionModel.read(tmp_path)
    (tmp_path / "satisfaction.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match="damaged"):
        SatisfactionModel.read(tmp_path)
    stored = json.loads(json.dumps(model.to_json()))
    with pytest.raises(ModelError, match="format 7"):
        SatisfactionModel.from_json(stored | {"format": 7})
    del stored["slope"]
    with pytest.raises(ModelError, match="lacks a part"):
        SatisfactionModel.from_json(stored)


def test_trees_as_numbers_score_as_scikit_learn_does():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 3))
    answers = rng.random(400) < expit(features[:, 0] * features[:, 1])
    scorer = list_candidates()["40 boosted trees of depth 3"](features, answers)
    theirs = GradientBoostingClassifier(
        n_estimators=40, max_depth=3, learning_rate=0.1, min_samples_leaf=15, subsample=0.7, random_state=0
    ).fit(features, answers)
    assert scorer.score(features) == pytest.approx(theirs.decision_function(features), abs=1e-9)


def test_it_abstains_where_little_is_known(model):
    table = {"sentiment": [None, 0.2], "hours": [None, 3.0], "reopened": [None, None], "kind": ["complaint", "question"]}
    assert model.estimate(table)[1].tolist() == [True, False]


def test_it_abstains_altogether_when_it_knows_no_more_than_the_average(model):
    rng = np.random.default_rng(5)
    guessing = replace(model, quality=measure_quality(rng.random(300), rng.random(300) < 0.4))
    assert not guessing.quality.is_useful
    assert guessing.estimate(draw(5)[0])[1].tolist() == [True] * 5


def test_quality_is_that_of_the_textbook():
    chances, answers = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    found = measure_quality(chances, answers)
    assert found.auc == 0.75
    assert found.brier == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4)
    assert found.base_brier == 0.25


def test_too_few_answers_are_told():
    table, answers, _ = draw(199)
    with pytest.raises(InputError, match=r"199 answers, .* are not enough data"):
        learn_satisfaction(table, answers)
    table, _, _ = draw(300)
    with pytest.raises(InputError, match="300 answers, 0 of them dissatisfied"):
        learn_satisfaction(table, np.zeros(300, dtype=bool))
    with pytest.raises(InputError, match="give one for each"):
        learn_satisfaction(table, np.zeros(299, dtype=bool))
