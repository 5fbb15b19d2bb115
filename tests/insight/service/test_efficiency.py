"""Tasks done ÷ time spent, exactly; and the communication score by its formula."""

import numpy as np
import pytest

from careloop.insight.errors import InputError
from careloop.insight.service.efficiency import Part, Work, measure_efficiencies, measure_efficiency, rate_speed, score_communication

WORK = Work(
    kinds=["consultation", "consultation", "complaint", "refund", "refund", "other"],
    replies=[2, 1, 4, 1, 0, 2],
    solved=[True, False, True, True, True, True],
    seconds=[1800, 1800, 7200, 900, 2700, 3600],
)


def test_each_efficiency_is_tasks_done_by_time_spent():
    found = measure_efficiencies(WORK)
    assert list(found) == ["communication", "consultation", "complaint", "refund"]
    assert found["communication"][3:] == (10, 5.0, 6)
    assert found["communication"].value == 2.0
    assert (found["consultation"].value, found["consultation"].done, found["consultation"].hours) == (1.0, 1, 1.0)
    assert (found["complaint"].value, found["complaint"].low, found["complaint"].n) == (0.5, None, 1)
    assert found["refund"].value == 2.0


def test_sums_are_divided_not_ratios_averaged():
    assert measure_efficiency([1, 1], [600, 3000]).value == 2.0  # the mean of 6 and 1.2 would be 3.6


def test_the_interval_is_that_of_the_ratio_estimator():
    found = measure_efficiency([1, 1, 0, 2], [3600, 1800, 1800, 7200])
    residuals = np.array([1, 1, 0, 2]) - found.value * np.array([1, 0.5, 0.5, 2])
    error = np.sqrt(4 / 3 * (residuals**2).sum()) / 4
    assert found.value == 1.0
    assert found.high == pytest.approx(np.exp(3.182446305284263 * error))
    assert found.low * found.high == pytest.approx(found.value**2)


def test_nothing_done_and_no_time_are_told_apart():
    nothing = measure_efficiency([0, 0], [3600, 3600])
    assert (nothing.value, nothing.low) == (0.0, 0.0)
    assert nothing.high == pytest.approx(1.498, abs=0.4)
    assert measure_efficiency([1, 2], [0, 0]) == (None, None, None, 3.0, 0.0, 2)
    assert measure_efficiency([], []) == (None, None, None, 0.0, 0.0, 0)


def test_every_case_alike_has_no_scatter():
    assert measure_efficiency([1] * 5, [1800] * 5)[:3] == (2.0, 2.0, 2.0)


def test_cases_without_work_change_nothing():
    assert measure_efficiency([1, 0, 1], [60, 0, 90]) == measure_efficiency([1, 1], [60, 90])


def test_nonsense_is_refused():
    with pytest.raises(InputError, match="at least 0"):
        measure_efficiency([1], [-60])
    with pytest.raises(InputError, match="give one of each"):
        measure_efficiency([1, 2], [60])
    with pytest.raises(InputError, match="“chat” is no kind"):
        measure_efficiencies(Work(["chat"], [1], [True], [60]))


def test_the_interval_covers_what_it_promises():
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(1_000):
        hours = rng.gamma(2, 0.5, 80)
        done = rng.binomial(1, 0.7, 80)  # 0.7 of a mean hour each
        found = measure_efficiency(done, hours * 3600)
        hits += found.low <= 0.7 <= found.high
    assert 0.93 <= hits / 1_000 <= 0.97


def test_speed_halves_with_each_target():
    assert [rate_speed(seconds, target_seconds=600) for seconds in (0, 600, 1200)] == [1.0, 0.5, 0.25]
    with pytest.raises(InputError, match="cannot be rated"):
        rate_speed(1, target_seconds=0)


def test_the_score_is_the_weighted_mean_of_its_parts():
    parts = {
        "speed": Part(0.5, 0.4, 0.7, 1.0),
        "first_contact": Part(0.8, 0.7, 0.9, 2.0),
        "satisfaction": Part(0.6, 0.6, 0.6, 1.0),
    }
    score = score_communication(parts)
    assert score.value == pytest.approx(100 * (0.5 + 1.6 + 0.6) / 4)
    assert score.low == pytest.approx(score.value - 100 * np.hypot(0.025, 0.05))
    assert score.high == pytest.approx(score.value + 100 * np.hypot(0.05, 0.05))


def test_a_part_that_is_not_known_leaves_the_score_open_unless_it_weighs_nothing():
    known, unknown = Part(0.5, 0.4, 0.6, 1.0), Part(None, None, None, 1.0)
    assert score_communication({"speed": known, "satisfaction": unknown}) == (None, None, None)
    without = score_communication({"speed": known, "satisfaction": unknown._replace(weight=0.0)})
    assert without == pytest.approx((50.0, 40.0, 60.0))
    with pytest.raises(InputError, match="one of them above 0"):
        score_communication({"speed": known._replace(weight=0.0)})
