"""Effects beside a comparison group and with other causes held, against statsmodels 0.15.0."""

import math

import numpy as np
import pytest

from careloop.insight.errors import InputError
from careloop.insight.stats.adjustment import adjust_mean, adjust_share, compare_trends, difference_in_differences

PLACES = np.arange(48)
TREATED, AFTER, CLUSTERS = PLACES % 2 == 1, (PLACES // 2) % 3 == 0, (PLACES * 7) % 9
ONE, OTHER = ((PLACES * 13) % 17) / 4, ((PLACES * 5) % 7) - 3.0
OUTCOME = ((PLACES * 37) % 23) / 5 + TREATED * AFTER * 1.5 + 0.3 * ONE + AFTER
WON = (PLACES * 37) % 23 + 6 * TREATED + ONE > 13


def test_difference_of_differences_with_robust_errors():
    found = difference_in_differences(OUTCOME, TREATED, AFTER)  # OLS(…).fit(cov_type="HC3", use_t=True)
    assert found.effect == pytest.approx(1.2921875, abs=1e-12)
    assert found.error == pytest.approx(1.0131226442071144, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((-0.749627026069744, 3.3340020260697445), abs=1e-10)
    assert found.p == pytest.approx(0.20884302097706012, abs=1e-12)
    assert (found.n, found.sizes) == (48, ((16, 8), (16, 8)))
    (before, after), (tried_before, tried_after) = found.averages
    assert (tried_after - tried_before) - (after - before) == pytest.approx(found.effect)


def test_difference_of_differences_with_errors_by_cluster():
    found = difference_in_differences(OUTCOME, TREATED, AFTER, clusters=CLUSTERS)  # cov_type="cluster", use_t=True
    assert found.error == pytest.approx(1.09288759509703, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((-1.2280158136070871, 3.8123908136070876), abs=1e-10)
    assert found.p == pytest.approx(0.27101024580862076, abs=1e-12)
    named = difference_in_differences(OUTCOME, TREATED, AFTER, clusters=np.array([f"agent {one}" for one in CLUSTERS]))
    assert named.error == found.error


def test_weeks_that_go_up_and_down_together_are_covered_even_when_they_are_few():
    rng = np.random.default_rng(3)
    weeks = np.repeat(np.arange(16), 12)  # four weeks before and after, of each of two groups
    treated, after = weeks % 2 == 1, weeks >= 8
    held = 0
    for _draw in range(600):
        values = rng.normal(0, 1, len(weeks)) + rng.normal(0, 1, 16)[weeks]
        found = difference_in_differences(values, treated, after, clusters=weeks)
        held += found.low <= 0 <= found.high
    assert 0.93 <= held / 600 <= 0.97
    with pytest.raises(InputError, match="4 clusters are too few"):
        difference_in_differences(values, treated, after, clusters=2 * treated + after)


def test_a_drift_before_is_measured():
    found = compare_trends(OUTCOME, TREATED, ONE)
    assert (found.effect, found.error) == pytest.approx((-0.09666283084004507, 0.3904130530372746), abs=1e-10)


def test_averages_with_other_columns_held():
    found = adjust_mean(OUTCOME, TREATED, np.column_stack([ONE, OTHER]), names=["one", "other"])
    assert (found.effect, found.error, found.p) == pytest.approx((0.5341359802009689, 0.5191566740950115, 0.3094375939913835), abs=1e-10)


def test_shares_with_other_columns_held():
    found = adjust_share(WON, TREATED, np.column_stack([ONE, OTHER]), names=["one", "other"])
    # Logit(…).get_margeff(at="overall", dummy=True)
    assert (found.effect, found.error, found.p) == pytest.approx((0.31318812751037056, 0.13061124189045062, 0.01649094114929629), abs=1e-8)


def test_adjusting_takes_away_what_made_groups_unlike():
    rng = np.random.default_rng(6)
    hard = rng.random(4000) < 0.5
    tried = rng.random(4000) < np.where(hard, 0.8, 0.2)  # given to hard cases
    won = rng.random(4000) < np.where(hard, 0.4, 0.8) + 0.1 * tried
    naive = won[tried].mean() - won[~tried].mean()
    found = adjust_share(won, tried, hard[:, None], names=["hard"])
    assert naive < -0.1 < 0.04 < found.low < 0.1 < found.high


def test_too_little_is_refused():
    with pytest.raises(InputError, match="holds 0 rows; each needs at least 2"):
        difference_in_differences([1, 2, 3, 4], [0, 0, 1, 1], [0, 0, 0, 0])
    with pytest.raises(InputError, match="3 clusters are too few"):
        difference_in_differences(OUTCOME, TREATED, AFTER, clusters=PLACES % 3)
    with pytest.raises(InputError, match="do not fit together"):
        difference_in_differences([1, 2], [0], [1])
    with pytest.raises(InputError, match="not finite"):
        difference_in_differences([1, math.nan], [0, 1], [1, 0])
    with pytest.raises(InputError, match="Clusters do not fit"):
        difference_in_differences(OUTCOME, TREATED, AFTER, clusters=[1, 2])


def test_without_any_scatter_nothing_is_known():
    found = difference_in_differences([1, 1, 2, 2, 1, 1, 3, 3], [0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 1, 1, 0, 0, 1, 1])
    assert (found.effect, found.low, found.high, found.p) == (1.0, -math.inf, math.inf, 1.0)


def test_robust_intervals_cover():
    rng, held = np.random.default_rng(12), 0
    treated, after = np.tile([False, False, True, True], 30), np.tile([False, True], 60)
    for _ in range(2000):
        outcome = 3 + after + 0.5 * (treated & after) + rng.normal(size=120) * np.where(treated, 2.0, 1.0)
        found = difference_in_differences(outcome, treated, after)
        held += found.low <= 0.5 <= found.high
    assert 0.93 <= held / 2000 <= 0.97
