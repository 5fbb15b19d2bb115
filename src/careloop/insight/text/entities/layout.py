"""Units of many texts under one another as integer codes: the unit, its word, part of speech, place in the word, shape, quotation marks."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.entities.units import Units, find_quotes
from careloop.insight.text.words import find_words

Codes = NDArray[np.uint64]
Places = NDArray[np.int64]
_GAP = 3  # empty rows between texts: nobody's neighbours are those of another text
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
FIRST, WITHIN, LAST, ALONE = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Layout:
    """Codes of the units of texts, rows of zeros between the texts.

    Attributes
    ----------
    firsts, lengths : ndarray of int64, shape (n_texts,)
        First row and number of units of every text.
    text_of : ndarray of int64, shape (n_rows,)
        Number of a row's text; between two texts the next one's.
    unit, shape, head, tail, quote : ndarray of uint64, shape (n_rows,)
        Head and tail are the first and last three letters of longer units.
    within : ndarray of uint64, shape (n_rows,)
        Place in the word: first, within, last, alone (1–4).
    word, word_before, word_after, tag, tag_before, tag_after, word_head, word_tail, tail_before, head_after
        ndarray of uint64, shape (n_rows,): of the unit's word and its neighbours.
    """

    firsts: Places
    lengths: Places
    text_of: Places
    unit: Codes
    shape: Codes
    head: Codes
    tail: Codes
    quote: Codes
    within: Codes
    word: Codes
    word_before: Codes
    word_after: Codes
    tag: Codes
    tag_before: Codes
    tag_after: Codes
    word_head: Codes
    word_tail: Codes
    tail_before: Codes
    head_after: Codes

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.unit)


@lru_cache(maxsize=200_000)
def code(written: str) -> int:
    """Return a number for a string, never 0, the same on every machine."""
    return zlib.crc32(written.encode("utf-8", "surrogatepass")) + 1


def mix(template: int, *codes: Codes) -> Codes:
    """Return one code for each row from several, different for every template."""
    mixed = np.full(len(codes[0]), template * 0xD6E8FEB86659FD93 % (1 << 64), dtype=np.uint64)
    for one in codes:
        mixed = (mixed ^ one) * _FACTOR
        mixed ^= mixed >> _SHIFT
    return mixed


def move(codes: Codes, rows: int) -> Codes:
    """Return for every row the code that stands so many rows below (negative: above)."""
    moved = np.zeros_like(codes)
    if rows > 0:
        moved[:-rows] = codes[rows:]
    elif rows < 0:
        moved[-rows:] = codes[:rows]
    else:
        moved[:] = codes
    return moved


def lay_out(texts: Sequence[str], units: Sequence[Units]) -> Layout:
    """Return the units of texts as codes."""
    lengths = np.array([len(one) for one in units], dtype=np.int64)
    firsts = np.cumsum(lengths + _GAP) - lengths
    n_rows = int((lengths + _GAP).sum()) + _GAP
    text_of = np.repeat(np.arange(len(texts) + 1), np.append(lengths + _GAP, _GAP))
    rows = np.arange(n_rows) - np.append(firsts, n_rows - _GAP)[text_of]
    rows = np.flatnonzero((rows >= 0) & (text_of < len(texts)))

    def spread(values: list[int]) -> Codes:
        column = np.zeros(n_rows, dtype=np.uint64)
        column[rows] = values
        return column

    words, word_of, within = _lay_out_words(texts, units, lengths)
    placed = np.zeros(n_rows, dtype=np.int64)  # 0 is an empty word
    placed[rows] = word_of
    before, after = np.maximum(placed - 1, 0), np.minimum(placed + 1, len(words) - 1) * (placed > 0)
    plain = [unit for one in units for unit in one.plain]
    return Layout(
        firsts, lengths, text_of,
        unit=spread([*map(code, plain)]), shape=spread([code(shape) for one in units for shape in one.shapes]),
        head=spread([code(unit[:3]) if len(unit) > 1 else 0 for unit in plain]),
        tail=spread([code(unit[-3:]) if len(unit) > 1 else 0 for unit in plain]),
        quote=spread([code(mark) if mark else 0 for one in units for mark in find_quotes(one)]),
        within=spread(within.tolist()),
        word=words[placed, 0], word_before=words[before, 0], word_after=words[after, 0],
        tag=words[placed, 1], tag_before=words[before, 1], tag_after=words[after, 1],
        word_head=words[placed, 2], word_tail=words[placed, 3], tail_before=words[before, 3], head_after=words[after, 2],
    )  # fmt: skip


def _lay_out_words(texts: Sequence[str], units: Sequence[Units], lengths: Places) -> tuple[Codes, Places, Places]:
    """Return words (word, tag, first and last character; an empty row before each text's), and of every unit the word and place in it."""
    described: list[tuple[int, int, int, int]] = []
    starts: list[int] = []
    ends: list[int] = []
    lasts: list[int] = []
    base = 0
    bases: list[int] = []
    for text in texts:
        bases.append(base)
        described.append((0, 0, 0, 0))
        starts.append(base)
        ends.append(base)
        for token in find_words(text):
            small = token.text.lower()
            described.append((code(small), code(token.pos), code(small[:1]), code(small[-1:])))
            starts.append(base + token.start)
            ends.append(base + token.end)
        lasts.append(len(described) - 1)
        base += len(text) + 1
    described.append((0, 0, 0, 0))
    text_of = np.repeat(np.arange(len(texts)), lengths)
    offsets = np.array(bases, dtype=np.int64)[text_of]
    unit_starts = np.fromiter((start for one in units for start in one.starts), dtype=np.int64) + offsets
    unit_ends = np.fromiter((end for one in units for end in one.ends), dtype=np.int64) + offsets
    word_starts, word_ends = np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)
    word_of = np.minimum(np.searchsorted(word_ends, unit_starts, side="right"), np.array(lasts, dtype=np.int64)[text_of])
    is_first, is_last = unit_starts <= word_starts[word_of], unit_ends >= word_ends[word_of]
    within = np.where(is_first, np.where(is_last, ALONE, FIRST), np.where(is_last, LAST, WITHIN))
    return np.array(described, dtype=np.uint64), word_of, within
