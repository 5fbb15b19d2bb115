"""Personal data out of texts that leave the house: names, numbers and addresses become placeholders, and are put back into the answer."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from careloop.insight.text.entities import find_entities
from careloop.insight.text.readable import to_readable
from careloop.insight.text.words import find_words

# What stands for an entity of the reading engine; kinds that are not here (amounts, dates, places) stay readable.
PLACEHOLDERS = {
    "email": "EMAIL",
    "phone": "PHONE",
    "order": "ORDER",
    "tracking": "PARCEL",
    "id_card": "ID",
    "bank_card": "CARD",
    "iban": "CARD",
    "plate": "PLATE",
    "address": "ADDRESS",
    "person": "NAME",
    "url": "LINK",
}
KEPT = {"amount", "date", "relative_date"}
# What the engine does not name but might tell of a person: anything like a mail address, long numbers and codes, house numbers.
SUSPICIOUS = (
    ("EMAIL", re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[\w.-]{1,255}")),
    (
        "ADDRESS",
        re.compile(
            r"[\u4e00-\u9fff]{2,12}(?:路|街|道|巷|弄|胡同|小区|花园|大厦|公寓|村)[\u4e00-\u9fffA-Za-z0-9-]{0,12}\d+[号號栋棟幢单元室楼层\d-]*"
        ),
    ),
    (
        "ADDRESS",
        re.compile(
            r"\b\d{1,5}\s+(?:[A-Z][\w'.-]*\s+){1,4}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Way|Court|Ct|Square|Place)\b\.?"
        ),
    ),
    ("NUMBER", re.compile(r"(?<![\w.])[A-Za-z]{0,4}\d(?:[ .\-]?\d){5,}[A-Za-z0-9]*")),
    ("NUMBER", re.compile(r"\b(?=[A-Z0-9-]*\d)(?=[A-Z0-9-]*[A-Z])[A-Z0-9-]{8,}\b")),
)
FORGED = re.compile(r"\[\s*([A-Z]{2,10}_\d{1,4})\s*\]")
ANSWERED = re.compile(r"[\[【［]\s*([A-Za-z]{2,10})[_ ](\d{1,4})\s*[\]】］]")


@dataclass(frozen=True)
class Span:
    """A part of a text that must not leave, and what it is."""

    start: int
    end: int
    kind: str


@dataclass
class Mask:
    """Placeholders of one conversation: the same value gets the same one everywhere, and an answer gets the values back."""

    names: dict[str, str] = field(default_factory=dict, repr=False)  # value as compared -> kind, known before any text is read
    _by_value: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)
    _values: dict[str, str] = field(default_factory=dict, repr=False)

    def know(self, values: Iterable[str], kind: str = "NAME") -> None:
        """Values that the house knows to be personal, wherever and however they stand."""
        for value in values:
            clean = _plain(value).strip()
            if len(clean) >= 2:
                self.names.setdefault(clean.casefold(), kind)
            for part in _parts_of_name(clean) if kind == "NAME" else ():
                self.names.setdefault(part.casefold(), kind)

    def hide(self, texts: Sequence[str]) -> list[str]:
        """The texts without personal data; what is found in one of them is hidden in all."""
        plain = [FORGED.sub(r"(\1)", _plain(text)) for text in texts]
        found = [list(_spans(text)) for text in plain]
        for text, spans in zip(plain, found, strict=True):
            self.know(text[one.start : one.end] for one in spans if one.kind == "NAME")
            for one in spans:
                if one.kind not in {"NAME", "NUMBER"}:
                    self.names.setdefault(text[one.start : one.end].casefold(), one.kind)
        return [self._replace(text, spans) for text, spans in zip(plain, found, strict=True)]

    def restore(self, answer: str) -> str:
        """The answer with the values in the places of their placeholders; one that was never given stays as it is."""
        return ANSWERED.sub(lambda match: self._values.get(f"{match[1].upper()}_{match[2]}", match[0]), answer)

    def counts(self) -> dict[str, int]:
        """How many different values of each kind are hidden."""
        return dict(sorted(Counter(key.rpartition("_")[0] for key in self._values).items()))

    def _replace(self, text: str, spans: list[Span]) -> str:
        known = [Span(place.start(), place.end(), kind) for value, kind in self.names.items() for place in _places(value, text)]
        taken, end = [], 0
        for one in sorted([*known, *spans], key=lambda one: (one.start, -one.end)):
            if one.start >= end:
                taken.append(one)
                end = one.end
            elif one.end > end:  # half of it is hidden already: hide the rest with it
                taken[-1] = Span(taken[-1].start, one.end, taken[-1].kind)
                end = one.end
        pieces, last = [], 0
        for one in taken:
            pieces += [text[last : one.start], f"[{self._placeholder(one.kind, text[one.start : one.end])}]"]
            last = one.end
        return "".join([*pieces, text[last:]])

    def _placeholder(self, kind: str, value: str) -> str:
        key = (kind, value.casefold())
        if key not in self._by_value:
            name = f"{kind}_{sum(one == kind for one, _value in self._by_value) + 1}"
            self._by_value[key], self._values[name] = name, value
        return self._by_value[key]


def _plain(text: str) -> str:
    """Readable text with full-width letters and digits made plain and invisible characters taken out: nothing hides behind a form."""
    return "".join(map(_plain_character, to_readable(text)))


@lru_cache(maxsize=4_096)
def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    folded = unicodedata.normalize("NFKC", character)
    if folded.isascii() and (folded.isalnum() or folded in "@[]-.+_"):
        return folded
    return "" if unicodedata.category(character) == "Cf" else character


def _spans(text: str) -> Iterator[Span]:
    entities = find_entities(text, find_words(text))
    for entity in entities:
        if entity.type in PLACEHOLDERS:
            yield Span(entity.start, entity.end, PLACEHOLDERS[entity.type])
    kept = [(entity.start, entity.end) for entity in entities if entity.type in KEPT]
    for kind, pattern in SUSPICIOUS:
        for match in pattern.finditer(text):
            if kind != "NUMBER" or not any(start < match.end() and match.start() < end for start, end in kept):
                yield Span(match.start(), match.end(), kind)


def _parts_of_name(name: str) -> list[str]:
    """How people are called for short: the given name of a Chinese name, each word of another."""
    if name.isascii() or " " in name:
        return [part for part in re.split(r"[\s.,]+", name) if len(part) >= 3]
    return [name[1:]] if len(name) == 3 and all("\u4e00" <= one <= "\u9fff" for one in name) else []


def _places(value: str, text: str) -> Iterator[re.Match[str]]:
    edge_before = r"(?<![A-Za-z0-9])" if value[0].isascii() and value[0].isalnum() else ""
    edge_after = r"(?![A-Za-z0-9])" if value[-1].isascii() and value[-1].isalnum() else ""
    return re.finditer(edge_before + re.escape(value) + edge_after, text, re.IGNORECASE)
