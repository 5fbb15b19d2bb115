"""Texts as counts of their content words: what every topic method starts from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, repeat

import numpy as np
import scipy.sparse as sp

from careloop.insight.text.readable import to_readable
from careloop.insight.text.stop_words import is_stop_word
from careloop.insight.text.words import describe_english_word, find_chinese_words, find_english_words

LONGEST_TEXT = 2_000  # characters; what a longer text is about stands in these
_MOST_WORDS = 10_000
_LEAST_TEXTS = 3
_MOST_SHARE = 0.5  # of all texts; a word in more of them says nothing about a topic
_CHINESE_TAGS = frozenset("nvaijlz")
_ENGLISH_TAGS = frozenset("nva")
_SHORTEST_ENGLISH, _LONGEST_ENGLISH = 3, 40  # characters
_VAGUE_CHINESE_WORDS = "问题 不好 不错 说是 打开 喜欢 发现 进行 想要 看看 不知 认为 以为"
_VAGUE_ENGLISH_WORDS = "something anything someone help use used using good great bad nice"
_VAGUE = frozenset(f"{_VAGUE_CHINESE_WORDS} {_VAGUE_ENGLISH_WORDS}".split())  # said of every topic


@dataclass(frozen=True)
class Corpus:
    """Counts of content words.

    Attributes
    ----------
    words : tuple of str, length n_words
        Most frequent first.
    counts : CSR matrix, float32, shape (n_texts, n_words)
    """

    words: tuple[str, ...]
    counts: sp.csr_matrix

    @property
    def presence(self) -> sp.csr_matrix:
        """1 where a word stands in a text, shape (n_texts, n_words), float32."""
        seen = self.counts.copy()
        seen.data = np.ones_like(seen.data)
        return seen


def cut_texts(texts: Iterable[str]) -> list[list[str]]:
    """Return the content words of each text, small letters, in order."""
    return [_cut(text) for text in texts]


def count_words(cut: Sequence[Sequence[str]], *, words: Sequence[str] | None = None) -> Corpus:
    """Return the counts over the given words, or over those that stand in at least three texts and at most half of them."""
    if words is None:
        words = _choose_words(cut)
    places = {word: place for place, word in enumerate(words)}
    rows: list[int] = []
    columns: list[int] = []
    for row, ones in enumerate(cut):
        known = [places[word] for word in ones if word in places]
        rows += repeat(row, len(known))
        columns += known
    shape = (len(cut), len(words))
    counts = sp.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=shape, dtype=np.float32)
    counts.sum_duplicates()
    return Corpus(tuple(words), counts)


def _choose_words(cut: Sequence[Sequence[str]]) -> list[str]:
    found = Counter(chain.from_iterable(set(words) for words in cut))
    least = min(_LEAST_TEXTS, max(1, len(cut) // 20))
    most = max(_MOST_SHARE * len(cut), least)
    kept = [word for word, n_texts in found.items() if least <= n_texts <= most]
    return sorted(kept, key=lambda word: (-found[word], word))[:_MOST_WORDS]


def _cut(text: str) -> list[str]:
    readable = to_readable(text[:LONGEST_TEXT])
    if readable.isascii():
        return [word for token in find_english_words(readable).tokens if (word := _keep_english(token.text))]
    return [word for token in find_chinese_words(readable.lower()) if (word := _keep(token.text, token.pos))]


def _keep(word: str, tag: str) -> str:
    if word.isascii():
        return _keep_english(word)
    if tag[0] not in _CHINESE_TAGS or word in _VAGUE or is_stop_word(word) or not word[0].isalpha():
        return ""
    return word if len(word) > 1 or tag[0] == "n" else ""


@lru_cache(maxsize=50_000)
def _keep_english(word: str) -> str:
    small = word.lower().replace("’", "'").removesuffix("'s")
    if not (_SHORTEST_ENGLISH <= len(small) <= _LONGEST_ENGLISH and small.isalpha()) or small in _VAGUE or is_stop_word(small):
        return ""
    return small if describe_english_word(small)[1] in _ENGLISH_TAGS else ""
