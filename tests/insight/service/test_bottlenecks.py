"""What makes cases slow: planted combinations are found and measured on other cases, chance is not."""

import numpy as np
import pytest

from careloop.insight.errors import InputError
from careloop.insight.service.bottlenecks import Condition, find_bottlenecks, holds


def draw(n=3_000, *, seed=1, is_planted=True, follow=None):
    """Refunds that wait for the warehouse take five times as long, and so do phone calls from 16 h on."""
    rng = np.random.default_rng(seed)
    table = {
        "kind": rng.choice(["refund", "question", "complaint"], n).tolist(),
        "waiting_for": rng.choice(["warehouse", "customer", ""], n).tolist(),
        "channel": rng.choice(["mail", "phone", "chat"], n).tolist(),
        "hour": rng.integers(8, 20, n).astype(float).tolist(),
        "weekday": rng.choice(["mon", "tue", "wed", "thu", "fri"], n).tolist(),
    }
    slow = [
        is_planted and ((kind == "refund" and place == "warehouse") or (channel == "phone" and hour >= 16))
        for kind, place, channel, hour in zip(table["kind"], table["waiting_for"], table["channel"], table["hour"], strict=True)
    ]
    times = rng.exponential(3_600, n) * np.where(slow, 5.0, 1.0)
    if follow is None:
        return table, times, np.ones(n, dtype=bool)
    until = rng.uniform(0, follow, n)
    return table, np.minimum(times, until), times <= until


def test_planted_combinations_are_found_and_hold_on_other_cases():
    table, times, ended = draw()
    found = find_bottlenecks(table, times, ended)
    assert [[(one.column, one.relation, one.value) for one in rule.conditions] for rule in found.rules[:2]] == [
        [("channel", "is not", "phone"), ("kind", "is", "refund"), ("waiting_for", "is", "warehouse")],
        [("channel", "is", "phone"), ("hour", "at least", 15.5), ("waiting_for", "is not", "warehouse")],
    ]
    assert (found.n_dropped, found.n_unknown, found.n_found + found.n_held) == (0, 0, 3_000)
    for rule in found.rules[:2]:
        assert rule.low <= rule.share <= rule.high
        assert rule.difference_low > 0.3
        assert rule.p_value < 1e-20


def test_a_rule_is_measured_on_the_cases_that_it_names():
    table, times, ended = draw()
    found = find_bottlenecks(table, times, ended)
    rule = found.rules[0]
    rows = np.array(rule.rows)
    assert holds(rule.conditions, table)[rows].all()
    assert (len(rows), int((times[rows] > found.slow_seconds).sum())) == (rule.n, rule.n_slow)
    assert rule.share == rule.n_slow / rule.n
    assert sum(one.explained_ratio for one in found.rules) <= 1


def test_a_quarter_is_slow_unless_a_limit_is_given():
    table, times, ended = draw()
    assert find_bottlenecks(table, times, ended).slow_seconds == pytest.approx(np.quantile(times, 0.75), rel=0.01)
    assert find_bottlenecks(table, times, ended, slow_seconds=7_200).slow_share == pytest.approx(np.mean(times > 7_200), abs=0.02)


def test_the_tree_is_compared_with_saying_the_same_for_every_case():
    """As many as can be told: chance of slowness is known of drawn cases, so the best possible ratio is, too."""
    table, times, ended = draw(20_000)
    found = find_bottlenecks(table, times, ended)
    planted = np.array(
        [
            (kind == "refund" and place == "warehouse") or (channel == "phone" and hour >= 16)
            for kind, place, channel, hour in zip(table["kind"], table["waiting_for"], table["channel"], table["hour"], strict=True)
        ]
    )
    chances = np.exp(-found.slow_seconds / np.where(planted, 18_000, 3_600))
    best = 1 - (chances * (1 - chances)).mean() / (chances.mean() * (1 - chances.mean()))
    assert found.told.low < found.told.ratio <= found.told.high
    assert found.told.low < best
    assert found.told.ratio > 0.8 * best
    nothing = find_bottlenecks(*draw(is_planted=False)).told
    assert nothing.low <= 0


def test_chance_is_no_bottleneck():
    rules = [len(find_bottlenecks(*draw(500, seed=seed, is_planted=False)).rules) for seed in range(4)]
    assert rules == [0] * 4


def test_open_cases_count_as_far_as_they_are_known():
    table, times, ended = draw(4_000, follow=30_000)
    found = find_bottlenecks(table, times, ended, slow_seconds=7_200)
    assert found.n_unknown == int((~ended & (times <= 7_200)).sum())
    assert found.n_unknown > 200
    assert any({("kind", "is", "refund"), ("waiting_for", "is", "warehouse")} <= set(rule.conditions) for rule in found.rules)


def test_gaps_and_rare_words_have_places():
    table = {"team": ["a", None, "b", "a"], "hour": [9.0, None, 17.0, float("nan")]}
    assert holds([Condition("team", "is", "")], table).tolist() == [False, True, False, False]
    assert holds([Condition("hour", "at least", 10.0)], table).tolist() == [False, False, True, False]
    assert holds([Condition("hour", "unknown", None)], table).tolist() == [False, True, False, True]
    assert holds([], table).tolist() == [True] * 4


def test_the_same_cases_give_the_same_rules():
    assert find_bottlenecks(*draw(1_000)) == find_bottlenecks(*draw(1_000))


def test_not_enough_data_is_told():
    table, times, ended = draw(150)
    with pytest.raises(InputError, match="not enough data"):
        find_bottlenecks(table, times, ended)
    table, times, ended = draw(600)
    with pytest.raises(InputError, match="0 of them slow"):
        find_bottlenecks(table, times, ended, slow_seconds=1e9)
    with pytest.raises(InputError, match="give one of each"):
        find_bottlenecks(table, times[1:], ended)
    with pytest.raises(InputError, match="say from which time on"):
        find_bottlenecks(table, times, np.arange(600) < 100)
