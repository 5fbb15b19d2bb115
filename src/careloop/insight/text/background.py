"""How rare a word is in ordinary customer talk, from the shipped table."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from careloop.insight.text.artefacts import load


@dataclass(frozen=True, slots=True)
class Background:
    """Rarity (inverse document frequency, natural logarithm) of known words, and of all others."""

    rarity: dict[str, float]
    rarity_of_unknown: float


@cache
def load_background(language: str) -> Background:
    """Return the background of “zh” or “en”."""
    artefact = load("background")
    words = artefact.arrays[f"words_{language}"].tobytes().decode("utf-8").split("\n")
    rarity = dict(zip(words, artefact.arrays[f"rarity_{language}"].astype(float).tolist(), strict=True))
    return Background(rarity, float(artefact.settings["rarity_of_unknown"][language]))


@cache
def common_english_words() -> frozenset[str]:
    """Return the English words of the background, small."""
    return frozenset(word for word in load_background("en").rarity if word.isalpha() or "'" in word)
