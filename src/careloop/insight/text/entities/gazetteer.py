"""Names that the examples had: a unit within one of them says so, and as what it was annotated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from careloop.insight.text.entities.annotations import AnnotatedText
from careloop.insight.text.entities.units import Units

_MOST_UNITS = 14
_OFTEN = 2
_MARKS = "《》“”「」『』【】\"'"


@dataclass(frozen=True, slots=True)
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

    def describe(self, text: str, units: Units, features: Sequence[list[str]], own: AnnotatedText | None = None) -> None:
        """Add to the features of every unit what the longest name that covers it was annotated as.

        Parameters
        ----------
        text, units, features
            The text, its units and their features, which are added to.
        own : AnnotatedText or None
            When the text is one of the examples: its own annotations do not count, or every name would seem to be known.
        """
        small = text.lower() if len(text.lower()) == len(text) else text
        mine = _names_of(own) if own is not None else frozenset()
        for first in range(len(units)):
            for last in range(min(len(units), first + _MOST_UNITS) - 1, first - 1, -1):
                name = small[units.starts[first] : units.ends[last]]
                if len(name) < 2 or name not in self.names:
                    continue
                counts = {one: count - ((name, one) in mine) for one, count in self.names[name].items()}
                known = {one: count for one, count in counts.items() if count > 0}
                if known:
                    _mark(features, first, last, known)
                    break


def _mark(features: Sequence[list[str]], first: int, last: int, known: Mapping[str, int]) -> None:
    length = min(last - first + 1, 4)
    for place in range(first, last + 1):
        where = "B" if place == first else "E" if place == last else "M"
        for type_name, count in known.items():
            features[place].append(f"G{where}{type_name}{length}")
            if count > _OFTEN:
                features[place].append(f"GG{where}{type_name}")


def _names_of(row: AnnotatedText) -> frozenset[tuple[str, str]]:
    return frozenset((row.text[span.start : span.end].strip(_MARKS).lower(), span.type) for span in row.spans)
