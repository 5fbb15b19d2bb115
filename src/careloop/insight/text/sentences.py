"""Sentences of a text in either language, and which of them say the same."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SENTENCE = re.compile(
    r"(?:[^。！？!?…；\n.]++|\.(?!\s|$)|(?<=\bMr)\.|(?<=\bMs)\.|(?<=\bDr)\.|(?<=\bMrs)\.|(?<=\bNo)\.|(?<=\be\.g)\.|(?<=\bi\.e)\."
    r"|(?<=\s[A-Z])\.)++"
    r"[。！？!?…；.]*+[”」』\"）)]?"
)
_CLAUSE_ENDS = "，,、;；:： "
_SAME = 0.7  # share of common pairs of characters from which two sentences say the same
_SIGNS = re.compile(r"[\W_]+")
_LETTER = re.compile(r"[^\W_]")


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text in order, blanks made single; full stops within numbers, addresses and titles end none."""
    return [" ".join(sentence.split()) for sentence in _SENTENCE.findall(text) if _LETTER.search(sentence)]


def drop_repeated(sentences: Iterable[str]) -> list[str]:
    """Return sentences without those that say what an earlier one said (seven tenths of their pairs of characters are common)."""
    kept: list[str] = []
    pairs_of_kept: list[frozenset[str]] = []
    for sentence in sentences:
        pairs = pair_characters(sentence)
        if not any(is_same(pairs, other) for other in pairs_of_kept):
            kept.append(sentence)
            pairs_of_kept.append(pairs)
    return kept


def pair_characters(sentence: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters of a sentence, without signs and capitals."""
    plain = _SIGNS.sub("", sentence).lower()
    return frozenset(plain[place : place + 2] for place in range(max(1, len(plain) - 1)))


def is_same(first: frozenset[str], second: frozenset[str]) -> bool:
    """Tell whether two sets of pairs are nearly the same (Jaccard index, or one within the other at four fifths)."""
    common = len(first & second)
    return common >= _SAME * (len(first) + len(second) - common) or common >= 0.9 * min(len(first), len(second)) > 4


def shorten(sentence: str, characters: int) -> str:
    """Return at most that many characters, cut at a clause where one ends in the second half, with “…” for what is left out."""
    if len(sentence) <= characters:
        return sentence
    if characters < 2:
        return "…"[:characters]
    cut = sentence[: characters - 1]
    end = max(cut.rfind(mark) for mark in _CLAUSE_ENDS)
    return (cut[:end] if end >= characters // 2 else cut) + "…"
