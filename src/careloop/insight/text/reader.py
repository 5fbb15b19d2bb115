"""One batch of texts through every part: language, words, sentiment, kind, keywords, entities, summary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text import kind, sentiment
from careloop.insight.text.adaptation import SHIPPED, Adaptation
from careloop.insight.text.aspects.builtin import find_aspects
from careloop.insight.text.background import common_english_words
from careloop.insight.text.entities import find_entities
from careloop.insight.text.keywords import find_keywords
from careloop.insight.text.language import Language, find_languages
from careloop.insight.text.ngrams import Floats
from careloop.insight.text.readable import to_readable
from careloop.insight.text.sequences import Sequences, fold, read_characters, read_words
from careloop.insight.text.summary import summarise_reading
from careloop.insight.text.user_words import UserWords
from careloop.insight.text.words import find_chinese_words, find_english_words
from careloop.insight.types import KINDS, Aspect, Reading, Sentiment, Span, Token

_MOST_SPANS = 5
_LEAST_WEIGHT = 0.2  # log-odds; a word that weighs less did not decide anything
_FIRST_EMOJI = "\U0001f000"
_SURE_KIND = 0.8  # a contact as surely a question or small talk as this …
_CLEAR_OPINION = {"consultation": 0.9, "other": 0.75}  # … is neutral unless its opinion is this clear


@dataclass(slots=True)  # not frozen, as it is made for every text and freezing costs time
class _Draft:
    """What one language's models made of one text."""

    tokens: list[Token]
    logit: float
    is_known: bool
    kinds: Floats
    sentiment_spans: list[Span] = field(default_factory=list)
    kind_spans: list[Span] = field(default_factory=list)
    aspects: tuple[Aspect, ...] = ()


def read_batch(
    texts: Sequence[str], user_words: UserWords | None = None, adaptation: Adaptation | None = None, *, is_explained: bool = True
) -> list[Reading]:
    """Return one reading per text; a failure in any of them fails the batch. Unexplained ones have no evidence and no aspects."""
    adaptation = adaptation or SHIPPED
    marks = adaptation.marks
    readable = [to_readable(text) for text in texts]
    languages = find_languages(readable, read_characters(readable), common_english_words())
    chinese_rows = [row for row, language in enumerate(languages) if _is_chinese(language)]
    english_rows = [row for row, language in enumerate(languages) if _is_english(language)]
    chinese_texts, english_texts = [readable[row] for row in chinese_rows], [readable[row] for row in english_rows]
    judge = adaptation.choose_judge(sentiment.CHINESE, chinese_texts)
    drafts = _read_chinese(chinese_texts, [languages[row] for row in chinese_rows], judge, is_explained=is_explained)
    chinese = dict(zip(chinese_rows, drafts, strict=True))
    drafts = _read_english(english_texts, adaptation.choose_judge(sentiment.ENGLISH, english_texts), is_explained=is_explained)
    english = dict(zip(english_rows, drafts, strict=True))
    readings = []
    for row, (text, language) in enumerate(zip(readable, languages, strict=True)):
        if row in chinese and row in english:
            draft = _blend(text, language.chinese_ratio, chinese[row], english[row])
        else:
            draft = chinese.get(row) or english.get(row) or _read_other(text)
        if user_words is not None:
            draft = replace(draft, tokens=user_words.merge(text, draft.tokens))
        readings.append(_assemble(text, language, draft, marks))
    return readings


def _is_chinese(language: Language) -> bool:
    return language.chinese_ratio > 0 and language.name != "en"


def _is_english(language: Language) -> bool:
    return language.name in {"en", "mixed"}


def _read_chinese(texts: list[str], languages: list[Language], judge: sentiment.Judge, *, is_explained: bool) -> list[_Draft]:
    characters = fold(read_characters(texts))
    tokens = [find_chinese_words(text, is_traditional=language.name == "zh-Hant") for text, language in zip(texts, languages, strict=True)]
    feeling = judge.judge(characters, is_explained=is_explained)
    kinds = kind.load_kind(kind.CHINESE).judge(characters, feeling.logits, is_explained=is_explained)
    drafts = _draft(tokens, feeling, kinds)
    return _explain(drafts, characters, feeling.weights, kinds.weights, is_by_character=True) if is_explained else drafts


