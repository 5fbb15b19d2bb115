"""The words that set a text apart: content words, frequent here and rare elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

from careloop.insight.text.background import load_background
from careloop.insight.text.entities import FIGURES
from careloop.insight.text.words import describe_english_word
from careloop.insight.types import Entity, Token

_MOST = 5
_TELLING_TAGS = {"n": 1.0, "v": 0.8, "a": 0.7, "i": 0.8, "l": 0.7, "j": 0.9, "e": 0.9, "z": 0.6}  # by first letter of the tag
_DULL_CHINESE_WORDS = (
    "没有 感觉 觉得 时候 有点 东西 就是 还是 知道 可能 应该 可以 需要 不能 不是 出来 起来 一点 一下 看到 希望 大家 问题 情况 现在 开始 "
    "比较 不会 不要 最后 建议 请问 麻烦 进行 想要 发现 不好 不错 说是 打开 的话 谢谢 您好 你好 好像 看看 还有 有没有 怎么 昨天 今天 明天"
)
_DULL_ENGLISH_WORDS = (
    "thing things lot way time times day days bit thank thanks hello hi hey dear please something anything someone really like want "
    "need know tell think help going use used using would also even one back yes ok okay let see got"
)
_DULL_CHINESE = frozenset(_DULL_CHINESE_WORDS.split())
_DULL_ENGLISH = frozenset(_DULL_ENGLISH_WORDS.split())
_LONGEST = 30
_SHORTEST_OWN_TAG = 5  # letters; see UserWords
_UNKNOWN_DISCOUNT = 0.8  # a word never met is as often a slip of the pen as a name


def find_keywords(tokens: Sequence[Token], entities: Sequence[Entity] = ()) -> tuple[str, ...]:
    """Return at most five keywords, most telling first; English ones in small letters, no parts of numbers, dates, addresses."""
    scores = weigh_words(tokens, entities)
    return tuple(sorted(scores, key=scores.__getitem__, reverse=True)[:_MOST])


def weigh_words(tokens: Iterable[Token], entities: Sequence[Entity] = ()) -> dict[str, float]:
    """Return how telling every content word is, in small letters: the sum over its occurrences of its rarity in ordinary customer talk."""
    scores: dict[str, float] = {}
    within = {place for one in entities if one.type in FIGURES for place in range(one.start, one.end)}
    for token in tokens:
        if token.end - token.start < 2 or (within and (token.start in within or token.end - 1 in within)):
            continue
        text, tag = token.text, token.pos
        if text.isascii() or len(tag) >= _SHORTEST_OWN_TAG:
            word = text.lower()
            worth = _weigh_own(word) if len(tag) >= _SHORTEST_OWN_TAG else _weigh_english(word)
        else:
            share = _TELLING_TAGS.get(tag[0])
            if share is None:
                continue
            word = text.lower()
            worth = share * _rate_chinese(word)
        if worth:
            scores[word] = scores.get(word, 0.0) + worth
    return scores


def _weigh_own(word: str) -> float:
    """Return what one occurrence of a user's word adds: as much as the rarest word."""
    return load_background("en" if word.isascii() else "zh").rarity_of_unknown


@lru_cache(maxsize=100_000)
def _weigh_english(word: str) -> float:
    if word in _DULL_ENGLISH:
        return 0.0
    return _TELLING_TAGS.get(describe_english_word(word[:_LONGEST])[1][0], 0.0) * _rate(word, "en")


@lru_cache(maxsize=100_000)
def _rate_chinese(word: str) -> float:
    return 0.0 if word in _DULL_CHINESE else _rate(word, "zh")


def _rate(word: str, language: str) -> float:
    """Return how rare a word is; 0 for words that say nothing alone."""
    if len(word) > _LONGEST or not any(character.isalpha() for character in word):
        return 0.0
    background = load_background(language)
    rarity = background.rarity.get(word)
    return _UNKNOWN_DISCOUNT * background.rarity_of_unknown if rarity is None else rarity
