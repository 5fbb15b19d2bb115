"""Times of groups and what shortens them, against lifelines 0.30.3 and statsmodels 0.15.0 (Cox: Efron's ties)."""

import numpy as np
import pytest

from careloop.insight.errors import InputError
from careloop.insight.stats import fit_survival
from careloop.insight.stats.cox import fit_cox, measure_concordance
from careloop.insight.stats.intervals import median_interval
from careloop.insight.stats.survival import compare_survival
from tests.insight.stats.helpdesk import needs_events, read_cases
from tests.insight.stats.test_intervals import PLACEBO
from tests.insight.test_survival import ENDED, WEEKS

BOTH, OVER, ARM = WEEKS + PLACEBO, ENDED + [1] * 21, [0] * 21 + [1] * 21


def test_log_rank_of_two_and_three_groups():
    found = compare_survival([(WEEKS, ENDED), (PLACEBO, [1] * 21)])  # lifelines multivariate_logrank_test
    assert (found.statistic, found.p, found.freedom) == (pytest.approx(16.792940989216547), pytest.approx(4.168809109334511e-05), 1)
    assert found.observed.tolist() == [9, 21]
    assert [round(float(one), 2) for one in found.expected] == [19.25, 10.75]  # Freireich et al. 1963, as in Collett's textbook
    three = compare_survival([(WEEKS[:10], ENDED[:10]), (WEEKS[10:], ENDED[10:]), (PLACEBO, [1] * 21)])
    assert (three.statistic, three.p, three.freedom) == (pytest.approx(23.39971441204407), pytest.approx(8.295003552747868e-06), 2)


def test_an_empty_group_or_one_that_ends_later_takes_no_part():
    with_empty = compare_survival([(WEEKS, ENDED), ([], []), (PLACEBO, [1] * 21)])
    assert (with_empty.statistic, with_empty.freedom) == (pytest.approx(16.792940989216547), 1)
    same = compare_survival([([3, 3], [True, True]), ([3, 3], [True, True])])
    assert (same.statistic, same.p) == (0.0, 1.0)


def test_nothing_to_compare_is_refused():
    with pytest.raises(InputError, match="1 groups with 2 endings"):
        compare_survival([([1, 2], [True, True]), ([], [])])
    with pytest.raises(InputError, match="2 groups with 0 endings"):
        compare_survival([([1, 2], [False, False]), ([4], [False])])
    with pytest.raises(InputError, match="at least two groups"):
        compare_survival([])


def test_restricted_mean_without_open_ends_is_the_mean_of_what_was_cut_off():
    times = np.random.default_rng(5).exponential(5, 300)
    middle, low, high = fit_survival(times, np.ones(300, dtype=bool)).restricted_mean(8)
    cut = np.minimum(times, 8)
    assert middle == pytest.approx(cut.mean(), abs=1e-12)
    assert (high - low) / 2 / 1.959963984540054 == pytest.approx(cut.std() / np.sqrt(300), abs=1e-12)  # Greenwood's identity
    assert fit_survival([], []).restricted_mean(3) == (3.0, 3.0, 3.0)


def test_cox_of_the_textbook():
    model = fit_cox(BOTH, OVER, ARM, names=["placebo"])  # statsmodels PHReg; lifelines agrees to 3e-7
    assert model.coefficients[0] == pytest.approx(1.5721251488290666, abs=1e-9)
    assert model.errors[0] == pytest.approx(0.4123967177094555, abs=1e-9)
    assert model.log_likelihood == pytest.approx(-85.00842457737184, abs=1e-9)
    assert model.likelihood_ratio_p == pytest.approx(5.260920532887936e-05, rel=1e-9)
    assert np.log(model.intervals())[0] == pytest.approx([0.7638424347760023, 2.380407862882131], abs=1e-9)
    assert model.concordance == pytest.approx(0.6900420757363254, abs=1e-12)
    assert model.proportionality_p[0] == pytest.approx(0.87230153, abs=1e-6)  # lifelines proportional_hazard_test on mean ranks
    assert (model.n, model.n_ended, model.names) == (42, 30, ("placebo",))
    quick = fit_cox(BOTH, OVER, ARM, is_checked=False)
    assert quick.coefficients[0] == model.coefficients[0] and np.isnan(quick.concordance) and np.isnan(quick.proportionality_p).all()


def test_cox_does_not_depend_on_the_order_of_rows_or_on_scales():
    rng = np.random.default_rng(2)
    columns = rng.normal(size=(200, 2))
    times = np.ceil(rng.exponential(6, 200) / np.exp(0.5 * columns[:, 0]))
    ended, mixed = rng.random(200) < 0.8, rng.permutation(200)
    one, other = fit_cox(times, ended, columns), fit_cox(times[mixed], ended[mixed], columns[mixed] * [1000, 0.01] + 7)
    assert other.coefficients * [1000, 0.01] == pytest.approx(one.coefficients, abs=1e-10)
    assert other.errors * [1000, 0.01] == pytest.approx(one.errors, abs=1e-10)
    assert other.proportionality_p == pytest.approx(one.proportionality_p, abs=1e-10)


