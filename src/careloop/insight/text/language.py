"""The language of a text: scripts decide first, then English words, then a model; what none can tell stays "und"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.language_model import guess_language
from careloop.insight.text.sequences import Sequences

_RANGES = {
    "latin": ((0x41, 0x5A), (0x61, 0x7A), (0xFF21, 0xFF3A), (0xFF41, 0xFF5A)),
    "accented": ((0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x24F), (0x1E00, 0x1EFF)),
    "han": ((0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF)),
    "simplified": (),
    "traditional": (),
    "kana": ((0x3041, 0x3096), (0x30A1, 0x30FA), (0x31F0, 0x31FF), (0xFF66, 0xFF9D)),
    "hangul": ((0x1100, 0x11FF), (0x3131, 0x318E), (0xAC00, 0xD7A3)),
    "cyrillic": ((0x400, 0x52F),),
    "arabic": ((0x620, 0x64A), (0x671, 0x6D5)),
    "devanagari": ((0x904, 0x939),),
    "greek": ((0x370, 0x3FF), (0x1F00, 0x1FFF)),
    "hebrew": ((0x5D0, 0x5EA),),
    "thai": ((0xE01, 0xE30), (0xE40, 0xE46)),
    "bengali": ((0x985, 0x9B9),),
    "gurmukhi": ((0xA05, 0xA39),),
    "gujarati": ((0xA85, 0xAB9),),
    "odia": ((0xB05, 0xB39),),
    "tamil": ((0xB85, 0xBB9),),
    "telugu": ((0xC05, 0xC39),),
    "kannada": ((0xC85, 0xCB9),),
    "malayalam": ((0xD05, 0xD3A),),
    "sinhala": ((0xD85, 0xDC6),),
    "lao": ((0xE81, 0xEB0), (0xEC0, 0xEC4)),
    "tibetan": ((0xF40, 0xF6C),),
    "burmese": ((0x1000, 0x102A),),
    "georgian": ((0x10A0, 0x10FF),),
    "armenian": ((0x531, 0x587),),
    "ethiopic": ((0x1200, 0x135A),),
    "khmer": ((0x1780, 0x17B3),),
}
_CLASSES = ("none", *_RANGES)
_FIRST_OTHER = _CLASSES.index("kana")
_OF_SCRIPT = {
    "kana": "ja", "hangul": "ko", "greek": "el", "hebrew": "he", "thai": "th", "bengali": "bn", "gurmukhi": "pa", "gujarati": "gu",
    "odia": "or", "tamil": "ta", "telugu": "te", "kannada": "kn", "malayalam": "ml", "sinhala": "si", "lao": "lo", "tibetan": "bo",
    "burmese": "my", "georgian": "ka", "armenian": "hy", "ethiopic": "am", "khmer": "km",
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
    "es": "el la los las de un una unos y es son fue yo usted nosotros no para que en con por mi su pero muy cómo cuándo dónde está del al "
    "se lo como más gracias hola pedido quiero tengo",
    "pt": "o os as um uma e é são foi eu você nós não para que em com por meu minha seu mas muito como quando onde está do da no na se "
    "mais obrigado obrigada olá pedido quero tenho",
    "it": "il lo gli un una e è sono ho io lei noi non per che in con di del della mio mia ma molto come quando dove questo questa "
    "grazie ciao ordine vorrei",
    "nl": "de het een en is zijn was ik je u wij niet voor met op van te mijn maar heel ook hoe wat waar wanneer heb hebben geen bedankt "
    "bestelling",
}
_ENGLISH = frozenset(_SMALL_WORDS["en"].split())
_FOREIGN = frozenset(" ".join(words for name, words in _SMALL_WORDS.items() if name != "en").split()) - _ENGLISH
_LANGUAGES_OF_SMALL_WORD = {
    word: frozenset(name for name, words in _SMALL_WORDS.items() if word in words.split()) for word in _FOREIGN | _ENGLISH
}
_LATIN_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_SAMPLE = 400  # characters looked at when words decide
_SURE, _RATHER, _NO_IDEA = 0.99, 0.7, 0.1  # probabilities of what rules decide
_LEAST_PROBABILITY = 0.5
_FEW_WORDS, _LEAST_OF_FEW = 2, 0.8
_MUCH = 0.9  # against words that are mostly English


@dataclass(frozen=True, slots=True)
class Language:
    """What a text is written in.

    Attributes
    ----------
    name : str
        "zh-Hans", "zh-Hant", "en", "mixed", an ISO 639-1 code, or "und".
    chinese_ratio : float
        Share of its words that are Chinese, 0–1 (1 for a text without letters, such as “👍”).
    probability : float
        That the name is right, 0–1; low for "und".
    """

    name: str
    chinese_ratio: float = 0.0
    probability: float = _SURE


def find_languages(texts: Sequence[str], characters: Sequences, english_words: frozenset[str]) -> list[Language]:
    """Return the language of each text.

    Parameters
    ----------
    texts : sequence of str, length n_texts
        Readable texts.
    characters : Sequences
        Their code points, before folding.
    english_words : frozenset of str
        Common English words in small letters; a text of them needs no model.
    """
    counts = characters.count_classes(_class_table(), len(_CLASSES))
    others = counts[:, _FIRST_OTHER:].argmax(axis=1) + _FIRST_OTHER
    rows = zip(texts, counts[:, 1:_FIRST_OTHER].tolist(), others.tolist(), counts[np.arange(len(texts)), others].tolist(), strict=True)
    return [_decide(text, own, _CLASSES[other], count, english_words) for text, own, other, count in rows]


def _decide(text: str, counts: list[int], other: str, n_other: int, english_words: frozenset[str]) -> Language:
    plain, accented, shared, simplified, traditional = counts
    han, latin = shared + simplified + traditional, plain + accented
    if n_other > (0.1 * han if other == "kana" else han + latin):
        if other in _OF_SCRIPT:
            return Language(_OF_SCRIPT[other])
        name, probability = guess_language(text[:_SAMPLE], other)
        return Language(name, probability=round(probability, 3))
    if not han:
        return _of_latin(text, english_words) if latin else Language("und", 1.0, _NO_IDEA)
    han_words, latin_words = han / _CHARACTERS_PER_HAN_WORD, latin / _LETTERS_PER_LATIN_WORD
    ratio = han_words / (han_words + latin_words)
    if latin_words >= 3 and ratio < 0.8 and _is_english_within(text):
        return Language("mixed" if ratio > 0.15 else "en", ratio)
    return Language("zh-Hant" if traditional > simplified else "zh-Hans", 1.0, _SURE if simplified != traditional else _RATHER)


def _is_english_within(text: str) -> bool:
    return any(word.lower() in _ENGLISH for word in re.findall("[A-Za-z']+", text[:_SAMPLE]))


def _of_latin(text: str, english_words: frozenset[str]) -> Language:
    """Return English when nearly every word is; ask the model otherwise, and believe it only when the words bear it out."""
    words = [word.replace("’", "'") for word in _LATIN_WORD.findall(text[:_SAMPLE].lower())]
    known = sum(word in english_words for word in words)
    foreign = [word for word in words if word in _FOREIGN]
    share = known / len(words)
    if share >= 0.7 and len(foreign) <= sum(word in _ENGLISH for word in words):
        return Language("en")
    if (
        foreign
        and len(words) <= _FEW_WORDS
        and len(lone := frozenset.intersection(*map(_LANGUAGES_OF_SMALL_WORD.__getitem__, foreign))) == 1
    ):
        return Language(min(lone), 0.0, _RATHER)
    name, probability = guess_language(" ".join(words), "latin")
    if name == "en":
        return Language("en", 0.0, round(probability, 3)) if share >= 0.25 else Language("und", 0.0, _NO_IDEA)
    is_borne_out = any(name in _LANGUAGES_OF_SMALL_WORD[word] for word in foreign)
    least = _LEAST_PROBABILITY if is_borne_out or len(words) > _FEW_WORDS else _LEAST_OF_FEW
    if probability >= (least if is_borne_out or share < 0.5 else _MUCH):
        return Language(name, 0.0, round(probability, 3))
    return Language("en", 0.0, _RATHER) if share >= 0.5 else Language("und", 0.0, _NO_IDEA)


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
