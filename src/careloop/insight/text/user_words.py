"""Words that the house knows better than the dictionary: product names and the like, kept whole with a tag of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from careloop.insight.errors import InputError
from careloop.insight.text.sequences import simplify
from careloop.insight.types import Token

DEFAULT_TAG = "product"
_LONGEST_WORD = 60
_SHORTEST_OWN_TAG = 5  # letters; shorter ones are the tagger's
_NOUN_TAGS = frozenset({"n", "nz", "nt", "ns", "nr"})

_Trie: TypeAlias = "dict[str, _Trie]"


class UserWords:
    """A user's dictionary.

    Parameters
    ----------
    words : iterable of str, or mapping of str to str
        Words, or words with their tags; capitals, width of blanks and traditional characters make no difference. Of two words that
        begin at the same place the longer is taken.
    tag : str
        The tag of words that are given without one: at least five letters, or one of the tagger's for nouns (n, nz, nt, ns, nr).

    Raises
    ------
    InputError
        When a word is empty or longer than 60 characters, or a tag is too short to be told from the tagger's.

    Examples
    --------
    >>> from careloop.insight.text.words import find_chinese_words
    >>> words = UserWords(["小爱同学Pro"])
    >>> [token.text for token in words.merge("小爱同学Pro坏了", find_chinese_words("小爱同学Pro坏了"))]
    ['小爱同学Pro', '坏', '了']
    """

    def __init__(self, words: Iterable[str] | Mapping[str, str], *, tag: str = DEFAULT_TAG) -> None:
        given = dict(words) if isinstance(words, Mapping) else dict.fromkeys(words, tag)
        self.tags = {_key(word): _check_tag(one) for word, one in given.items()}
        for word in given:
            if not 0 < len(_key(word)) <= _LONGEST_WORD:
                raise InputError(f"A word of a dictionary has 1–{_LONGEST_WORD} characters; “{word[:80]}” was given.", field="words")
        self._expression = re.compile(_write_words(self.tags), re.IGNORECASE) if self.tags else None

    def __len__(self) -> int:
        """Return the number of words."""
        return len(self.tags)

    def find(self, text: str) -> Iterator[Token]:
        """Yield the user's words in a text, left to right, none overlapping another."""
        if self._expression is None:
            return
        plain = text if text.isascii() else simplify(text)
        for match in self._expression.finditer(plain):
            start, end = match.span()
            yield Token(text[start:end], start, end, self.tags[_key(match[0])])

    def merge(self, text: str, tokens: list[Token]) -> list[Token]:
        """Return the tokens of a text with the user's words whole: what they cut in two keeps its rest and its tag."""
        found = list(self.find(text))
        if not found:
            return tokens
        merged: list[Token] = []
        place = 0
        for word in found:
            while place < len(tokens) and tokens[place].end <= word.start:
                merged.append(tokens[place])
                place += 1
            if place < len(tokens) and tokens[place].start < word.start:
                merged.append(_cut(text, tokens[place].start, word.start, tokens[place].pos))
            merged.append(word)
            while place < len(tokens) and tokens[place].end <= word.end:
                place += 1
            if place < len(tokens) and tokens[place].start < word.end:
                tokens = [*tokens[:place], _cut(text, word.end, tokens[place].end, tokens[place].pos), *tokens[place + 1 :]]
        return merged + tokens[place:]


def _cut(text: str, start: int, end: int, tag: str) -> Token:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Token(text[start:end], start, end, tag)


def _key(word: str) -> str:
    return " ".join(simplify(word).lower().split())


def _check_tag(tag: str) -> str:
    if len(tag) >= _SHORTEST_OWN_TAG or tag in _NOUN_TAGS:
        return tag
    raise InputError(f"The tag of a user’s word has at least {_SHORTEST_OWN_TAG} letters; “{tag}” was given.", field="tag")


def _write_words(words: Iterable[str]) -> str:
    """Return one expression for all words, as a trie: the time to search does not grow with their number."""
    trie: _Trie = {}
    for word in words:
        node = trie
        for character in word:
            node = node.setdefault(character, {})
        node[""] = {}
    return rf"(?:(?<![a-z0-9])(?=[a-z0-9])|(?![a-z0-9])){_write(trie)}"


def _write(node: _Trie, before: str = "") -> str:
    branches = [_write_character(character) + _write(rest, character) for character, rest in sorted(node.items()) if character]
    end = "(?![a-z0-9])" if before.isascii() and before.isalnum() else ""
    if "" not in node:
        return branches[0] if len(branches) == 1 else f"(?:{'|'.join(branches)})"
    return f"(?:{'|'.join([*branches, end])})" if branches else end


def _write_character(character: str) -> str:
    return r"\s{1,3}" if character == " " else re.escape(character)