def test_cox_refuses_what_it_cannot_know():
    times, ended = np.arange(1.0, 41), np.ones(40, dtype=bool)
    column = np.tile([0.0, 1.0], 20)
    with pytest.raises(InputError, match="Only 4 have ended, too few for 1 columns; at least 5"):
        fit_cox(times, times <= 4, column)
    with pytest.raises(InputError, match="“fast” separates"):
        fit_cox(times, times <= 20, (times <= 20).astype(float), names=["fast"])
    with pytest.raises(InputError, match="“b” has the same value"):
        fit_cox(times, ended, np.column_stack([column, np.ones(40)]), names=["a", "b"])
    with pytest.raises(InputError, match="follows from the others"):
        fit_cox(times, ended, np.column_stack([column, 1 - column]))
    with pytest.raises(InputError, match="not finite"):
        fit_cox(times, ended, np.where(column > 0, np.nan, 1))
    with pytest.raises(InputError, match="do not fit together"):
        fit_cox(times, ended[1:], column)


def test_concordance_counts_as_brute_force_does():
    rng = np.random.default_rng(4)
    for n in (1, 2, 3, 17, 40):
        times, ended, risks = rng.integers(1, 9, n), rng.random(n) < 0.6, rng.integers(0, 5, n)
        score = pairs = 0.0
        for i in range(n):
            for j in range(n):
                if ended[i] and (times[j] > times[i] or (times[j] == times[i] and not ended[j])):
                    pairs += 1
                    score += (risks[i] > risks[j]) + 0.5 * (risks[i] == risks[j])
        assert measure_concordance(times, ended, risks) == pytest.approx(score / pairs if pairs else 0.5, abs=1e-12)


@needs_events
def test_real_times_equal_the_other_implementations():
    days, ended, columns = read_cases()
    curve = fit_survival(days, ended)
    assert [curve.at(day) for day in (1, 7, 30)] == pytest.approx([0.703921770644953, 0.4370661521745257, 0.08842463231289988], abs=1e-9)
    assert curve.interval(7) == pytest.approx((0.41261984510667327, 0.46123145753014827), abs=1e-9)
    assert (curve.n, curve.n_ended, curve.quantile(0.5)) == (1606, 1568, pytest.approx(5.047418981481481, abs=1e-9))
    assert median_interval(curve) == pytest.approx((4.77981481, 5.94452546), abs=1e-8)
    assert curve.restricted_mean(30)[0] == pytest.approx(9.742562121451366, abs=1e-9)
    group = columns[:, 1] * 2 + columns[:, 2]
    found = compare_survival([(days[group == one], ended[group == one]) for one in range(4)])
    assert (found.statistic, found.p) == (pytest.approx(13.754702319795168, abs=1e-6), pytest.approx(0.0032587914993291132, abs=1e-9))


@needs_events
@pytest.mark.parametrize(
    ("step", "coefficients", "errors", "likelihood", "concordance", "proportionality"),
    [
        (  # to the second: hardly any ties
            0,
            [-0.05704880112241351, 0.09852323021701044, -0.16232749809325378],
            [0.08833581329255062, 0.05250847944577084, 0.0647022198514108],
            -10006.472386270842,
            0.5359424926446564,
            [0.274515821232858, 0.03826722471352937, 0.07556850765103677],
        ),
        (  # in whole days: 51 different times, nearly all tied
            1,
            [-0.06702822687122745, 0.10139457777824439, -0.16372422602244738],
            [0.08851327972613075, 0.05247108406198032, 0.06461361005399979],
            -10008.47736534575,
            0.5431843933242322,
            [0.3751349802006244, 0.043661906544877734, 0.01021703025507329],
        ),
    ],
)
def test_real_cox_equals_statsmodels_and_lifelines(step, coefficients, errors, likelihood, concordance, proportionality):
    days, ended, columns = read_cases()
    model = fit_cox(np.ceil(days) if step else days, ended, columns)
    assert model.coefficients == pytest.approx(coefficients, abs=1e-9)  # both agree with each other to 1e-12
    assert model.errors == pytest.approx(errors, abs=1e-9)
    assert model.log_likelihood == pytest.approx(likelihood, abs=1e-6)
    assert model.concordance == pytest.approx(concordance, abs=1e-9)
    assert model.proportionality_p == pytest.approx(proportionality, abs=1e-9)
