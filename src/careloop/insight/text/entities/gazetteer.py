"""Names that the examples had: a unit within one of them says so, and as what it was annotated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from careloop.insight.text.entities.annotations import AnnotatedText
from careloop.insight.text.entities.units import Units

_MOST_UNITS = 14
_MARKS = "《》“”「」『』【】\"'"


class KnownName(NamedTuple):
    """A name in a text, from unit `first` to unit `last` (inclusive), and in how many examples it was of which type."""

    first: int
    last: int
    counts: dict[str, int]


@dataclass(frozen=True)
class Gazetteer:
    """Names in small letters without quotation marks, and in how many texts each was of which type."""

    names: Mapping[str, Mapping[str, int]]

    @classmethod
    def learn(cls, rows: Iterable[AnnotatedText]) -> Gazetteer:
        """Return the names of annotated texts; one counts once a text."""
        names: dict[str, Counter[str]] = {}
        for row in rows:
            for name, type_name in _names_of(row):
                names.setdefault(name, Counter())[type_name] += 1
        return cls(names)

    def find(self, text: str, units: Units, own: AnnotatedText | None = None) -> list[KnownName]:
        """Return the longest known name that begins at each unit.

        Parameters
        ----------
        text, units
            The text and its units.
        own : AnnotatedText or None
            When the text is one of the examples: its own annotations do not count, or every name would seem to be known.
        """
        small = _to_small(text)
        mine = _names_of(own) if own is not None else frozenset()
        found: list[KnownName] = []
        for first, start in enumerate(units.starts):
            longest = self._longest.get(small[start : start + 2], 0)
            for last in range(min(len(units), first + _MOST_UNITS) - 1, first - 1, -1):
                end = units.ends[last]
                if not 2 <= end - start <= longest:
                    continue
                counts = self._count(small[start:end], mine)
                if counts:
                    found.append(KnownName(first, last, counts))
                    break
        return found

    def count(self, text: str, spans: Sequence[tuple[int, int]], own: AnnotatedText | None = None) -> list[dict[str, int]]:
        """Return, for stretches of a text, in how many examples each was of which type; `own` as in `find`."""
        small = _to_small(text)
        mine = _names_of(own) if own is not None else frozenset()
        return [self._count(small[start:end].strip(_MARKS), mine) for start, end in spans]

    def _count(self, name: str, mine: frozenset[tuple[str, str]]) -> dict[str, int]:
        known = self.names.get(name)
        if not known:
            return {}
        counts = {one: count - ((name, one) in mine) for one, count in known.items()}
        return {one: count for one, count in counts.items() if count > 0}

    @cached_property
    def _longest(self) -> dict[str, int]:
        """Return the length of the longest name that begins with two characters."""
        longest: dict[str, int] = {}
        for name in self.names:
            longest[name[:2]] = max(longest.get(name[:2], 0), len(name))
        return longest


def _to_small(text: str) -> str:
    """Return a text in small letters, unless that changes its length (İ)."""
    small = text.lower()
    return small if len(small) == len(text) else text


def _names_of(row: AnnotatedText) -> frozenset[tuple[str, str]]:
    return frozenset((row.text[span.start : span.end].strip(_MARKS).lower(), span.type) for span in row.spans)
