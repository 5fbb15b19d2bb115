"""Words, their places and their parts of speech: rjieba for Chinese, one regular expression and small tables for English.

Parts of speech carry jieba's tags in both languages: n noun, v verb, a adjective, d adverb, r pronoun, p preposition, c conjunction,
u particle, m number,
x symbol (rjieba adds finer ones: ns place, nr person, vn …).
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

import rjieba

from careloop.insight.text.sequences import simplify
from careloop.insight.types import Token

_HAN = re.compile("[\u4e00-\u9fff]")
_ENGLISH_TOKEN = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*|\d+(?:[.,:/\-]\d+)*|[!?]+|[^\s\w]|_+")
_NEGATOR_WORDS = (
    "not no never none nobody nothing nor neither without hardly barely scarcely cannot cant can't don't dont doesn't doesnt "
    "didn't didnt isn't isnt wasn't wasnt aren't arent weren't won't wont wouldn't wouldnt couldn't couldnt shouldn't haven't "
    "havent hasn't hasnt hadn't ain't lack lacks lacking"
)
NEGATORS = frozenset(_NEGATOR_WORDS.split())
_LONGEST_WORD = 40  # letters by which a word is known; keeps the cache small
_NEGATION_REACH = 3  # words; as far as VADER looks back

_CLOSED = {
    "r": "i you he she it we they me him us them my your his her its our their this that these those who whom what which mine yours myself "
    "yourself itself themselves someone anyone nobody everyone something anything nothing everything",
    "p": "of in on at by for from with to into onto about over under after before between through during against without within since "
    "until near off per via",
    "c": "and or but nor so yet if because although though while whereas unless than as",
    "u": "the a an 's",
    "v": "am is are was were be been being do does did have has had can could will would shall should may might must get got go went want "
    "need make made take took say said i'm it's i've i'd i'll don't doesn't didn't isn't wasn't can't won't cannot",
    "d": "not no never very too also just only still already again here there now then when where why how always often soon ever even "
    "really please yesterday today tomorrow",
    "m": "one two three four five six seven eight nine ten hundred thousand million first second third once twice",
}
_CLOSED_TAGS = {word: tag for tag, words in _CLOSED.items() for word in words.split()}
_ENDINGS = (
    ("a", ("ful", "ous", "able", "ible", "ive", "less", "ical", "ish", "ary")),
    ("d", ("ly",)),
    ("v", ("ing", "ed", "ize", "ise", "ify")),
)


class EnglishWords(NamedTuple):
    """Tokens of an English text and, for each, the word that the models know it by (small, marked when negated)."""

    tokens: list[Token]
    model_words: list[str]


@cache
def _segmenter() -> rjieba.Jieba:
    return rjieba.Jieba()


def find_chinese_words(text: str, *, is_traditional: bool = False) -> list[Token]:
    """Return the words of a readable text with their places; blanks are left out.

    The segmenter's dictionary is simplified, so traditional text is cut by its simplified copy, which has the same length.
    """
    if is_traditional:
        return [token._replace(text=text[token.start : token.end]) for token in find_chinese_words(simplify(text))]
    tokens: list[Token] = []
    append = tokens.append
    make = tuple.__new__  # a third faster than calling the class; this loop is the hottest one
    start = 0
    for word, tag in _segmenter().tag(text):
        end = start + len(word)
        if not word.isspace():
            append(make(Token, (word, start, end, tag)))
        start = end
    return tokens


def find_words(text: str) -> list[Token]:
    """Return the words of a readable text of any language: by the Chinese segmenter where there is a Chinese character."""
    if text.isascii() or not _HAN.search(text):
        return find_english_words(text).tokens
    return find_chinese_words(text)


def find_english_words(text: str) -> EnglishWords:
    """Return the words of a readable text with their places, and what the models know them by."""
    tokens: list[Token] = []
    model_words: list[str] = []
    negated = 0
    for match in _ENGLISH_TOKEN.finditer(text):
        word = match[0]
        known_as, tag = describe_english_word(word[:_LONGEST_WORD])
        tokens.append(Token(word, match.start(), match.end(), tag))
        if tag == "x" or known_as == "but":
            negated = 0
        model_words.append(f"not_{known_as}" if negated else known_as)
        negated = _NEGATION_REACH if known_as in NEGATORS else max(0, negated - 1)
    return EnglishWords(tokens, model_words)


@lru_cache(maxsize=50_000)
def describe_english_word(word: str) -> tuple[str, str]:
    """Return the form in which the models know a word (small letters, digits as 0) and its part of speech."""
    if word[0].isdigit():
        return "0", "m"
    if not word[0].isalpha():
        return word[0], "x"
    small = word.lower().replace("’", "'")
    tag = _CLOSED_TAGS.get(small)
    if tag is None:
        tag = next((name for name, endings in _ENDINGS if len(small) > 4 and small.endswith(endings)), "n")
    return small, tag
