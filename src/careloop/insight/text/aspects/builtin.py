"""Aspects that need no learning: words that name them, and the opinion of the words around each.

The opinion is the sentiment model's own: its weights of words are summed over the part of a clause that belongs to the aspect, and scaled
as if that part stood alone.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from careloop.insight.types import Aspect, Sentiment, Token

_CLAUSE_ENDS = frozenset("，。！？；、,.!?;:：\n…~～()（）")
_TURN_WORDS = ("but", "however", "although", "though", "except", "yet", "while")
_TURNS = frozenset(["但", "但是", "可是", "不过", "然而", "只是", "就是", "而", "却", *_TURN_WORDS, *map(str.capitalize, _TURN_WORDS)])
_LINKS = frozenset(["和", "与", "跟", "及", "以及", "还有", "也", "又", "、", "而且", "and", "with", "plus", "&", "or", "also"])
_NEGATORS = frozenset(
    ["不", "没", "没有", "不是", "并不", "不太", "不够", "别", "not", "no", "never", "isn't", "wasn't", "aren't", "weren't"]
)
_NEGATION_REACH = 2  # words
_PLAIN = 1.0  # log-odds that a plainly good or bad word adds
_MOST_LOGIT = 5.0
_FIRST_HAN = "\u3400"  # a blank before a Chinese word does a comma's work
_LONGEST_GAP = 1  # words between two names that share one opinion: “质量和服务都好”
_LEAST_OPINION = 0.25  # log-odds; a part that leans less holds no opinion of its own


def find_aspects(tokens: Sequence[Token], weights: Sequence[float], *, half_width: float, is_chinese: bool) -> tuple[Aspect, ...]:
    """Return the aspects spoken of, one entry each, in order of place.

    Parameters
    ----------
    tokens : sequence of Token, length n_words
    weights : sequence of float, length n_words
        What each word added to the log-odds of the text's being positive.
    half_width : float
        Of the probability around 0.5 within which an opinion counts as neutral, 0–0.5.
    is_chinese : bool
        Chinese opinions follow the name; English ones stand on either side.
    """
    terms = _terms()
    names = [place for place, token in enumerate(tokens) if token[0] in terms]
    if not names:
        return ()
    found: dict[str, tuple[float, int, int]] = {}
    strongest: dict[str, float] = {}
    for first, end, inside in _parts(tokens, names, weights, is_chinese=is_chinese):
        logit = sum(weights[first:end]) * math.sqrt(len(tokens) / (end - first)) + _sum_plain(tokens, first, end)
        for aspect in dict.fromkeys(terms[tokens[place][0]].aspect for place in inside):
            total = found[aspect][0] + logit if aspect in found else logit
            if aspect not in found or abs(logit) > strongest[aspect]:
                strongest[aspect] = abs(logit)
                found[aspect] = (total, tokens[first].start, tokens[end - 1].end)
            else:
                found[aspect] = (total, *found[aspect][1:])
    ordered = sorted(found.items(), key=lambda item: item[1][1])
    return tuple(_settle(aspect, logit, start, end, half_width) for aspect, (logit, start, end) in ordered)


def _sum_plain(tokens: Sequence[Token], first: int, end: int) -> float:
    """Return the log-odds of the words that are plainly good or bad; a negator just before turns one round."""
    plain, total = _plain_opinions(), 0.0
    for place, token in enumerate(tokens[first:end], first):
        if token[0] in plain:
            is_negated = any(before[0].lower() in _NEGATORS for before in tokens[max(first, place - _NEGATION_REACH) : place])
            total += -plain[token[0]] if is_negated else plain[token[0]]
    return total


def _settle(aspect: str, logit: float, start: int, end: int, half_width: float) -> Aspect:
    probability = 1 / (1 + math.exp(-max(-_MOST_LOGIT, min(_MOST_LOGIT, logit))))
    label: Sentiment = "positive" if probability >= 0.5 else "negative"
    if abs(probability - 0.5) < half_width:
        label = "neutral"
    return Aspect(aspect, label, round(probability, 4), start, end)


def _parts(
    tokens: Sequence[Token], names: list[int], weights: Sequence[float], *, is_chinese: bool
) -> Iterator[tuple[int, int, list[int]]]:
    """Yield first word, end and names of every part of a clause that has an opinion to itself."""
    terms = _terms()
    for first, end in _clauses(tokens, names):
        inside = [place for place in names if first <= place < end]
        inside = [place for place in inside if not terms[tokens[place][0]].is_implied] or inside
        groups = _group(tokens, inside)
        if len(groups) == 1:
            yield first, end, inside
            continue
        cuts = [
            first,
            *(_cut(tokens, before[-1], after[0], is_chinese=is_chinese) for before, after in itertools.pairwise(groups)),
            end,
        ]
        for group, start, stop in zip(groups, cuts, cuts[1:], strict=False):
            if abs(sum(weights[start:stop])) < _LEAST_OPINION:
                start, stop = first, end  # noqa: PLW2901 — the clause's opinion is its own
            yield start, stop, group


def _clauses(tokens: Sequence[Token], names: list[int]) -> Iterator[tuple[int, int]]:
    """Yield first word and end of every clause that names an aspect."""
    left = iter(names)
    name = next(left, None)
    first, last_end = 0, 0
    for place, token in enumerate(tokens):
        word, start = token[0], token[1]
        is_end = word[0] in _CLAUSE_ENDS
        if is_end or word in _TURNS or (last_end < start and place > first and word >= _FIRST_HAN):
            if name is not None and name < place:
                yield first, place
                while name is not None and name < place:
                    name = next(left, None)
            if name is None:
                return
            first = place + is_end
        last_end = token[2]
    if name is not None:
        yield first, len(tokens)


def _group(tokens: Sequence[Token], names: list[int]) -> list[list[int]]:
    """Return names that share one opinion together: neighbours, with at most a link between them, or one aspect named twice."""
    terms, groups = _terms(), [[names[0]]]
    for place in names[1:]:
        last = groups[-1][-1]
        between = tokens[last + 1 : place]
        is_linked = len(between) <= _LONGEST_GAP and all(token[0].lower() in _LINKS for token in between)
        if is_linked or terms[tokens[last][0]].aspect == terms[tokens[place][0]].aspect:
            groups[-1].append(place)
        else:
            groups.append([place])
    return groups


def _cut(tokens: Sequence[Token], before: int, after: int, *, is_chinese: bool) -> int:
    """Return where one part ends and the next begins, given the names on both sides."""
    links = [place for place in range(before + 1, after) if tokens[place][0].lower() in _LINKS]
    if links:
        return links[-1]
    return after if is_chinese else (before + after + 1) // 2


def list_aspects() -> tuple[str, ...]:
    """Return the name of every aspect that needs no learning."""
    return tuple(_load_words()["aspects"])


class _Term(NamedTuple):
    aspect: str
    is_implied: bool  # counts only where the clause names no aspect outright


@cache
def _terms() -> dict[str, _Term]:
    """Return the aspect of every word; English ones also with a capital."""
    terms: dict[str, _Term] = {}
    for aspect, words in _load_words()["aspects"].items():
        for word in words["zh"].split() + words["en"].split():
            plain = word.removeprefix("~")
            for form in (plain, plain.capitalize(), plain.upper()):
                terms.setdefault(form, _Term(aspect, plain != word))
    return terms


@cache
def _plain_opinions() -> dict[str, float]:
    words = _load_words()
    plain = dict.fromkeys(words["good"].split(), _PLAIN) | dict.fromkeys(words["bad"].split(), -_PLAIN)
    return plain | {word.capitalize(): opinion for word, opinion in plain.items()}


def _load_words() -> dict[str, Any]:
    path = resources.files("careloop.insight.text.aspects") / "terms.json"
    words: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return words
