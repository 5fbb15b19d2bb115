"""What moves satisfaction: planted effects are found with their size, chance is not, and what cannot be told is said."""

import numpy as np
import pytest

from careloop.insight.errors import InputError
from careloop.insight.service.drivers import Untold, find_drivers, tell_points


def draw(n=1_500, *, seed=3):
    """An hour longer costs 0.1 points, lateness 0.5, refunds 0.3 against questions; the channel nothing."""
    rng = np.random.default_rng(seed)
    hours, late = rng.exponential(3, n), rng.random(n) < 0.3
    kind = rng.choice(["question", "refund"], n, p=[0.7, 0.3])
    table = {
        "hours": hours.tolist(),
        "late": late.tolist(),
        "kind": kind.tolist(),
        "channel": rng.choice(["mail", "chat"], n).tolist(),
    }
    cut = np.minimum(hours, np.quantile(hours, 0.95))
    scores = 4.5 - 0.1 * cut - 0.5 * late - 0.3 * (kind == "refund") + rng.normal(0, 0.6 + 0.2 * late, n)
    return table, scores


def test_planted_effects_are_found_in_points():
    found = find_drivers(*draw())
    effects = {(one.column, one.value): one for one in found.effects}
    for place, true in {("hours", None): -0.1, ("late", None): -0.5, ("kind", "refund"): -0.3}.items():
        one = effects[place]
        assert one.low < true < one.high
        assert one.is_shown
        assert one.p_value < 1e-6
    chat = next(one for one in found.effects if one.column == "channel")
    assert not chat.is_shown
    assert chat.low < 0 < chat.high
    assert [one.is_shown for one in found.effects] == [True, True, True, False]
    assert (found.untold, found.n) == ((), 1_500)
    assert 0.2 < found.explained_ratio < 0.4


def test_each_effect_says_what_it_stands_on():
    table, scores = draw()
    effects = {one.column: one for one in find_drivers(table, scores).effects}
    assert (effects["kind"].base, effects["kind"].n_with) == ("question", table["kind"].count("refund"))
    assert effects["late"].n_with == sum(table["late"])
    assert effects["hours"].cut_at == pytest.approx(np.quantile(table["hours"], 0.95))
    assert (effects["hours"].n_with, effects["late"].cut_at) == (1_500, None)


def test_a_day_instead_of_an_hour():
    one = next(one for one in find_drivers(*draw()).effects if one.column == "hours")
    assert tell_points(one, units=24) == (24 * one.estimate, 24 * one.low, 24 * one.high)
    assert tell_points(one, units=-1) == (-one.estimate, -one.high, -one.low)


def test_what_cannot_be_told_is_said():
    table, scores = draw(300)
    table["apology"] = [place < 4 for place in range(300)]
    table["team"] = ["a"] * 300
    table["minutes"] = [60 * hour for hour in table["hours"]]
    table["topic"] = ["parcel"] * 290 + ["invoice"] * 7 + ["app"] * 3
    found = find_drivers(table, scores)
    assert set(found.untold) == {
        Untold("apology", None, "too few", 4),
        Untold("team", "a", "never varies", 300),
        Untold("minutes", None, "follows from others", 300),
        Untold("topic", "…", "too few", 10),
        Untold("topic", "app", "too few", 3),
        Untold("topic", "invoice", "too few", 7),
    }
    assert {one.column for one in found.effects} == {"hours", "late", "kind", "channel"}


def test_a_gap_is_told_of_its_own():
    table, scores = draw()
    table["hours"] = [None if place % 5 == 0 else hour for place, hour in enumerate(table["hours"])]
    found = find_drivers(table, scores - 1.0 * (np.arange(1_500) % 5 == 0))
    gap = next(one for one in found.effects if one.is_gap)
    assert (gap.column, gap.n_with, gap.is_shown) == ("hours", 300, True)
    assert gap.low < -1.0 < gap.high


def test_weights_count():
    table, scores = draw(400)
    once, twice = np.ones(400), np.where(np.arange(400) < 200, 2.0, 1.0)
    assert find_drivers(table, scores, weights=once) == find_drivers(table, scores)
    assert find_drivers(table, scores, weights=twice) != find_drivers(table, scores)


def test_chance_moves_nothing_in_19_of_20_houses():
    rng = np.random.default_rng(9)
    shown = 0
    for _ in range(60):
        table = {name: rng.normal(size=100).tolist() for name in "abcdefgh"}
        shown += any(one.is_shown for one in find_drivers(table, rng.integers(1, 6, 100)).effects)
    assert shown <= 6  # 3 of 60 promised, two standard errors


def test_everyone_the_same_score_and_too_few_answers():
    table, scores = draw(100)
    same = find_drivers(table, np.full(100, 5.0))
    assert not any(one.is_shown for one in same.effects)
    with pytest.raises(InputError, match="59 answers are not enough data"):
        find_drivers({"hours": list(range(59))}, np.arange(59))
    with pytest.raises(InputError, match="one score for each row"):
        find_drivers(table, scores[1:])


def test_customers_who_answer_several_times_are_not_counted_as_several():
    table, scores = draw(300)
    thrice, customers = {name: values * 3 for name, values in table.items()}, np.tile(np.arange(300), 3)
    once, again = find_drivers(table, scores), find_drivers(thrice, np.tile(scores, 3), customers=customers)
    naive = find_drivers(thrice, np.tile(scores, 3))
    for one, other, taken in zip(once.effects, again.effects, naive.effects, strict=True):
        assert (other.estimate, other.low, other.high) == pytest.approx((one.estimate, one.low, one.high), rel=1e-3)
        assert taken.high - taken.low < 0.6 * (one.high - one.low)
    assert find_drivers(table, scores, customers=customers[:300]).untold == once.untold


def test_what_only_few_customers_have_cannot_be_told():
    table, scores = draw(300)
    table["apology"] = [place < 30 for place in range(300)]
    customers = np.where(np.arange(300) < 30, np.arange(300) % 3, np.arange(300))
    found = find_drivers(table, scores, customers=customers)
    assert Untold("apology", None, "too few", 30) in found.untold
    assert "apology" not in {one.column for one in found.effects}
    with pytest.raises(InputError, match="customers for 300 rows"):
        find_drivers(table, scores, customers=customers[1:])