def _read_english(texts: list[str], judge: sentiment.Judge, *, is_explained: bool) -> list[_Draft]:
    found = [find_english_words(text) for text in texts]
    words = read_words([one.model_words for one in found], sentiment.hash_word)
    feeling = judge.judge(words, is_explained=is_explained)
    kinds = kind.load_kind(kind.ENGLISH).judge(words, feeling.logits, is_explained=is_explained)
    drafts = _draft([one.tokens for one in found], feeling, kinds)
    return _explain(drafts, words, feeling.weights, kinds.weights, is_by_character=False) if is_explained else drafts


def _draft(tokens: list[list[Token]], feeling: sentiment.Judgement, kinds: kind.KindJudgement) -> list[_Draft]:
    rows = zip(tokens, feeling.logits.tolist(), feeling.is_known.tolist(), kinds.probabilities, strict=True)
    return [_Draft(words, logit, is_known and _says_something(words), likely) for words, logit, is_known, likely in rows]


def _explain(
    drafts: list[_Draft], sequences: Sequences, feeling_weights: Floats, kind_weights: Floats, *, is_by_character: bool
) -> list[_Draft]:
    """Return the drafts with the words that decided, and with aspects."""
    tokens = [draft.tokens for draft in drafts]
    if is_by_character:
        feeling_weights, kind_weights = _sum_characters(sequences, tokens, feeling_weights, kind_weights)
    feeling_spans = _choose_spans(tokens, np.abs(feeling_weights), feeling_weights)
    kind_spans = _choose_spans(tokens, kind_weights, kind_weights)
    aspects = _find_aspects(tokens, feeling_weights.tolist(), is_chinese=is_by_character)
    return [
        replace(draft, sentiment_spans=feeling, kind_spans=kinds, aspects=named)
        for draft, feeling, kinds, named in zip(drafts, feeling_spans, kind_spans, aspects, strict=True)
    ]


def _says_something(tokens: list[Token]) -> bool:
    """Return whether there is a word or an emoji, and more than a lone Latin letter or digit."""
    if len(tokens) == 1 and len(tokens[0].text) == 1 and tokens[0].text.isascii():
        return False
    return any(token.pos != "x" or token.text[0] >= _FIRST_EMOJI for token in tokens)


def _find_aspects(tokens: list[list[Token]], weights: list[float], *, is_chinese: bool) -> list[tuple[Aspect, ...]]:
    half_width, first, found = _limits(is_chinese)[0], 0, []
    for words in tokens:
        end = first + len(words)
        found.append(find_aspects(words, weights[first:end], half_width=half_width, is_chinese=is_chinese))
        first = end
    return found


def _sum_characters(sequences: Sequences, tokens: list[list[Token]], *weights: Floats) -> list[Floats]:
    """Return the summed weights of the characters of every word, in order; one array for each that was given."""
    counts = [len(words) for words in tokens]
    offsets: NDArray[np.int64] = np.repeat(sequences.starts[:-1], counts)
    starts = offsets + np.fromiter((token.start for words in tokens for token in words), dtype=np.int64, count=sum(counts))
    ends = offsets + np.fromiter((token.end for words in tokens for token in words), dtype=np.int64, count=sum(counts))
    totals = [np.append(0.0, np.cumsum(one, dtype=np.float64)) for one in weights]
    return [np.asarray(total[ends] - total[starts], dtype=np.float32) for total in totals]


def _choose_spans(tokens: list[list[Token]], strengths: Floats, weights: Floats) -> list[list[Span]]:
    """Return the strongest words of every text, strongest first; punctuation decides nothing that a reader would accept."""
    ends = np.cumsum([len(words) for words in tokens])
    strong = np.flatnonzero(strengths >= _LEAST_WEIGHT)
    rows = np.searchsorted(ends, strong, side="right").tolist()
    chosen: list[list[tuple[float, Span]]] = [[] for _ in tokens]
    for row, place, weight in zip(rows, (strong - ends[rows]).tolist(), weights[strong].tolist(), strict=True):
        token = tokens[row][place]  # counted from the end of its text
        if token.pos != "x" or token.text[0] >= _FIRST_EMOJI:
            chosen[row].append((-abs(weight), Span(token.start, token.end, round(weight, 3))))
    return [[span for _, span in sorted(spans)[:_MOST_SPANS]] for spans in chosen]


