"""Small groups are drawn to the whole; only what chance does not explain is called a difference."""

from careloop.desk.measures.groups import BETTER, WORSE, compare_groups
from careloop.desk.measures.queries import Row, Table
from careloop.desk.measures.reading import Question
from careloop.desk.measures.rules.definitions import MEASURES
from careloop.desk.measures.rules.values import Sums, add_up, figure_of


def table_of(key, groups):
    measure = MEASURES[key]
    rows = [Row(name, None, {key: figure_of(measure, sums)}) for name, sums in groups.items()]
    return Table(Question((key,), by="agent"), None, rows, {key: figure_of(measure, add_up(groups.values()))})


def test_a_lucky_newcomer_does_not_lead_and_a_clear_difference_is_told():
    groups = {1: Sums(2, 2), 2: Sums(400, 380), 3: Sums(400, 280), 4: Sums(400, 330)}
    found = compare_groups(table_of("satisfied", groups), "satisfied")
    assert [one.group for one in found.standings] == [2, 1, 4, 3]
    assert {one.group: one.verdict for one in found.standings} == {1: "", 2: BETTER, 3: WORSE, 4: ""}
    newcomer = next(one for one in found.standings if one.group == 1)
    assert newcomer.own.value == 1.0
    assert newcomer.drawn.value < 0.9
    assert newcomer.own_ratio < 0.3


def test_for_what_should_be_low_less_is_better():
    found = compare_groups(table_of("reopened", {1: Sums(500, 10), 2: Sums(500, 100)}), "reopened")
    assert [(one.group, one.verdict) for one in found.standings] == [(1, BETTER), (2, WORSE)]


def test_means_are_compared_within_their_range():
    groups = {
        1: Sums(300, 300 * 450, 300 * 450**2 + 300 * 2_500),
        2: Sums(300, 300 * 350, 300 * 350**2 + 300 * 2_500),
        3: Sums(1, 500, 250_000),
    }
    found = compare_groups(table_of("satisfaction", groups), "satisfaction")
    assert {one.group: one.verdict for one in found.standings} == {1: BETTER, 2: WORSE, 3: ""}
    assert all(1 <= one.drawn.low <= one.drawn.value <= one.drawn.high <= 5 for one in found.standings)


def test_what_belongs_to_nobody_is_no_group_and_one_group_is_no_comparison():
    assert compare_groups(table_of("satisfied", {0: Sums(100, 50), 1: Sums(10, 5)}), "satisfied") is None
    assert compare_groups(table_of("opened", {1: Sums(100), 2: Sums(10)}), "opened") is None
    found = compare_groups(table_of("satisfied", {0: Sums(100, 0), 1: Sums(10, 5), 2: Sums(10, 5)}), "satisfied")
    assert ([one.group for one in found.standings], found.whole.value) == ([1, 2], 0.5)
