"""Times with open ends, against published figures."""

import numpy as np
import pytest

from careloop.insight.errors import InputError
from careloop.insight.stats import fit_survival

# Freireich et al. 1963, weeks of remission under 6-mercaptopurine, as tabulated in Cox & Oakes 1984, table 1.1; + is censored.
WEEKS = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
ENDED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]


def test_the_published_curve_is_reached():
    curve = fit_survival(WEEKS, np.array(ENDED, dtype=bool))
    published = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    assert {week: round(curve.at(week), 3) for week in published} == published
    assert (curve.n, curve.n_ended, curve.at(5.9), curve.quantile(0.5)) == (21, 9, 1.0, 23.0)
    assert curve.quantile(0.9) is None


def test_greenwoods_error_is_the_published_one():
    curve = fit_survival(WEEKS, np.array(ENDED, dtype=bool))
    errors = curve.survival * np.sqrt(curve.variance_sums)
    assert [round(float(error), 4) for error in errors] == [0.0764, 0.0869, 0.0963, 0.1068, 0.1141, 0.1282, 0.1346]
    low, high = curve.interval(10)
    assert 0 < low < 0.753 < high < 1


def test_without_open_ends_it_is_the_share_that_took_longer():
    rng = np.random.default_rng(3)
    times = rng.exponential(5, 400)
    curve = fit_survival(times, np.ones(400, dtype=bool))
    for time in (0.1, 1, 4, 20):
        assert curve.at(time) == pytest.approx((times > time).mean(), abs=1e-12)


def test_nothing_observed_says_nothing():
    curve = fit_survival([], [])
    assert (curve.n, curve.at(3), curve.quantile(0.5), curve.interval(3)) == (0, 1.0, None, (0.0, 1.0))


def test_nonsense_is_refused():
    with pytest.raises(InputError, match="negative"):
        fit_survival([-1.0], [True])
    with pytest.raises(InputError, match="one of each"):
        fit_survival([1.0, 2.0], [True])
