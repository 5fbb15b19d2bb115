"""Solutions for a text: ranked by what they say and what they solved, with probabilities that come true."""

import numpy as np
import pytest

from careloop.insight.errors import InputError
from careloop.insight.text.encoder import get_bundled_encoder
from careloop.insight.text.solutions import Solution, SolutionRanker, rank_solutions

LIBRARY = [
    Solution("invoice", "补开发票", "请提供抬头和税号，三天内寄出电子发票。"),
    Solution("parcel", "查询物流进度", examples=("快递到哪了", "包裹一直不动")),
    Solution("password", "Reset a password", "Open Settings and choose “forgot password”."),
]


def best(ranking):
    return ranking.suggestions[0].solution


def test_title_body_and_examples_all_count():
    found = rank_solutions(LIBRARY, ["要填税号", "我的包裹怎么还不动", "I forgot my PASSWORD"])
    assert [best(one) for one in found] == ["invoice", "parcel", "password"]
    for one in found:
        assert len(one.suggestions) == 3
        assert sum(suggestion.probability for suggestion in one.suggestions) == pytest.approx(1, abs=2e-4)


def test_meaning_counts_with_an_encoder():
    texts = ["can't sign in any more", "单位报销要用的票据"]
    assert [best(one) for one in rank_solutions(LIBRARY, texts, encoder=get_bundled_encoder())] == ["password", "invoice"]


def test_an_earlier_case_teaches():
    assert best(rank_solutions(LIBRARY, ["报销要用的那个单子"], used=[("报销的单子", "invoice")])[0]) == "invoice"


def test_what_is_like_nothing_is_abstained_on():
    found = rank_solutions(LIBRARY, ["", "👍", "xyzzy", "包裹"], top=1)
    assert [one.suggestions for one in found[:3]] == [(), (), ()]
    assert [one.abstained for one in found] == [True, True, True, False]


def test_probabilities_are_learnt_by_leaving_each_case_out():
    """Seven texts in ten name their own solution, the others any of three: four in five are ranked right, and said to be."""
    random = np.random.default_rng(5)
    names = ["alpha", "beta", "gamma"]
    cases = []
    for _ in range(240):
        true = names[random.integers(3)]
        spoken = true if random.random() < 0.7 else names[random.integers(3)]
        cases.append((f"{spoken} {random.choice(['please', 'today', 'again'])}", true))
    ranker = SolutionRanker([Solution(name, name) for name in names], cases[:160])
    assert ranker.is_calibrated_
    found = ranker.rank([text for text, _ in cases[160:]])
    right = np.mean([best(one) == true for one, (_, true) in zip(found, cases[160:], strict=True)])
    said = np.mean([one.suggestions[0].probability for one in found])
    assert right == pytest.approx(0.8)
    assert said == pytest.approx(right, abs=0.12)


def test_few_cases_leave_the_usual_temperature():
    ranker = SolutionRanker(LIBRARY)
    assert not ranker.is_calibrated_
    assert ranker.temperature_.value == 0.045


@pytest.mark.parametrize(
    ("library", "used", "sentence"),
    [
        ([], [], "library of solutions is empty"),
        ([Solution("a", "x"), Solution("a", "y")], [], "“a” stands twice"),
        ([Solution("a", " ")], [], "“a” has neither title nor body nor example"),
        ([Solution("a", "x")], [("text", "b")], "no solution “b” in the library"),
    ],
)
def test_a_library_that_cannot_be_used_is_refused(library, used, sentence):
    with pytest.raises(InputError, match=sentence):
        SolutionRanker(library, used)
