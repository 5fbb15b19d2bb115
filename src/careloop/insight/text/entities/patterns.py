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
TYPES = FIGURES | {"person", "place", "organisation"}  # all that is found without a dictionary or a model of the house's own
_LATIN = re.compile("[A-Za-z]")
_DIGIT = re.compile("[0-9]")
_LONG_NUMBER = re.compile(r"[0-9](?:[0-9]{4}|(?<=[A-Za-z][0-9])[0-9]{2}|(?:[0-9 ().\-\u8f6c]*[0-9]){6})")
_ORDER_WORDS = re.compile("[单單订訂]|流水号|order|booking|reservation|purchase|invoice", re.IGNORECASE)
_PLATE_HINT = re.compile(r"[\u4e00-\u9fff][A-HJ-NP-Za-hj-np-z][·•\s]?[A-Za-z0-9]{4}")
_IBAN_HINT = re.compile(r"[A-Z]{2}[0-9]{2}")
_DOMAIN_HINT = re.compile(r"[a-z0-9]\.[a-z]{2}")

# In order of trust: text taken by one pattern is not given to a later one.
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


def join_entities(*lists: Iterable[Entity]) -> tuple[Entity, ...]:
    """Return the entities of several finders in order of place; where two overlap the one of the earlier list is kept."""
    found: list[Entity] = []
    taken: set[int] = set()
    for entities in lists:
        _keep(entities, found, taken)
    return tuple(sorted(found, key=lambda entity: entity.start))


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


def _choose_patterns(text: str) -> list[Pattern]:
    """Return the patterns that can match at all, told by hints that are much cheaper to look for: most texts need none."""
    chosen: list[Pattern] = []
    small = text.lower() if _LATIN.search(text) else ""
    if small:
        if "@" in text:
            chosen.append(contacts.EMAIL)
        if "://" in text or "www." in small:
            chosen.append(contacts.URL)
        if "." in text and _DOMAIN_HINT.search(small):
            chosen.append(contacts.BARE_URL)
    if _DIGIT.search(text):
        _choose_with_digits(text, small, chosen)
    if not text.isascii():
        if dates.CHINESE_HINT.search(text):
            chosen.append(dates.CHINESE_DATE)
        if amounts.CHINESE_HINT.search(text):
            chosen.append(amounts.CHINESE_AMOUNT)
        if relative.HINT.search(text):
            chosen.append(relative.RELATIVE)
    if small and relative.ENGLISH_HINT.search(small):
        chosen.append(relative.ENGLISH_RELATIVE)
    return chosen


def _choose_with_digits(text: str, small: str, chosen: list[Pattern]) -> None:
    if small and _PLATE_HINT.search(text):
        chosen.append(codes.PLATE)
    if _LONG_NUMBER.search(text):
        chosen.append(codes.ID_CARD)
        if small and _IBAN_HINT.search(text):
            chosen.append(codes.IBAN)
        if _ORDER_WORDS.search(text):
            chosen.append(codes.ORDER)
        chosen.append(codes.TRACKING)
        chosen.extend(_PHONES_AND_CARDS)
    chosen.extend(dates.choose_patterns(text, small))
    chosen.extend(amounts.choose_patterns(text, small))
