"""Which n-grams a text holds: of characters where it is Chinese, of words elsewhere; binary, hashed, a whole batch at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.ngrams import find_ngrams
from careloop.insight.text.readable import to_readable
from careloop.insight.text.sentiment import hash_word
from careloop.insight.text.sequences import Sequences, fold, read_characters, read_words
from careloop.insight.text.words import find_english_words

CHARACTERS, WORDS = "characters", "words"
_ORDERS = {CHARACTERS: (1, 2, 3), WORDS: (1, 2)}
_BITS = 19
_LEAST_SHARE = 0.05  # of the texts; a script less common than that gets no n-grams of its own
_FIRST_HAN = "\u3400"


def choose_units(texts: Sequence[str]) -> tuple[str, ...]:
    """Return what to count n-grams of, given the texts to learn from."""
    n_han = sum(any(character >= _FIRST_HAN for character in text) for text in texts)
    units = []
    if n_han >= _LEAST_SHARE * len(texts):
        units.append(CHARACTERS)
    if len(texts) - n_han >= _LEAST_SHARE * len(texts):
        units.append(WORDS)
    return tuple(units)


def find_features(texts: Sequence[str], units: Sequence[str]) -> sparse.csr_matrix:
    """Return which n-grams every text holds, shape (n_texts, n_units · 2**19), entries 0 or 1."""
    readable = [to_readable(text) for text in texts]
    blocks = []
    for unit in units:
        parts = [one.count(_BITS) for one in find_ngrams(_read(readable, unit), orders=_ORDERS[unit], bits=_BITS)]
        blocks.append(sum(parts[1:], start=parts[0]))
    found = sparse.csr_matrix(sparse.hstack(blocks))
    found.sum_duplicates()
    found.data[:] = 1.0
    return found


def _read(texts: list[str], unit: str) -> Sequences:
    if unit == CHARACTERS:
        return fold(read_characters(texts))
    return read_words([find_english_words(text).model_words for text in texts], hash_word)


def choose_columns(found: sparse.csr_matrix, *, least: int) -> NDArray[np.int64]:
    """Return the n-grams that at least `least` texts hold."""
    return np.flatnonzero(np.bincount(found.indices, minlength=found.shape[1]) >= least)
