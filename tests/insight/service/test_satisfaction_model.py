"""The model for those who did not answer: measured on answers it did not see, calibrated, taken apart, stored as numbers, abstaining."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

from careloop.insight.errors import InputError, ModelError
from careloop.insight.service.additive import CANDIDATES, Curves
from careloop.insight.service.calibrator import choose_calibrator
from careloop.insight.service.estimate_quality import measure_quality
from careloop.insight.service.satisfaction_model import SatisfactionModel, deal_folds, learn_satisfaction
from tests.insight.service.silent_customers import draw_cases, simulate_share


@pytest.fixture(scope="module")
def learnt():
    table, answers, _ = draw_cases(700)
    return learn_satisfaction(table, answers, times=np.arange(700))


@pytest.fixture(scope="module")
def model(learnt):
    return learnt.model


def test_the_reported_quality_is_that_on_cases_it_never_saw(model):
    table, answers, true = draw_cases(20_000, seed=2)
    chances, abstained = model.estimate(table)
    reached, best = roc_auc_score(answers, chances), roc_auc_score(answers, true)
    assert model.quality.auc_low <= reached <= model.quality.auc_high
    assert best - reached < 0.04  # a ninth of the sentiments is not known
    assert measure_quality(chances, answers).calibration.corrected < 0.03
    assert model.quality.calibration.low <= 0.03
    assert not abstained.any()
    assert (model.quality.n, len(model.chosen)) == (700, 5)
    assert model.quality.is_useful


def test_it_is_tried_on_the_newest_fifth(learnt):
    assert learnt.model.newest.n == 140
    assert 0.6 < learnt.model.newest.auc < 0.95
    table, answers, _ = draw_cases(700)
    assert learn_satisfaction(table, answers).model.newest is None


def test_the_mean_estimate_is_the_share(model):
    table, answers, _ = draw_cases(20_000, seed=3)
    assert model.estimate(table)[0].mean() == pytest.approx(answers.mean(), abs=0.03)


def test_an_estimate_is_the_sum_of_its_parts(model):
    table, _, _ = draw_cases(50, seed=4)
    parts = model.contributions(table)
    assert set(parts) == {"sentiment", "hours", "reopened", "kind"}
    middle = model.weights[0] + float(np.dot(model.middles, model.weights[1:]))
    assert model.calibrator.apply(middle + sum(parts.values())) == pytest.approx(model.estimate(table)[0], abs=1e-12)
    assert parts["reopened"][np.array(table["reopened"])].min() > 0 > parts["reopened"][~np.array(table["reopened"])].max()


def test_customers_are_not_learnt_from_and_held_back_at_once():
    rng = np.random.default_rng(6)
    customers = rng.integers(0, 120, 600)
    whims = rng.random(120) < 0.5  # how a customer answers is their own; nothing in the case tells it
    table = {"name": [str(one) for one in customers], "noise": rng.normal(size=600).tolist()}
    apart = learn_satisfaction(table, whims[customers], customers=customers).model.quality
    assert 0.3 < apart.auc < 0.65  # with a customer in both parts, names alone would reach more than 0.9
    answers = rng.random(600) < 0.3
    folds = deal_folds(answers, customers, 5, 0)
    assert sorted(np.concatenate([outside for _, outside in folds]).tolist()) == list(range(600))
    for inside, outside in folds:
        assert not set(customers[inside]) & set(customers[outside])
        assert abs(answers[outside].mean() - answers.mean()) < 0.03


def test_it_comes_back_from_a_folder(model, tmp_path):
    model.write(tmp_path / "satisfaction")
    again = SatisfactionModel.read(tmp_path / "satisfaction")
    table = draw_cases(50, seed=4)[0]
    assert again.estimate(table)[0].tolist() == model.estimate(table)[0].tolist()
    assert again == model


def test_damaged_and_foreign_models_are_refused(model, tmp_path):
    with pytest.raises(ModelError, match="no model of satisfaction"):
        SatisfactionModel.read(tmp_path)
    (tmp_path / "satisfaction.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match="damaged"):
        SatisfactionModel.read(tmp_path)
    stored = json.loads(json.dumps(model.to_json()))
    with pytest.raises(ModelError, match="format 7"):
        SatisfactionModel.from_json(stored | {"format": 7})
    with pytest.raises(ModelError, match="Stored curves lack a part"):
        SatisfactionModel.from_json(stored | {"curves": {}})
    del stored["weights"]
    with pytest.raises(ModelError, match="lacks a part"):
        SatisfactionModel.from_json(stored)


def test_weights_are_those_of_scikit_learn_and_a_straight_model_has_no_bends():
    table, answers, _ = draw_cases(400)
    curves = Curves.learn(table, least_count=10)
    features = curves.apply(table)
    straight, bent = (CANDIDATES[place].learn(features, answers, curves.n_straight) for place in (1, 4))
    theirs = LogisticRegression(C=0.1, tol=1e-10, max_iter=1_000).fit(features[:, : curves.n_straight], answers)
    assert straight[: curves.n_straight + 1] == pytest.approx(np.concatenate([theirs.intercept_, theirs.coef_[0]]), abs=1e-4)
    assert not straight[curves.n_straight + 1 :].any()
    assert bent[curves.n_straight + 1 :].any()
    assert curves.bends["sentiment"] == pytest.approx(np.quantile(features[:, 0], [0.25, 0.5, 0.75]))


def test_long_tails_count_by_their_logarithm():
    hours = [1.0] * 9 + [100.0]
    curves = Curves.learn({"hours": [*hours, None], "late": [True, *[False] * 10]}, least_count=1)
    assert curves.tails == {"hours": 1.0}
    column = curves.apply({"hours": [1.0, 3.0, None], "late": [None] * 3})[:, 0]
    assert column[0] == column[2] == 0.0
    assert column[1] == pytest.approx(np.log(2) / np.std(np.log1p(hours)))


@pytest.mark.parametrize(("kind", "slope"), [("Platt", 2.0), ("as is", 1.0), ("average", 0.0)])
def test_the_calibration_is_that_which_comes_true(kind, slope):
    rng = np.random.default_rng(3)
    scores = rng.normal(-1, 1, 6_000)
    answers = rng.random(6_000) < expit(slope * scores)
    chances = choose_calibrator(scores, answers, deal_folds(answers, np.arange(6_000), 3, 0)).apply(scores)
    assert np.abs(chances - expit(slope * scores)).mean() < 0.02, kind


def test_scores_that_point_the_wrong_way_tell_nothing():
    rng = np.random.default_rng(4)
    scores = rng.normal(0, 1, 800)
    answers = rng.random(800) < expit(-scores)
    found = choose_calibrator(scores, answers, deal_folds(answers, np.arange(800), 3, 0))
    assert found.kind == "average"
    assert found.apply(scores) == pytest.approx(np.full(800, answers.mean()))
    assert choose_calibrator(np.zeros(800), answers, []).numbers == (pytest.approx(logit(answers.mean())),)


def test_it_abstains_where_little_is_known(model):
    table = {"sentiment": [None, 0.2], "hours": [None, 3.0], "reopened": [None, None], "kind": ["complaint", "question"]}
    assert model.estimate(table)[1].tolist() == [True, False]


def test_it_abstains_altogether_when_it_knows_no_more_than_the_average(model):
    rng = np.random.default_rng(5)
    guessing = replace(model, quality=measure_quality(rng.random(300), rng.random(300) < 0.4))
    assert not guessing.quality.is_useful
    assert guessing.estimate(draw_cases(5)[0])[1].tolist() == [True] * 5


def test_quality_is_that_of_the_textbook():
    chances, answers = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
    found = measure_quality(chances, answers)
    assert found.auc == roc_auc_score(answers, chances) == 0.75
    assert found.brier == pytest.approx(brier_score_loss(answers, chances))
    assert found.base_brier == 0.25


def test_too_few_answers_and_one_answer_from_all_are_told():
    table, answers, _ = draw_cases(199)
    with pytest.raises(InputError, match=r"199 answers, .* are not enough data"):
        learn_satisfaction(table, answers)
    table, _, _ = draw_cases(300)
    with pytest.raises(InputError, match="300 answers, 0 of them dissatisfied"):
        learn_satisfaction(table, np.zeros(300, dtype=bool))
    with pytest.raises(InputError, match="300 answers, 300 of them dissatisfied"):
        learn_satisfaction(table, np.ones(300, dtype=bool))
    with pytest.raises(InputError, match="give one for each"):
        learn_satisfaction(table, np.zeros(299, dtype=bool))
    with pytest.raises(InputError, match="give one for each"):
        learn_satisfaction(table, np.arange(300) < 90, customers=[1, 2])


# the whole procedure, learning included: python -m tests.insight.service.silent_customers
def test_the_interval_of_the_silents_share_holds_the_truth(learnt):
    told = simulate_share(learnt.model, draws=100)
    assert 0.93 <= told.coverage <= 0.98  # of 100 draws
    assert told.plain_bias < -0.05  # the dissatisfied are silent
    assert abs(told.weighted_bias) < 0.02
