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
from careloop.insight.text.words import describe_english_word, find_chinese_words, find_english_words

LONGEST_TEXT = 2_000  # characters; what a longer text is about stands in these
_MOST_WORDS = 10_000
_LEAST_TEXTS = 3
_MOST_SHARE = 0.5  # of all texts; a word in more of them says nothing about a topic
_CHINESE_TAGS = frozenset("nvaijlz")
_ENGLISH_TAGS = frozenset("nva")
_SHORTEST_ENGLISH = 3
_EMPTY_CHINESE_WORDS = (
    "没有 感觉 觉得 时候 有点 东西 就是 还是 知道 可能 应该 可以 需要 不能 不是 出来 起来 看到 希望 大家 问题 情况 开始 比较 不会 不要 "
    "请问 麻烦 进行 想要 发现 不好 不错 说是 打开 谢谢 您好 你好 好像 看看 还有 有没有 非常 很多 一些 一样 喜欢 真的 不知 认为 以为"
)
_EMPTY_ENGLISH_WORDS = (
    "thing things lot way time times day days bit thank thanks hello please something anything someone really like want know tell think "
    "help going use used using would also even one yes okay let see got good great bad nice much many more most some any all can will "
    "been were have has had does did not very too just get make when what how why where who which there here"
)
_EMPTY_CHINESE = frozenset(_EMPTY_CHINESE_WORDS.split())
_EMPTY_ENGLISH = frozenset(_EMPTY_ENGLISH_WORDS.split())


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
    if tag[0] not in _CHINESE_TAGS or word in _EMPTY_CHINESE or not word[0].isalpha():
        return ""
    return word if len(word) > 1 or tag[0] == "n" else ""


@lru_cache(maxsize=50_000)
def _keep_english(word: str) -> str:
    small = word.lower().replace("’", "'").removesuffix("'s")
    if len(small) < _SHORTEST_ENGLISH or "'" in small or not small[0].isalpha() or small in _EMPTY_ENGLISH or len(small) > 40:
        return ""
    return small if describe_english_word(small)[1] in _ENGLISH_TAGS else ""
