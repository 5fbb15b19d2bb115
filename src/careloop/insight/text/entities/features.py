"""What the chain sees of every unit: codes of its surroundings, of known names over it, and of what the whole text speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.entities.gazetteer import KnownName
from careloop.insight.text.entities.layout import Codes, Layout, code, mix, move

_MOST_NAMES, _MOST_WITH_THEME, _MOST_THEMES = 3, 2, 4  # codes a unit
_OFTEN = 2
_LEAST = 0.1  # probabilities below say nothing
_STEPS = (0.25, 0.5, 0.75)
_OFFSETS_BITS = 20


@dataclass(frozen=True, slots=True)
class Columns:
    """The features that a chain knows; column 0 stands for all others.

    Attributes
    ----------
    known : ndarray of uint64, shape (n_columns,)
        Their codes, ascending, and a zero at the end.
    offsets : ndarray of int64, shape (2**20 + 1,)
        Where codes with the same first bits begin: a search in one step, as codes are spread evenly.
    most : int
        Largest number of codes with the same first bits.
    """

    known: Codes
    offsets: NDArray[np.int64]
    most: int

    @classmethod
    def of(cls, known: Codes) -> Columns:
        """Return columns for ascending codes."""
        first_bits = known >> np.uint64(64 - _OFFSETS_BITS)
        offsets = np.searchsorted(first_bits, np.arange((1 << _OFFSETS_BITS) + 1, dtype=np.uint64))
        return cls(np.append(known, np.uint64(0)), offsets, int(np.diff(offsets).max(initial=0)))

    @classmethod
    def choose(cls, codes: Codes, *, least: int) -> Columns:
        """Return columns for the codes that come at least so often."""
        ascending = np.sort(codes, axis=None)
        starts = np.flatnonzero(np.append(True, ascending[1:] != ascending[:-1]))
        counts = np.diff(np.append(starts, len(ascending)))
        kept = ascending[starts[counts >= least]]
        return cls.of(kept[kept != 0])

    @property
    def codes(self) -> Codes:
        """Return the codes of the columns after the first."""
        return self.known[:-1]

    def __len__(self) -> int:
        """Return the number of columns, that of all others among them."""
        return len(self.known)

    def number(self, codes: Codes) -> NDArray[np.int32]:
        """Return the columns of codes, 0 where a code is not known."""
        first_bits = codes >> np.uint64(64 - _OFFSETS_BITS)
        places = self.offsets[first_bits]
        found = np.zeros(codes.shape, dtype=np.int32)
        for step in range(self.most):
            tried = np.minimum(places + step, len(self.known) - 1)
            found = np.where((self.known[tried] == codes) & (codes != 0), tried + 1, found).astype(np.int32)
        return found


def describe_units(layout: Layout, names: Sequence[Sequence[KnownName]], types: Sequence[str], likely: NDArray[np.float32]) -> Codes:
    """Return the features of units as codes, shape (n_rows, n_features); 0 is none.

    Parameters
    ----------
    layout : Layout
    names : sequence of sequence of KnownName, length n_texts
    types : sequence of str, length n_types
    likely : ndarray of float32, shape (n_texts, n_types)
        Probability that a text has an entity of a type.
    """
    named = _place_names(layout, names)
    themes = np.zeros((len(likely) + 1, _MOST_THEMES), dtype=np.uint64)
    best = np.zeros(len(likely) + 1, dtype=np.uint64)
    for text, probabilities in enumerate(likely.tolist()):
        spoken = [
            code(f"theme {name} {sum(probability >= step for step in _STEPS)}")
            for name, probability in zip(types, probabilities, strict=True)
            if probability >= _LEAST
        ][:_MOST_THEMES]
        themes[text, : len(spoken)] = spoken
        best[text] = code(f"best {types[int(likely[text].argmax())]}")
    theme = best[layout.text_of]
    columns = _describe_surroundings(layout)
    columns += [_if_any(mix(100, named[:, slot]), named[:, slot]) for slot in range(named.shape[1])]
    columns += [_if_any(mix(101, named[:, slot], theme), named[:, slot]) for slot in range(_MOST_WITH_THEME)]
    columns += [_if_any(mix(102, one), one) for one in themes[layout.text_of].T]
    columns += [mix(103, theme, layout.within, layout.tag), mix(104, theme, layout.unit), mix(105, theme, layout.within, layout.word)]
    return np.stack(columns, axis=1)


def _describe_surroundings(layout: Layout) -> list[Codes]:
    unit, within, word, tag, shape = layout.unit, layout.within, layout.word, layout.tag, layout.shape
    before2, before, after, after2 = (move(unit, rows) for rows in (-2, -1, 1, 2))
    templates = (
        (unit,), (before,), (after,), (before2,), (after2,),
        (before, unit), (unit, after), (before2, before), (after, after2), (before, after),
        (before, unit, after), (before2, before, unit), (unit, after, after2),
        (within, word), (within, tag), (within, layout.word_before), (within, layout.word_after),
        (within, layout.tag_before), (within, layout.tag_after),
        (within, layout.word_before, word), (within, word, layout.word_after), (layout.tag_before, tag, layout.tag_after, within),
        (within, layout.word_tail), (within, layout.word_head), (within, layout.tail_before),
        (within, layout.head_after, layout.word_tail), (move(shape, -1), shape, move(shape, 1)),
    )  # fmt: skip
    seldom = ((layout.head,), (layout.tail,), (layout.quote,), (layout.quote, unit))
    columns = [mix(number, *codes) for number, codes in enumerate(templates, start=1)]
    return columns + [_if_any(mix(number, *codes), codes[0]) for number, codes in enumerate(seldom, start=60)]


def _if_any(mixed: Codes, codes: Codes) -> Codes:
    return np.where(codes == 0, np.uint64(0), mixed)


def _place_names(layout: Layout, names: Sequence[Sequence[KnownName]]) -> Codes:
    """Return codes of the known names over every unit: place in the name, its type, its length, and whether it came often."""
    placed = np.zeros((len(layout), _MOST_NAMES), dtype=np.uint64)
    for text, found in enumerate(names):
        taken: dict[int, int] = {}
        top = int(layout.firsts[text])
        for name in found:
            length = min(name.last - name.first + 1, 4)
            for place in range(name.first, name.last + 1):
                where = "B" if place == name.first else "E" if place == name.last else "M"
                for type_name, count in name.counts.items():
                    for written in (f"{where}{length} {type_name}", f"{where} often {type_name}")[: 1 + (count > _OFTEN)]:
                        slot = taken.get(place, 0)
                        if slot < _MOST_NAMES:
                            placed[top + place, slot] = code(written)
                            taken[place] = slot + 1
    return placed
