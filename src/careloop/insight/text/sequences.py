"""Many texts as one array of integer codes, either characters or words: what the n-gram models and the language rules count on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

_N_CODE_POINTS = 0x110000


@dataclass(frozen=True, slots=True)
class Sequences:
    """Sequences of codes laid end to end.

    Attributes
    ----------
    codes : ndarray of uint32, shape (n_codes,)
        Code points, or hashes of words.
    starts : ndarray of int64, shape (n_texts + 1,)
        Where each text starts in `codes`; the last entry is n_codes.
    mixed : dict of int to tuple of ndarray
        What `ngrams` found by the length of the n-grams: several models look at the same ones.
    """

    codes: NDArray[np.uint32]
    starts: NDArray[np.int64]
    mixed: dict[int, tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64]]] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.starts) - 1

    def count_classes(self, table: NDArray[np.uint8], n_classes: int) -> NDArray[np.int64]:
        """Return how many codes of each class every text has, shape (n_texts, n_classes); `table` gives the class of a code."""
        text_of = np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.starts))
        flat = np.bincount(text_of * n_classes + table[self.codes], minlength=len(self) * n_classes)
        return flat.reshape(len(self), n_classes)


def read_characters(texts: Sequence[str]) -> Sequences:
    """Return the code points of readable texts (no lone surrogates)."""
    codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
    return Sequences(codes, _starts([len(text) for text in texts]))


def fold(characters: Sequences) -> Sequences:
    """Return characters made alike: traditional → simplified, full width → half width, capital → small, digit → 0, space → blank."""
    return Sequences(_folding_table()[characters.codes], characters.starts)


def read_words(texts: Sequence[list[str]], hash_word: Callable[[str], int]) -> Sequences:
    """Return the hashes of words, one list of words per text."""
    codes = np.fromiter((hash_word(word) for words in texts for word in words), dtype=np.uint32)
    return Sequences(codes, _starts([len(words) for words in texts]))


def _starts(lengths: list[int]) -> NDArray[np.int64]:
    starts = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


@cache
def _folding_table() -> NDArray[np.uint32]:
    table = np.arange(_N_CODE_POINTS, dtype=np.uint32)
    table[0xFF01:0xFF5F] = np.arange(0x21, 0x7F)
    for space in "\t\n\r\u00a0\u3000":
        table[ord(space)] = ord(" ")
    traditional, simplified = simplifications()
    table[[ord(character) for character in traditional]] = [ord(character) for character in simplified]
    capitals = np.arange(ord("A"), ord("Z") + 1)
    for first in (0, 0xFEE0):
        table[capitals + first] = capitals + 32
        table[np.arange(ord("0"), ord("9") + 1) + first] = ord("0")
    return table


def simplify(text: str) -> str:
    """Return the text in simplified characters, one for one."""
    return text.translate(_simplifying_table())


@cache
def _simplifying_table() -> dict[int, int]:
    traditional, simplified = simplifications()
    return {ord(old): ord(new) for old, new in zip(traditional, simplified, strict=True)}


@cache
def simplifications() -> tuple[str, str]:
    """Return two strings of one length: traditional characters and what each becomes when simplified."""
    path = resources.files("careloop.insight.text") / "models" / "traditional.txt"
    traditional, simplified, _ = path.read_text(encoding="utf-8").splitlines()
    return traditional, simplified
