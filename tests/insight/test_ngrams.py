"""Hashed n-grams against a plain loop."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from careloop.insight.text.ngrams import NgramTable, find_ngrams
from careloop.insight.text.sequences import fold, read_characters

TEXTS = st.lists(st.text("好坏ab 。", max_size=8), max_size=5)


@given(TEXTS)
def test_equal_ngrams_share_a_bucket_and_stay_inside_their_text(texts):
    joined = "".join(texts)
    for found in find_ngrams(read_characters(texts), orders=(1, 2, 3), bits=20):
        pieces = [joined[place : place + found.order] for place in found.places]
        assert pieces == [text[i : i + found.order] for text in texts for i in range(len(text) - found.order + 1)]
        bucket_of = dict(zip(pieces, found.buckets.tolist(), strict=True))
        assert [bucket_of[piece] for piece in pieces] == found.buckets.tolist()


@given(TEXTS)
def test_spread_weights_add_up_to_the_sums(texts):
    table = NgramTable((1, 2), 8, np.random.default_rng(1).normal(size=(256, 2)).astype(np.float32))
    sequences = read_characters(texts)
    found = table.find(sequences)
    weights = table.spread(found, np.ones(len(texts), dtype=np.int64), len(sequences.codes))
    summed = [weights[a:b].sum() for a, b in zip(sequences.starts[:-1], sequences.starts[1:], strict=True)]
    np.testing.assert_allclose(summed, table.sum(found)[:, 1] if texts else [], atol=1e-4)


def test_folding_makes_variants_alike():
    assert fold(read_characters(["質量ＡＢ１　"])).codes.tolist() == fold(read_characters(["质量ab7 "])).codes.tolist()
