"""The units of a text for the entity models: characters, runs of letters, numbers; and the quotation marks around them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNIT = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+|\d+|\S")
_OPENING, _CLOSING = "《“「『【", "》”」』】"
_MARKS = frozenset(_OPENING + _CLOSING)
_LONGEST_QUOTE = 30  # units


@dataclass(frozen=True, slots=True)
class Units:
    """The units of a text: where they stand and what they are, small and with digits as 0."""

    starts: list[int]
    ends: list[int]
    plain: list[str]
    shapes: list[str]

    def __len__(self) -> int:
        """Return the number of units."""
        return len(self.starts)


def cut_units(text: str) -> Units:
    """Return one unit a Chinese character or sign, and one a run of letters or digits."""
    matches = list(_UNIT.finditer(text))
    written = [match[0] for match in matches]
    plain = ["0" * min(len(one), 4) if one[0].isdigit() else one.lower() for one in written]
    return Units([match.start() for match in matches], [match.end() for match in matches], plain, [_shape(one) for one in written])


def _shape(unit: str) -> str:
    first = unit[0]
    if first.isdigit():
        return f"0{min(len(unit), 4)}"
    if "\u3400" <= first <= "\u9fff":
        return "h"
    if first.isalpha():
        return ("A" if unit.isupper() else "Aa" if first.isupper() else "a") + ("1" if len(unit) == 1 else "")
    return f"p{first}"


def find_quotes(units: Units) -> list[str]:
    """Return for every unit between quotation marks the mark, its place between them, and how far they are apart."""
    marks = [""] * len(units)
    if _MARKS.isdisjoint(units.plain):
        return marks
    opened: int | None = None
    for place, unit in enumerate(units.plain):
        if unit in _OPENING:
            opened = place
        elif unit in _CLOSING and opened is not None and place - opened <= _LONGEST_QUOTE:
            length = min((place - opened) // 3, 3)
            for inner in range(opened, place + 1):
                where = {opened: "B", opened + 1: "F", place: "E", place - 1: "L"}.get(inner, "M")
                marks[inner] = f"{units.plain[opened]}{where}{length}"
            opened = None
        elif unit in _CLOSING:  # opened before the text begins
            for inner in range(max(0, place - 6), place + 1):
                marks[inner] = marks[inner] or f"?{unit}"
    return marks