def _blend(text: str, ratio: float, chinese: _Draft, english: _Draft) -> _Draft:
    """Return both languages' drafts as one, each weighing as much as it has words."""

    def mix(chinese_spans: list[Span], english_spans: list[Span]) -> list[Span]:
        spans = [Span(start, end, round(weight * ratio, 3)) for start, end, weight in chinese_spans if not text[start].isascii()]
        spans += [Span(start, end, round(weight * (1 - ratio), 3)) for start, end, weight in english_spans if text[start].isascii()]
        return sorted(spans, key=lambda span: -abs(span.weight))[:_MOST_SPANS]

    return replace(
        chinese,
        logit=ratio * chinese.logit + (1 - ratio) * english.logit,
        is_known=chinese.is_known or english.is_known,
        kinds=np.float32(ratio) * chinese.kinds + np.float32(1 - ratio) * english.kinds,
        sentiment_spans=mix(chinese.sentiment_spans, english.sentiment_spans),
        kind_spans=mix(chinese.kind_spans, english.kind_spans),
        aspects=_join_aspects(chinese.aspects, english.aspects),
    )


def _join_aspects(chinese: tuple[Aspect, ...], english: tuple[Aspect, ...]) -> tuple[Aspect, ...]:
    """Return both languages' aspects in order of place; Chinese words have the say on an aspect that both name."""
    named = {one.aspect for one in chinese}
    return tuple(sorted([*chinese, *(one for one in english if one.aspect not in named)], key=lambda one: one.start))


def _read_other(text: str) -> _Draft:
    """Return words only: the models do not know this language."""
    return _Draft(find_english_words(text).tokens, 0.0, False, np.zeros(len(KINDS), dtype=np.float32))


def _assemble(text: str, language: Language, draft: _Draft, marks: tuple[tuple[str, str], ...]) -> Reading:
    is_chinese, is_english = _is_chinese(language), _is_english(language)
    entities = find_entities(text, draft.tokens)
    keywords = find_keywords(draft.tokens, entities) if is_chinese or is_english else ()
    probability = 1 / (1 + math.exp(-draft.logit)) if draft.is_known else 0.5
    best = int(draft.kinds.argmax())
    kind_name, kind_probability = (KINDS[best], float(draft.kinds[best])) if draft.is_known else ("other", 0.0)
    half_width, least_kind = _limits(is_chinese)
    is_close = abs(probability - 0.5) < half_width
    clear = _CLEAR_OPINION.get(kind_name, 0.5) if kind_probability >= _SURE_KIND else 0.5
    label: Sentiment = "positive" if probability >= 0.5 else "negative"
    if is_close or not draft.is_known or max(probability, 1 - probability) < clear:
        label = "neutral"
    return Reading(
        language=language.name,
        language_probability=language.probability,
        tokens=tuple(draft.tokens),
        sentiment=label,
        sentiment_probability=round(probability, 4),
        sentiment_evidence=tuple(draft.sentiment_spans),
        sentiment_abstained=is_close or not draft.is_known,
        aspects=draft.aspects,
        kind=kind_name,
        kind_probability=round(min(kind_probability, 1.0), 4),
        kind_evidence=tuple(draft.kind_spans),
        kind_abstained=kind_probability < least_kind or not draft.is_known,
        keywords=keywords,
        entities=entities,
        summary=summarise_reading(text, keywords),
        models=_describe_models(is_chinese, is_english, marks),
    )


@cache
def _limits(is_chinese: bool) -> tuple[float, float]:
    """Return the neutral half width and the least probability of a kind."""
    if is_chinese:
        return sentiment.load_sentiment(sentiment.CHINESE).neutral_half_width, kind.load_kind(kind.CHINESE).least_probability
    return sentiment.load_sentiment(sentiment.ENGLISH).neutral_half_width, kind.load_kind(kind.ENGLISH).least_probability


@cache
def _describe_models(is_chinese: bool, is_english: bool, marks: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Return name and version of the models that took part, such as {"sentiment": "zh-2", "kind": "zh-3", "words": "rjieba-0.2.2"}.

    An adapted model is marked with a star, one that compares meanings with a wave: "zh-2*~".
    """
    used = [("zh", sentiment.CHINESE, kind.CHINESE)] * is_chinese + [("en", sentiment.ENGLISH, kind.ENGLISH)] * is_english
    models = {"words": f"rjieba-{version('rjieba')}" if is_chinese else "careloop-1"}
    if used:
        marked = dict(marks)
        models["sentiment"] = "+".join(f"{name}-{sentiment.load_sentiment(model).version}{marked[model]}" for name, model, _ in used)
        models["kind"] = "+".join(f"{name}-{kind.load_kind(model).version}" for name, _, model in used)
    return models
