"""Linear models on hashed n-grams of many texts at once, without a Python loop over characters.

The n-grams of one order are mixed from shifted copies of one array of codes, so ten thousand reviews take a tenth of a second. Every
occurrence keeps its place, so a decision can be traced back to the characters or words that made it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.sequences import Sequences

Floats = NDArray[np.float32]

_MULTIPLIERS = np.array(
    [0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5, 0x85EBCA77C2B2AE63],
    dtype=np.uint64,
)  # odd 64-bit constants, one per place inside an n-gram: multiply–shift hashing (Dietzfelbinger et al. 1997)


@dataclass(frozen=True, slots=True)
class Ngrams:
    """The n-grams of one order in a batch.

    Attributes
    ----------
    order : int
        Number of codes in each n-gram.
    buckets : ndarray of int32, shape (n_ngrams,)
        Hash of each, in order of place.
    places : ndarray of int64, shape (n_ngrams,)
        Where each starts, counted from the first code of the batch.
    starts : ndarray of int64, shape (n_texts + 1,)
        Where each text's n-grams start in `buckets`.
    """

    order: int
    buckets: NDArray[np.int32]
    places: NDArray[np.int64]
    starts: NDArray[np.int64]

    def count(self, bits: int) -> sparse.csr_matrix:
        """Return the counts as a matrix of n_texts × 2**bits; a bucket may appear more than once in a row."""
        ones = np.ones(len(self.buckets), dtype=np.float32)
        return sparse.csr_matrix((ones, self.buckets, self.starts), shape=(len(self.starts) - 1, 1 << bits))


def find_ngrams(sequences: Sequences, *, orders: Sequence[int], bits: int) -> list[Ngrams]:
    """Return every n-gram of every text, hashed into 2**bits buckets, one entry per order (each 1–5).

    References
    ----------
    Weinberger et al. 2009, Feature hashing for large scale multitask learning.
    """
    if missing := [order for order in orders if order not in sequences.mixed]:
        sequences.mixed.update(_mix(sequences, missing))
    shift, found = np.uint64(64 - bits), []
    for order in orders:
        mixed, places, starts = sequences.mixed[order]
        found.append(Ngrams(order, (mixed >> shift).astype(np.int32), places, starts))
    return found


def _mix(
    sequences: Sequences, orders: Sequence[int]
) -> Iterator[tuple[int, tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]]]:
    """Yield each order with the hashes of its n-grams, their places and where each text's start."""
    codes = sequences.codes.astype(np.uint64)
    lengths = np.diff(sequences.starts)
    left = np.repeat(sequences.starts[1:], lengths) - np.arange(len(codes), dtype=np.int64)  # codes to the text's end
    for order in orders:
        places = np.flatnonzero(left >= order)
        mixed = np.full(len(places), order, dtype=np.uint64)
        for offset in range(order):
            mixed = (mixed ^ codes[places + offset]) * _MULTIPLIERS[offset]
            mixed ^= mixed >> np.uint64(29)
        mixed *= _MULTIPLIERS[0]
        starts = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(np.maximum(lengths - order + 1, 0), out=starts[1:])
        yield order, (mixed, places, starts)


@dataclass(frozen=True, slots=True)
class NgramTable:
    """Numbers that a model keeps for every bucket.

    Attributes
    ----------
    orders : tuple of int
        Lengths of the n-grams that it looks at.
    bits : int
        Base-2 logarithm of the number of buckets.
    values : ndarray of float32, shape (2**bits, n_columns)
        Column 0 is the squared scale of the bucket (0 = unknown to the model); the others are summed as they are.
    """

    orders: tuple[int, ...]
    bits: int
    values: Floats

    def find(self, sequences: Sequences) -> list[Ngrams]:
        """Return the n-grams that this table knows how to weigh."""
        return find_ngrams(sequences, orders=self.orders, bits=self.bits)

    def sum(self, ngrams: Sequence[Ngrams]) -> Floats:
        """Return the columns summed over each text's n-grams, shape (n_texts, n_columns)."""
        totals = [np.asarray(one.count(self.bits) @ self.values, dtype=np.float32) for one in ngrams]
        return np.asarray(np.sum(totals, axis=0), dtype=np.float32)

    def spread(self, ngrams: Sequence[Ngrams], columns: NDArray[np.int64], n_codes: int) -> Floats:
        """Return how much each code of the batch weighed in one column per text, shape (n_codes,).

        The value of an n-gram is shared equally by its codes, so that the sum over a text is the text's total.

        Parameters
        ----------
        ngrams : sequence of Ngrams
        columns : ndarray of int64, shape (n_texts,)
            The column asked about, for each text.
        n_codes : int
            Number of codes in the batch.
        """
        weights = np.zeros(n_codes, dtype=np.float32)
        for one in ngrams:
            column = np.repeat(columns, np.diff(one.starts))
            share = self.values[one.buckets, column] / np.float32(one.order)
            for offset in range(one.order):
                weights[one.places + offset] += share  # places are distinct within one order
        return weights


def length_of(sums: Floats) -> Floats:
    """Return the length of each text's feature vector from the sums of column 0; never 0."""
    return np.sqrt(np.maximum(sums[:, 0], np.float32(1e-12)))
