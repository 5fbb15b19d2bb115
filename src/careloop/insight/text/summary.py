"""A summary of a text: its own sentences that say most, in their order, never longer than asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from careloop.insight.text.keywords import weigh_words
from careloop.insight.text.letters import is_courtesy, strip_letter
from careloop.insight.text.readable import to_readable
from careloop.insight.text.sentences import is_same, pair_characters, shorten, split_sentences
from careloop.insight.text.words import find_words

LONGEST = 120
_LEAST_SHARE, _LEAST_OF_KEYWORDS = 0.35, 0.5  # a further sentence is worth taking when it adds that share of what the best one does
_NOT_ONLY_SIGNS = re.compile(r"[^\s。，、！？!?.…,;；:：~～'\"-]")
_MOST_CANDIDATES = 40  # the best sentences, among which those are sought that add most
_LONGEST_COURTESY = 60  # characters
_READ = 20_000  # characters of a very long text that a reading searches


def summarise(text: str, *, characters: int = LONGEST) -> str:
    """Return the sentences of a text that say most, in their order.

    Greeting, signature and quoted mail are left out, and what was said before. Sentences are chosen one by one, each for the words
    that it adds, weighed by frequency here and rarity elsewhere, for the square root of its length.

    Parameters
    ----------
    text : str
        Of any length, in Chinese, English or both.
    characters : int
        Longest summary, at least 1; a sentence that is longer by itself is cut at a clause and ends in “…”.

    Returns
    -------
    str
        Empty for a text without words.

    References
    ----------
    Filatova & Hatzivassiloglou 2004, "Event-based Extractive Summarization" (greedy cover of weighed concepts); ours: the weights.
    """
    body = strip_letter(to_readable(text))
    if len(body) <= characters and len(body) <= LONGEST // 2:
        return " ".join(body.split()) if _NOT_ONLY_SIGNS.search(body) else ""
    sentences = _sentences(body)
    words = [find_words(sentence) for sentence in sentences]
    weights = {word: weight**0.5 for word, weight in weigh_words(token for tokens in words for token in tokens).items()}
    contents = [{word for token in tokens if (word := token.text.lower()) in weights} for tokens in words]
    return _choose(sentences, contents, weights, characters)


def summarise_reading(text: str, keywords: Sequence[str]) -> str:
    """Return a summary of at most 120 characters of a text whose keywords are known, most telling first; much cheaper."""
    whole = text[:_READ].strip()
    if len(whole) <= LONGEST // 2:
        return " ".join(whole.split())
    weights = {word: 1.0 / (rank + 2) for rank, word in enumerate(keywords)}
    sentences = _sentences(strip_letter(whole) or whole)
    contents = [{word for word in keywords if word in small} for small in map(str.lower, sentences)]
    return _choose(sentences, contents, weights, LONGEST, _LEAST_OF_KEYWORDS)


def _sentences(text: str) -> list[str]:
    sentences = list(dict.fromkeys(split_sentences(text)))
    return [sentence for sentence in sentences if len(sentence) > _LONGEST_COURTESY or not is_courtesy(sentence)] or sentences


def _choose(sentences: list[str], contents: list[set[str]], weights: dict[str, float], characters: int, share: float = _LEAST_SHARE) -> str:
    """Return the sentences of most gain, greedily, that fit together and differ, in their order."""
    if not sentences:
        return ""
    gains = [_gain(sentence, content, weights) for sentence, content in zip(sentences, contents, strict=True)]
    rest = sorted(range(len(sentences)), key=lambda place: -gains[place])[:_MOST_CANDIDATES]
    first = rest.pop(0)
    chosen, covered, used = [first], set(contents[first]), len(shorten(sentences[first], characters))
    least = share * gains[first]
    while rest := [one for one in rest if not contents[one] <= covered]:
        place = max(rest, key=lambda one: (_gain(sentences[one], contents[one] - covered, weights), -one))
        gain = _gain(sentences[place], contents[place] - covered, weights)
        if gain < least:
            break
        rest.remove(place)
        length = len(sentences[place]) + 1
        if used + length <= characters and not _is_said(sentences[place], [sentences[one] for one in chosen]):
            chosen.append(place)
            covered |= contents[place]
            used += length
    return _join([shorten(sentences[place], characters) for place in sorted(chosen)])


def _is_said(sentence: str, others: list[str]) -> bool:
    pairs = pair_characters(sentence)
    return any(is_same(pairs, pair_characters(other)) for other in others)


def _gain(sentence: str, content: set[str], weights: dict[str, float]) -> float:
    return sum(map(weights.__getitem__, content)) / math.sqrt(10 + min(len(sentence), LONGEST))


def _join(sentences: list[str]) -> str:
    joined = sentences[0]
    for sentence in sentences[1:]:
        joined += f" {sentence}" if joined[-1].isascii() else sentence
    return joined
