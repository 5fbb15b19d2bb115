"""The language of a text: scripts decide first, then small words; what neither can tell stays "und"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.sequences import Sequences

_CLASSES = (
    *("none", "latin", "accented", "han", "simplified", "traditional", "kana"),
    *("hangul", "cyrillic", "greek", "arabic", "hebrew", "thai", "devanagari"),
)
_RANGES = {
    "latin": ((0x41, 0x5A), (0x61, 0x7A), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A)),
    "accented": ((0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x24F), (0x1E00, 0x1EFF)),
    "han": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)),
    "kana": ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x31F0, 0x31FF), (0xFF66, 0xFF9D)),
    "hangul": ((0x1100, 0x11FF), (0x3131, 0x318E), (0xAC00, 0xD7A3)),
    "cyrillic": ((0x400, 0x52F),),
    "greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "arabic": ((0x620, 0x64A), (0x671, 0x6D3)),
    "hebrew": ((0x5D0, 0x5EA),),
    "thai": ((0xE01, 0xE30), (0xE40, 0xE46)),
    "devanagari": ((0x904, 0x939),),
}
_OF_SCRIPT = {
    "kana": "ja", "hangul": "ko", "cyrillic": "ru", "greek": "el", "arabic": "ar",
    "hebrew": "he", "thai": "th", "devanagari": "hi",
}  # fmt: skip
_CHARACTERS_PER_HAN_WORD = 1.7  # measured with rjieba on reviews
_LETTERS_PER_LATIN_WORD = 4.2

_SMALL_WORDS = {
    "en": "the a an is are was were be been i you he she it we they my your this that these those to of in on at for from with and or "
    "but not no do does did don't can can't could will would should have has had what when where who why how please there here if so "
    "am i'm it's me us very too just about them his her our their its any some get got",
    "fr": "le la les un une des du de et est sont je vous nous il elle pas ne pour que qui dans avec sur mon ma mes votre ce cette mais "
    "très bien au aux plus j'ai c'est où été merci bonjour commande",
    "de": "der die das den dem ein eine einen und ist sind war ich sie wir er es nicht für mit auf von zu im am bei mein meine ihr aber "
    "sehr auch wie was wo wann habe haben bitte noch kein keine danke bestellung",
    "es": "el los las un una unos y es son fue yo usted nosotros no para que en con por mi su pero muy cómo cuándo dónde está del al "
    "se lo como más gracias hola pedido quiero tengo",
    "pt": "o os as um uma e é são foi eu você nós não para que em com por meu minha seu mas muito como quando onde está do da no na se "
    "mais obrigado obrigada olá pedido quero tenho",
    "it": "il lo gli un una e è sono ho io lei noi non per che in con di del della mio mia ma molto come quando dove questo questa "
    "grazie ciao ordine vorrei",
    "nl": "de het een en is zijn was ik je u wij niet voor met op van te mijn maar heel ook hoe wat waar wanneer heb hebben geen bedankt "
    "bestelling",
}
_STOP_WORDS = {name: frozenset(words.split()) for name, words in _SMALL_WORDS.items()}
_ENGLISH = _STOP_WORDS["en"]
_LATIN_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_LATIN_SAMPLE = 2000  # characters looked at when small words decide


@dataclass(frozen=True, slots=True)
class Language:
    """Name of the language and the share of its words that are Chinese, 0–1 (1 for a text without letters, such as “👍”)."""

    name: str
    chinese_ratio: float = 0.0


def find_languages(texts: Sequence[str], characters: Sequences, english_words: frozenset[str]) -> list[Language]:
    """Return the language of each text.

    Parameters
    ----------
    texts : sequence of str, length n_texts
        Readable texts.
    characters : Sequences
        Their code points, before folding.
    english_words : frozenset of str
        Common English words in small letters; they decide on short texts without any small word.
    """
    counts = characters.count_classes(_class_table(), len(_CLASSES))
    return [_decide(text, dict(zip(_CLASSES, row, strict=True)), english_words) for text, row in zip(texts, counts.tolist(), strict=True)]


def _decide(text: str, counts: dict[str, int], english_words: frozenset[str]) -> Language:
    han = counts["han"] + counts["simplified"] + counts["traditional"]
    latin = counts["latin"] + counts["accented"]
    other = max(_OF_SCRIPT, key=lambda script: counts[script])
    if counts[other] > (0.1 * han if other == "kana" else han + latin):
        return Language(_of_script(other, text))
    if not han:
        return Language(_of_latin(text, english_words)) if latin else Language("und", 1.0)
    han_words, latin_words = han / _CHARACTERS_PER_HAN_WORD, latin / _LETTERS_PER_LATIN_WORD
    ratio = han_words / (han_words + latin_words)
    if latin_words >= 3 and ratio < 0.8 and _is_english_within(text):
        return Language("mixed" if ratio > 0.15 else "en", ratio)
    return Language("zh-Hant" if counts["traditional"] > counts["simplified"] else "zh-Hans", 1.0)


def _of_script(script: str, text: str) -> str:
    if script == "cyrillic" and re.search("[іїєґІЇЄҐ]", text):
        return "uk"
    if script == "arabic" and re.search("[پچژگ]", text):
        return "fa"
    return _OF_SCRIPT[script]


def _is_english_within(text: str) -> bool:
    return any(word.lower() in _ENGLISH for word in re.findall("[A-Za-z']+", text[:_LATIN_SAMPLE]))


def _of_latin(text: str, english_words: frozenset[str]) -> str:
    words = [word.lower().replace("’", "'") for word in _LATIN_WORD.findall(text[:_LATIN_SAMPLE])]
    votes = {name: sum(word in small for word in words) for name, small in _STOP_WORDS.items()}
    best = max(votes, key=lambda name: votes[name])
    if votes[best] > votes["en"]:
        return best if votes[best] >= 2 else "und"
    known = sum(word in english_words or word in _ENGLISH for word in words)
    return "en" if known * 2 >= len(words) else "und"


@cache
def _class_table() -> NDArray[np.uint8]:
    table = np.zeros(0x110000, dtype=np.uint8)
    for name, ranges in _RANGES.items():
        for first, last in ranges:
            table[first : last + 1] = _CLASSES.index(name)
    path = resources.files("careloop.insight.text") / "models" / "traditional.txt"
    traditional, _, simplified = path.read_text(encoding="utf-8").splitlines()
    table[[ord(character) for character in traditional]] = _CLASSES.index("traditional")
    table[[ord(character) for character in simplified]] = _CLASSES.index("simplified")
    return table
