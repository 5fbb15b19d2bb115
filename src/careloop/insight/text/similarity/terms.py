"""What two texts can share: characters and their pairs in scripts without blanks, words elsewhere."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.text.readable import to_readable
from careloop.insight.text.sequences import simplify

LONGEST_TEXT = 10_000  # characters of a text that are looked at
_UNSPACED = "\u0e00-\u0e7f\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")
_NOT_TEXT = re.compile(r"[\W_]+")
_NEEDLESS_BLANK = re.compile(rf"(?<=[{_UNSPACED}]) | (?=[{_UNSPACED}])")


def normalise(text: str) -> str:
    """Return the text in small, simplified, half-width characters; control characters and HTML tags become blanks."""
    return simplify(unicodedata.normalize("NFKC", to_readable(text[:LONGEST_TEXT]))).lower()


def find_terms(text: str) -> list[str]:
    """Return the terms of a text with repetitions; a text without letters and digits has none.

    Examples
    --------
    >>> find_terms("退款 iPhone 15")
    ['退', '款', '退款', 'iphone', '15']
    """
    terms: list[str] = []
    for run in _RUN.findall(normalise(text)):
        if _IS_UNSPACED.match(run):
            terms += run
            terms += [run[place : place + 2] for place in range(len(run) - 1)]
        else:
            terms.append(run)
    return terms


def is_pair(term: str) -> bool:
    """Return whether a term is two neighbouring characters of a script without blanks: its characters are terms of their own."""
    return len(term) == 2 and bool(_IS_UNSPACED.match(term))


def strip_marks(text: str) -> str:
    """Return the letters and digits of a text, small and simplified, with one blank between words that need one.

    Examples
    --------
    >>> strip_marks("退款， iPhone 15 ！")
    '退款iphone 15'
    """
    return _NEEDLESS_BLANK.sub("", _NOT_TEXT.sub(" ", normalise(text)).strip())


class Vocabulary:
    """Numbers for terms, in the order in which they were met."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        """Return how many terms are known."""
        return len(self._numbers)

    def find_smallest(self) -> NDArray[np.bool_]:
        """Return which terms are characters or words, not pairs, shape (n_terms,)."""
        return np.fromiter((not is_pair(term) for term in self._numbers), dtype=np.bool_, count=len(self._numbers))

    def count(self, texts: Iterable[Sequence[str]], *, grow: bool) -> sparse.csr_matrix:
        """Return how often each text has each term, shape (n_texts, n_terms), float32.

        With `grow` unknown terms become known; without, they get the columns after the known ones, for this answer only.
        """
        known = self._numbers
        passing: dict[str, int] = {}
        found: list[int] = []
        starts = [0]
        for terms in texts:
            if grow:
                found += [known.setdefault(term, len(known)) for term in terms]
            else:
                found += [known[term] if term in known else passing.setdefault(term, len(known) + len(passing)) for term in terms]
            starts.append(len(found))
        ones: NDArray[np.float32] = np.ones(len(found), dtype=np.float32)
        shape = (len(starts) - 1, len(known) + len(passing))
        counts = sparse.csr_matrix((ones, np.array(found, dtype=np.int64), np.array(starts)), shape=shape)
        counts.sum_duplicates()
        return counts
