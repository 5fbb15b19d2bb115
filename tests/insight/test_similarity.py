"""Similar texts: found by words and by meaning, exactly as a plain loop would, while rows come and go."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from careloop.insight.errors import InputError
from careloop.insight.text.similarity import SimilarityIndex
from careloop.insight.text.similarity.index import select_top
from careloop.insight.text.similarity.lexical import LexicalIndex
from careloop.insight.text.similarity.terms import find_terms, is_pair

ROWS = ["怎么申请退款", "物流太慢了", "退款什么时候到账", "", "Where is my parcel?", "👍"]
LETTERS = st.lists(st.text("退款慢ab ", max_size=6), min_size=1, max_size=6)


class Letters:
    """An encoder whose vectors count the letters a and b and blanks."""

    name = "three letters 1"
    dimensions = 3

    def encode(self, texts):
        vectors = np.array([[text.count(letter) for letter in "ab "] for text in texts], dtype=np.float32).reshape(-1, 3)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors / np.where(lengths > 0, lengths, 1)


def rows_of(found):
    return [[hit.row for hit in hits] for hits in found]


def bm25(query: str, rows: list[str]) -> list[float]:
    """The formula, term by term, as a share of what the query scores against itself."""
    counts = [Counter(find_terms(row)) for row in rows]
    mean = max(1.0, sum(sum(one.values()) for one in counts) / len(rows))

    def worth(terms: Counter, term: str) -> float:
        spread = sum(term in one for one in counts)
        rarity = math.log(1 + (len(rows) - spread + 0.5) / (spread + 0.5))
        softness = 1.2 * (0.25 + 0.75 * sum(terms.values()) / mean)
        return rarity * terms[term] * 2.2 / (terms[term] + softness)

    asked = Counter(find_terms(query))
    own = sum(times * worth(asked, term) for term, times in asked.items()) or 1.0
    return [sum(times * worth(one, term) for term, times in asked.items()) / own for one in counts]


@given(LETTERS, LETTERS)
@settings(max_examples=50, deadline=None)
def test_shared_characters_agree_with_a_plain_loop_while_rows_come_and_go(rows, queries):
    index = LexicalIndex()
    index.add(rows[:1])
    index.compare(queries)
    index.add(rows[1:])
    index.remove([0])
    kept = [set(), *({term for term in find_terms(row) if not is_pair(term)} for row in rows[1:])]
    asked = [{term for term in find_terms(query) if not is_pair(term)} for query in queries]
    expected = [[len(one & row) / max(1, len(one | row)) for row in kept] for one in asked]
    np.testing.assert_allclose(index.compare(queries), expected, rtol=1e-6)


def test_terms_are_characters_and_pairs_in_chinese_and_words_elsewhere():
    assert find_terms("退款！ iPhone15") == ["退", "款", "退款", "iphone15"]
    assert find_terms("我買Ａ") == ["我", "买", "我买", "a"]
    assert find_terms("👍 \0 …") == []
    assert [is_pair(term) for term in ("退款", "退", "ab", "iphone15")] == [True, False, False, False]


def test_words_alone_find_what_shares_them_and_nothing_else():
    index = SimilarityIndex.build(ROWS)
    assert rows_of(index.search(["退款几天到账", "PARCEL", "", "👍", "한국어"], top=3)) == [[2, 0], [4], [], [], []]


def test_a_text_scores_1_against_itself():
    index = SimilarityIndex.build(ROWS)
    assert index.search([ROWS[0]], top=1) == [[(0, pytest.approx(1.0))]]


@settings(max_examples=30, deadline=None)
@given(LETTERS, st.text("退款慢ab ", max_size=6))
def test_scores_are_the_textbook_formula(rows, query):
    lexical = LexicalIndex()
    lexical.add(rows)
    np.testing.assert_allclose(lexical.score([query])[0], bm25(query, rows), rtol=1e-4, atol=1e-5)


@settings(max_examples=30, deadline=None)
@given(LETTERS, LETTERS, st.sets(st.integers(0, 5)))
def test_adding_and_removing_give_what_building_anew_gives(first, second, gone):
    gone = {row for row in gone if row < len(first) + len(second)}
    index = SimilarityIndex.build(first, Letters())
    index.search(first)
    assert index.add(second) == range(len(first), len(first) + len(second))
    index.remove(sorted(gone))
    kept = [row for row in range(len(first) + len(second)) if row not in gone]
    anew = SimilarityIndex.build([(first + second)[row] for row in kept], Letters())
    for mode in ("lexical", "semantic", "fused"):
        expected = [[(kept[hit.row], hit.score) for hit in hits] for hits in anew.search(first, 20, mode)]
        found = index.search(first, 20, mode)
        assert [[hit.row for hit in hits] for hits in found] == [[row for row, _ in hits] for hits in expected]
        for hits, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose([hit.score for hit in hits], [score for _, score in wanted], rtol=1e-4, atol=1e-5)
    assert len(index) == sum(bool((first + second)[row].strip()) for row in kept)


def test_a_row_can_be_left_out():
    index = SimilarityIndex.build(["退款 a", "退款 b", "退款 c"])
    assert rows_of(index.search(["退款 a", "退款 b"], top=2, left_out=[0, None])) == [[1, 2], [1, 0]]


def test_vectors_known_already_are_taken():
    texts = ["a", "b", "ab"]
    index = SimilarityIndex.build(texts, Letters(), vectors=Letters().encode(texts))
    given_vectors = index.search(["b"], mode="semantic", vectors=Letters().encode(["b"]))
    assert given_vectors == index.search(["b"], mode="semantic")
    with pytest.raises(InputError, match=r"shape \(2, 3\) were given, \(3, 3\) were expected"):
        index.add(texts, vectors=Letters().encode(["a", "b"]))


def test_what_cannot_be_searched_is_told_and_nothing_changes():
    index = SimilarityIndex.build(ROWS)
    with pytest.raises(InputError, match="needs an encoder"):
        index.search(["a"], mode="semantic")
    with pytest.raises(InputError, match="“best” is no way of searching"):
        index.search(["a"], mode="best")
    with pytest.raises(InputError, match="At least 1 row"):
        index.search(["a"], top=0)
    with pytest.raises(InputError, match="no row 6"):
        index.remove([0, 6])
    assert rows_of(index.search(["怎么申请退款"], top=1)) == [[0]]


def test_an_empty_index_finds_nothing():
    assert SimilarityIndex.build([]).search(["退款"]) == [[]]
    assert SimilarityIndex.build(["", " "], Letters()).search(["a"]) == [[]]


def test_a_megabyte_is_searched_by_its_beginning():
    index = SimilarityIndex.build(["退款" + "好" * 1_000_000, "物流"])
    assert rows_of(index.search(["退款", "物流" + "x" * 1_000_000])) == [[0], [1]]


def test_the_earlier_row_comes_first_among_equals():
    assert select_top(np.array([0.5, 0.7, 0.5, 0.5, -1.0], dtype=np.float32), 3) == [(1, pytest.approx(0.7)), (0, 0.5), (2, 0.5)]
