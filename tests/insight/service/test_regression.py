"""Regression against statsmodels 0.15.0 (OLS and WLS with HC3 and t; Logit), and what is refused."""

from dataclasses import astuple

import numpy as np
import pytest
from scipy.special import stdtrit

from careloop.insight.errors import InputError
from careloop.insight.stats.regression import fit_linear, fit_logistic, list_redundant

NAMES = ["wait", "touches", "late"]
PLACES = np.arange(60)
COLUMNS = np.column_stack([np.sin(PLACES) * 3, (PLACES * 7) % 11, (PLACES % 4 == 0) * 1.0])
SCORES = 2 + 0.5 * COLUMNS[:, 0] - 0.3 * COLUMNS[:, 1] + 1.2 * COLUMNS[:, 2] + np.cos(PLACES * 1.7) * (1 + 0.2 * COLUMNS[:, 1])
ANSWERS = COLUMNS[:, 0] * 0.4 - 0.2 * COLUMNS[:, 1] + COLUMNS[:, 2] + 2 * np.cos(PLACES * 2.3) > -0.5


def near(expected):
    return pytest.approx(expected, rel=1e-9)


def test_least_squares_with_robust_errors_is_that_of_statsmodels():
    fit = fit_linear(COLUMNS, SCORES, names=NAMES)
    assert [term.name for term in fit.terms] == ["intercept", *NAMES]
    assert [term.estimate for term in fit.terms] == near([2.401687763077, 0.496846057363, -0.414199255774, 1.445306269386])
    assert [term.error for term in fit.terms] == near([0.270145310522, 0.084859234968, 0.049072639641, 0.43690685769])
    assert [term.low for term in fit.terms] == near([1.860521677033, 0.326852582505, -0.512503565685, 0.570076661718])
    assert [term.high for term in fit.terms] == near([2.942853849121, 0.666839532221, -0.315894945863, 2.320535877054])
    assert [term.p_value for term in fit.terms] == near([2.713429395567e-12, 2.614189406468e-07, 1.464541746825e-11, 1.645590207383e-03])
    assert (fit.explained_ratio, fit.n) == (near(0.631324173375367), 60)


def test_weighted_least_squares_is_that_of_statsmodels():
    fit = fit_linear(COLUMNS, SCORES, names=NAMES, weights=1 + PLACES % 3)
    assert [term.estimate for term in fit.terms] == near([2.440433735485, 0.509770016642, -0.417541694683, 1.333579131974])
    assert [term.error for term in fit.terms] == near([0.32259104132, 0.10079602987, 0.055880590158, 0.498081383613])
    assert fit.explained_ratio == near(0.6404100253300953)


def test_errors_by_cluster_are_those_of_leaving_each_cluster_out():
    weights, clusters = 1.0 + PLACES % 3, np.char.add("customer ", (PLACES**2 % 23).astype(str))
    fit = fit_linear(COLUMNS, SCORES, names=NAMES, weights=weights, clusters=clusters)
    roots, design = np.sqrt(weights), np.column_stack([np.ones(60), COLUMNS])

    def estimates(kept):
        return np.linalg.lstsq(design[kept] * roots[kept, None], SCORES[kept] * roots[kept], rcond=None)[0]

    whole, names = estimates(PLACES >= 0), np.unique(clusters)
    moved = np.array([estimates(clusters != name) - whole for name in names])
    assert fit.covariance == near(moved.T @ moved)
    assert fit.estimates == near(whole)
    half = stdtrit(len(names) - 1, 0.975) * fit["wait"].error
    assert (fit["wait"].low, fit["wait"].high) == (near(fit["wait"].estimate - half), near(fit["wait"].estimate + half))


def test_a_cluster_a_row_is_as_without_clusters_and_repeated_answers_add_nothing():
    alone = fit_linear(COLUMNS, SCORES, names=NAMES, clusters=PLACES[::-1])
    plain = fit_linear(COLUMNS, SCORES, names=NAMES)
    for term, other in zip(alone.terms, plain.terms, strict=True):
        assert astuple(term)[1:-1] == near(astuple(other)[1:-1])
    thrice = fit_linear(np.tile(COLUMNS, (3, 1)), np.tile(SCORES, 3), names=NAMES, clusters=np.tile(PLACES, 3))
    assert thrice.covariance == near(alone.covariance)


def test_clusters_that_do_not_fit_or_decide_a_term_are_refused():
    with pytest.raises(InputError, match="do not fit 60 rows"):
        fit_linear(COLUMNS, SCORES, names=NAMES, clusters=PLACES[1:])
    with pytest.raises(InputError, match="3 clusters cannot tell"):
        fit_linear(COLUMNS, SCORES, names=NAMES, clusters=PLACES % 3)
    with pytest.raises(InputError, match="Cluster 0 alone decides"):
        fit_linear(COLUMNS, SCORES, names=NAMES, clusters=PLACES % 4)


