"""TF–IDF of the character and word n-grams of a house's own texts, Chinese and English alike; known n-grams only, unit length."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import rjieba
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.ngrams import Floats, find_ngrams
from careloop.insight.text.readable import to_readable
from careloop.insight.text.sequences import Sequences, fold, read_characters, read_words, simplify

LONGEST_TEXT = 2_000  # characters that are looked at; a contact says what it is about before that
MOST_NGRAMS = 300  # of one text
MOST_FEATURES = 100_000  # that a model knows: the most frequent ones
CHARACTER_ORDERS = (1, 2, 3, 4, 5)
WORD_ORDERS = (1, 2)
_BITS = 22  # some 4 million buckets for each block; two n-grams of 100,000 share one in 1 of 40 cases


@dataclass(frozen=True, slots=True)
class NgramSpace:
    """The n-grams that a model knows, and how telling each is.

    Attributes
    ----------
    buckets : ndarray of int32, shape (n_features,)
        Sorted hashes; words lie behind the characters.
    weights : ndarray of float32, shape (n_features,)
        Inverse document frequency.
    """

    buckets: NDArray[np.int32]
    weights: Floats

    @classmethod
    def learn(cls, texts: Sequence[str], *, least_rows: int = 2) -> NgramSpace:
        """Return the space of the n-grams that stand in at least `least_rows` of the texts."""
        rows, buckets = _find(texts)
        pairs = np.unique(rows * (2 << _BITS) + buckets)
        known, counts = np.unique(pairs % (2 << _BITS), return_counts=True)
        kept = counts >= least_rows
        if kept.sum() > MOST_FEATURES:
            kept &= counts > np.sort(counts)[-MOST_FEATURES]
        weights = np.log((1 + len(texts)) / (1 + counts[kept])) + 1
        return cls(known[kept].astype(np.int32), weights.astype(np.float32))

    def count(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Return the weighted n-grams of texts, shape (n_texts, n_features); rows have length 1, or 0 when nothing is known."""
        rows, buckets = _find(texts)
        places = np.minimum(np.searchsorted(self.buckets, buckets), max(len(self.buckets) - 1, 0))
        known = self.buckets[places] == buckets if len(self.buckets) else np.zeros(len(buckets), dtype=bool)
        ones = np.ones(int(known.sum()), dtype=np.float32)
        counts = sparse.csr_matrix((ones, (rows[known], places[known])), shape=(len(texts), len(self.buckets)))
        counts.sum_duplicates()
        counts.data = (1 + np.log(counts.data)) * self.weights[counts.indices]
        _keep_strongest(counts)
        lengths = np.sqrt(np.bincount(np.repeat(np.arange(len(texts)), np.diff(counts.indptr)), counts.data**2, minlength=len(texts)))
        counts.data /= np.repeat(np.maximum(lengths, 1e-12), np.diff(counts.indptr)).astype(np.float32)
        return counts


def _keep_strongest(counts: sparse.csr_matrix) -> None:
    """Set all but the strongest n-grams of long texts to 0, so that comparing texts costs the same whatever their length."""
    for row in np.flatnonzero(np.diff(counts.indptr) > MOST_NGRAMS):
        values = counts.data[counts.indptr[row] : counts.indptr[row + 1]]
        values[np.argsort(-values, kind="stable")[MOST_NGRAMS:]] = 0
    counts.eliminate_zeros()


def _find(texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return text and bucket of every n-gram; words lie in the upper half of the buckets."""
    readable = [to_readable(text[:LONGEST_TEXT]) for text in texts]
    characters = fold(read_characters([f" {text.strip()} " for text in readable]))
    words = read_words([cut(text) for text in readable], _hash_word)
    blocks = [(characters, CHARACTER_ORDERS, 0), (words, WORD_ORDERS, 1 << _BITS)]
    found = [_list(sequences, orders, first) for sequences, orders, first in blocks]
    rows, buckets = (np.concatenate([one[side] for one in found]) for side in (0, 1))
    return rows, buckets


def _list(sequences: Sequences, orders: Sequence[int], first: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ngrams = find_ngrams(sequences, orders=orders, bits=_BITS)
    rows = [np.repeat(np.arange(len(sequences), dtype=np.int64), np.diff(one.starts)) for one in ngrams]
    return np.concatenate(rows), np.concatenate([one.buckets.astype(np.int64) for one in ngrams]) + first


def cut(text: str) -> list[str]:
    """Return the words of a readable text, in small simplified letters."""
    return [word for word in _segmenter().cut(simplify(text).lower()) if not word.isspace()]


@cache
def _segmenter() -> Any:
    return rjieba.Jieba()


@lru_cache(maxsize=100_000)
def _hash_word(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "replace"))
