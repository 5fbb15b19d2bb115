"""Near-duplicates: every one of them, nothing else, each with the row that it repeats."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careloop.insight.errors import InputError
from careloop.insight.text.similarity import find_duplicates


def triples(text: str) -> set[str]:
    padded = f"\2{text}\3"
    return {padded[place : place + 3] for place in range(len(padded) - 2)}


def jaccard(one: str, other: str) -> float:
    return len(triples(one) & triples(other)) / len(triples(one) | triples(other))


def test_the_nearest_earlier_row_is_named():
    texts = ["我的花呗怎么不能用了", "物流太慢了", "我的花呗怎么不能用", "我的花呗 怎么不能用了！", "", "", "👍", "👍", "👎"]
    assert find_duplicates(texts, 0.7) == [(2, 0, pytest.approx(8 / 11, abs=1e-6)), (3, 0, 1.0), (7, 6, 1.0)]


def test_case_width_and_traditional_characters_do_not_count():
    assert find_duplicates(["Order ABC", "ｏｒｄｅｒ　abc", "退貨", "退货"], 1) == [(1, 0, 1.0), (3, 2, 1.0)]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("退货慢吗", min_size=1, max_size=8), max_size=12, unique=True), st.sampled_from([0.1, 0.3, 0.5, 0.8]))
def test_none_is_missed_and_none_invented(texts, threshold):
    expected = []
    for row, text in enumerate(texts):
        near = [(-jaccard(text, texts[earlier]), earlier) for earlier in range(row)]
        if near and -min(near)[0] >= threshold - 1e-9:
            similarity, earlier = min(near)
            expected.append((row, earlier, pytest.approx(-similarity, abs=1e-6)))
    assert find_duplicates(texts, threshold) == expected


@pytest.mark.parametrize("threshold", [0, -1, 1.01, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(InputError, match="above 0 and at most 1"):
        find_duplicates(["a"], threshold)


def test_hundreds_from_one_template_are_all_found():
    texts = [f"您的订单{number:04d}已经发货请注意查收" for number in range(420)]
    found = find_duplicates(texts, 0.6)
    assert [one.row for one in found] == list(range(1, 420))
    assert all(one.similarity == pytest.approx(jaccard(texts[one.row], texts[one.earlier]), abs=1e-6) for one in found)
    assert min(one.similarity for one in found) >= 0.6
