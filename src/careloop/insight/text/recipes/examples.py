"""Turning labelled texts into features with the very code that reads texts later, and learnt weights into a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.ngrams import find_ngrams
from careloop.insight.text.readable import to_readable
from careloop.insight.text.recipes.fit import Doubles
from careloop.insight.text.sentiment import hash_word
from careloop.insight.text.sequences import Sequences, fold, read_characters, read_words
from careloop.insight.text.words import find_english_words

_NUMBER = "0000"


@dataclass(frozen=True, slots=True)
class Features:
    """Counts of n-grams in the buckets that occur often enough.

    Attributes
    ----------
    counts : csr_matrix, shape (n_texts, n_buckets)
    buckets : ndarray of int64, shape (n_buckets,)
        Which bucket of the table each column is.
    orders, bits
        As the table will have them.
    """

    counts: sparse.csr_matrix
    buckets: NDArray[np.int64]
    orders: tuple[int, ...]
    bits: int

    def scaled(self, scales: Doubles) -> sparse.csr_matrix:
        """Return counts × scale, each row divided by the root of its summed squared scales, as `ngrams.length_of` does."""
        length = np.sqrt(np.maximum(self.counts @ scales**2, 1e-12))
        return (sparse.diags(1 / length) @ self.counts @ sparse.diags(scales)).tocsr()

    def pack(self, scales: Doubles, columns: Doubles) -> dict[str, NDArray[Any]]:
        """Return the arrays of an artefact: buckets, and values (squared scale, columns × scale) as half floats."""
        values = np.column_stack([scales**2, columns]).astype(np.float16)
        used = np.abs(values).sum(axis=1) > 0
        return {"buckets": self.buckets[used].astype(np.uint32), "values": values[used]}


def read_chinese(texts: Sequence[str]) -> Sequences:
    """Return folded characters."""
    return fold(read_characters([to_readable(text) for text in texts]))


def read_english(texts: Sequence[str]) -> Sequences:
    """Return hashed words."""
    return read_words([find_english_words(to_readable(text)).model_words for text in texts], hash_word)


def count_features(sequences: Sequences, *, orders: tuple[int, ...], bits: int, least: int, always: Sequence[int] = ()) -> Features:
    """Return the counts of every n-gram found in at least `least` texts, and of the buckets in `always`."""
    parts = [one.count(bits) for one in find_ngrams(sequences, orders=orders, bits=bits)]
    counts = sparse.csr_matrix(sum(parts[1:], start=parts[0]))
    counts.sum_duplicates()
    is_kept = np.bincount(counts.indices, minlength=1 << bits) >= least
    is_kept[list(always)] = True
    for one in find_ngrams(read_chinese([_NUMBER]), orders=orders, bits=bits):
        is_kept[one.buckets] = False  # a long number would otherwise outweigh the words beside it
    buckets = np.flatnonzero(is_kept)
    return Features(counts[:, buckets].tocsr().astype(np.float64), buckets, orders, bits)
