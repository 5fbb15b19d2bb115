"""Things with a fixed written form, and names: patterns find them; what fails its check is left out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from careloop.insight.text.entities import amounts, codes, contacts, dates, relative
from careloop.insight.text.entities.addresses import find_addresses
from careloop.insight.text.entities.names import find_names
from careloop.insight.text.entities.pattern import Pattern
from careloop.insight.types import Entity, Token

_TYPES = "email url phone order tracking amount date relative_date id_card bank_card iban plate address"
FIGURES = frozenset(_TYPES.split())  # types with a fixed written form, whose words are no keywords
_DIGIT = re.compile("[0-9]")
_LONG_NUMBER = re.compile(r"[0-9](?:[0-9 ().\-\u8f6c]*[0-9]){6}|[0-9]{5}|[a-z][0-9]{3}", re.IGNORECASE)
_ORDER_WORDS = re.compile("[单單订訂]|流水号|order|booking|reservation|purchase|invoice", re.IGNORECASE)
_PLATE_HINT = re.compile(r"[\u4e00-\u9fff][A-HJ-NP-Za-hj-np-z][·•\s]?[A-Za-z0-9]{4}")
_SLASHED_HINT = re.compile(r"[0-9]([/.-])[0-9]{1,2}\1[0-9]{4}")
_IBAN_HINT = re.compile(r"[A-Z]{2}[0-9]{2}")
_DOMAIN_HINT = re.compile(r"[a-z0-9]\.[a-z]{2}", re.IGNORECASE)

# In order of trust: text taken by one pattern is not given to a later one.
_LONG = (codes.ID_CARD, codes.IBAN)
_PHONES_AND_CARDS = (*contacts.PHONES, codes.BANK_CARD)


def find_entities(text: str, tokens: Sequence[Token] = ()) -> tuple[Entity, ...]:
    """Return the entities of a readable text in order of place; none overlaps another.

    Types with a check or a normal form: email, url, phone, order, tracking, amount, date, relative_date, id_card (checksum), bank_card
    (Luhn), iban (mod 97), plate. With the words of the text also address, person, place, organisation.

    Parameters
    ----------
    text : str
        Readable text.
    tokens : sequence of Token
        Its words; without them no addresses and names are found.
    """
    found: list[Entity] = []
    taken: set[int] = set()
    for pattern in _choose_patterns(text):
        _keep(_matches(pattern, text), found, taken)
    if tokens:
        _keep(find_addresses(text, tokens), found, taken)
        _keep(find_names(text, tokens), found, taken)
    if len(found) > 1:
        found.sort(key=lambda entity: entity.start)
    return tuple(found)


def _matches(pattern: Pattern, text: str) -> Iterator[Entity]:
    for match in pattern.expression.finditer(text):
        start, end = match.span("value") if match.re.groupindex.get("value") and match["value"] else match.span()
        value = pattern.normalise(match)
        if value is not None:
            yield Entity(pattern.type, text[start:end], start, end, value)


def _keep(entities: Iterable[Entity], found: list[Entity], taken: set[int]) -> None:
    for entity in entities:
        places = range(entity.start, entity.end)
        if taken.isdisjoint(places):
            taken.update(places)
            found.append(entity)


def _choose_patterns(text: str) -> Iterator[Pattern]:
    """Yield the patterns that can match at all, told by hints that are much cheaper to look for: most texts need none."""
    if "@" in text:
        yield contacts.EMAIL
    if "://" in text or "www." in text or "WWW." in text:
        yield contacts.URL
    if "." in text and _DOMAIN_HINT.search(text):
        yield contacts.BARE_URL
    if _DIGIT.search(text):
        yield from _choose_with_digits(text)
    if not text.isascii():
        if dates.CHINESE_HINT.search(text):
            yield dates.CHINESE_DATE
        if amounts.CHINESE_HINT.search(text):
            yield amounts.CHINESE_AMOUNT
        if relative.HINT.search(text):
            yield relative.RELATIVE
    small = text.lower()
    if any(hint in small for hint in relative.ENGLISH_HINTS):
        yield relative.ENGLISH_RELATIVE


def _choose_with_digits(text: str) -> Iterator[Pattern]:
    if _PLATE_HINT.search(text):
        yield codes.PLATE
    if _LONG_NUMBER.search(text):
        yield codes.ID_CARD
        if _IBAN_HINT.search(text):
            yield codes.IBAN
        if _ORDER_WORDS.search(text):
            yield codes.ORDER
        yield codes.TRACKING
        yield from _PHONES_AND_CARDS
    if dates.HINT.search(text):
        yield from dates.DATES[:3]
        if _SLASHED_HINT.search(text):
            yield dates.SLASHED
    if dates.ENGLISH_HINT.search(text):
        yield from dates.DATES[3:]
    if amounts.HINT.search(text) or amounts.ENGLISH_HINT.search(text):
        yield from amounts.AMOUNTS