def test_logistic_regression_is_that_of_statsmodels():
    fit = fit_logistic(COLUMNS, ANSWERS, names=NAMES)
    assert [term.estimate for term in fit.terms] == near([2.684300713949, 0.492584753594, -0.730890101612, 2.419831049077])
    assert [term.error for term in fit.terms] == near([0.871741822086, 0.206452110958, 0.192071126511, 1.058471553642])
    assert [term.low for term in fit.terms] == near([0.975718138844, 0.087946051583, -1.107342592043, 0.345264925278])
    assert [term.high for term in fit.terms] == near([4.392883289055, 0.897223455604, -0.354437611181, 4.494397172876])
    assert [term.p_value for term in fit.terms] == pytest.approx([0.002075306835, 0.017034990789, 0.000141626926, 0.022245136266], rel=1e-8)
    assert (fit.log_likelihood, fit.explained_ratio) == (near(-22.354356564308464), near(0.4585792837703677))
    assert fit["wait"].estimate == fit.terms[1].estimate


def test_one_yes_or_no_column_gives_the_odds_ratio_of_the_fourfold_table():
    late = np.repeat([0.0, 1.0], [30, 20])
    unhappy = np.concatenate([np.arange(30) < 6, np.arange(20) < 12])
    fit = fit_logistic(late[:, None], unhappy, names=["late"])
    assert fit["late"].estimate == near(np.log((12 / 8) / (6 / 24)))
    assert fit["late"].error == near(np.sqrt(1 / 12 + 1 / 8 + 1 / 6 + 1 / 24))


def test_what_it_foretells_is_the_linear_predictor():
    fit = fit_linear([[0], [1], [2], [3]], [1, 3, 4, 8], names=["hours"])
    assert fit.foretell([[10.0]]) == pytest.approx([22.7])


def test_columns_that_separate_the_answers_are_named_and_a_ridge_keeps_them_finite():
    sure = (PLACES < 15) * 1.0
    answers = np.where(sure > 0, True, ANSWERS)
    columns = np.column_stack([COLUMNS, sure])
    with pytest.raises(InputError, match="sure tell some answers apart without error"):
        fit_logistic(columns, answers, names=[*NAMES, "sure"])
    fit = fit_logistic(columns, answers, names=[*NAMES, "sure"], ridge=0.1)
    assert 0 < fit["sure"].estimate < 10
    perfect = fit_logistic(PLACES[:, None] / 60, PLACES >= 30, names=["place"], ridge=1e-6)
    assert perfect.separated == ("place",)


def test_a_ridge_shrinks():
    plain, shrunken = (fit_logistic(COLUMNS, ANSWERS, names=NAMES, ridge=ridge) for ridge in (0.0, 10.0))
    assert np.linalg.norm(shrunken.estimates[1:]) < 0.7 * np.linalg.norm(plain.estimates[1:])
    assert shrunken.separated == ()


def test_columns_that_follow_from_others_are_named():
    columns = np.column_stack([COLUMNS, COLUMNS[:, 0] - 2 * COLUMNS[:, 2], np.full(60, 3.0)])
    names = [*NAMES, "mixture", "constant"]
    assert list_redundant(columns, names) == ("mixture", "constant")
    with pytest.raises(InputError, match="mixture, constant follow from the columns before them"):
        fit_linear(columns, SCORES, names=names)


@pytest.mark.parametrize(
    ("columns", "outcome", "message"),
    [
        (COLUMNS, SCORES[:-1], "do not fit together"),
        (COLUMNS[:4], SCORES[:4], "4 rows cannot tell 4 terms apart"),
        (np.where(COLUMNS == 0, np.nan, COLUMNS), SCORES, "missing or not finite"),
        (np.column_stack([COLUMNS[:, :2], PLACES == 7]), SCORES, "Row 8 alone decides a term"),
    ],
)
def test_rows_that_cannot_be_used_are_refused(columns, outcome, message):
    with pytest.raises(InputError, match=message):
        fit_linear(columns, outcome, names=NAMES)


def test_one_answer_for_all_is_refused():
    with pytest.raises(InputError, match="needs both"):
        fit_logistic(COLUMNS, np.ones(60, dtype=bool), names=NAMES)


def test_the_interval_holds_what_it_promises_though_rows_scatter_unequally():
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(400):
        wait = rng.uniform(0, 6, 60)  # 6,000 draws of skewed waits: 91.3 % of 60 rows, 93.4 % of 200
        score = 1 + 0.5 * wait + rng.normal(0, 0.3 + 0.5 * wait)
        term = fit_linear(wait[:, None], score, names=["wait"])["wait"]
        hits += term.low <= 0.5 <= term.high
    assert 0.93 <= hits / 400 <= 0.97
