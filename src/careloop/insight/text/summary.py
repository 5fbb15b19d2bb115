"""The one sentence that says most: extractive, never longer than 120 characters."""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST = 120
_SENTENCE = re.compile(r"[^。！？!?\n…；]+(?:[。！？!?…；]+|\n|$)")
_ENGLISH_SENTENCE = re.compile(r".+?(?:[.!?…]+(?=\s|$)|[。！？]+|\n|$)", re.DOTALL)
_CLAUSE_ENDS = "，,、; "
_READ = 20_000  # characters of a very long text that are searched


def summarise(text: str, keywords: Sequence[str], *, is_chinese: bool) -> str:
    """Return the sentence with most keywords for its length; among equals the earliest.

    Parameters
    ----------
    text : str
        Readable text.
    keywords : sequence of str
        Most telling first.
    is_chinese : bool
        Whether sentences end as in Chinese.
    """
    whole = text[:_READ].strip()
    if len(whole) <= LONGEST // 2:
        return " ".join(whole.split())
    pattern = _SENTENCE if is_chinese else _ENGLISH_SENTENCE
    sentences = [" ".join(found.split()) for found in pattern.findall(whole)]
    sentences = [sentence for sentence in sentences if sentence]
    if not sentences:
        return _shorten(" ".join(whole.split()))
    return _shorten(max(sentences, key=lambda sentence: _worth(sentence, keywords)))


def _worth(sentence: str, keywords: Sequence[str]) -> float:
    small = sentence.lower()
    found = sum(1.0 / (rank + 2) for rank, word in enumerate(keywords) if word in small)
    return float(found / (10 + min(len(sentence), LONGEST)) ** 0.5)


def _shorten(sentence: str) -> str:
    if len(sentence) <= LONGEST:
        return sentence
    cut = sentence[: LONGEST - 1]
    end = max(cut.rfind(mark) for mark in _CLAUSE_ENDS)
    return (cut[:end] if end >= LONGEST // 2 else cut) + "…"
