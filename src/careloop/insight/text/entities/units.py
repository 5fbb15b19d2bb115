"""What the entity models see of a text: its units (characters, runs of letters, numbers) and the features of each."""

from __future__ import annotations

import re
from dataclasses import dataclass

from careloop.insight.text.words import find_words
from careloop.insight.types import Token

_UNIT = re.compile(r"[^\W\d_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+|\d+|\S")
_OPENING, _CLOSING = "《“「『【", "》”」』】"
_LONGEST_QUOTE = 30  # units
_EDGE = ("<", "<")


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


def describe_units(text: str, units: Units) -> list[list[str]]:
    """Return the features of every unit: itself and its neighbours, its word, part of speech and place in it, shape, quotation marks."""
    plain = ["<2", "<1", *units.plain, ">1", ">2"]
    shapes = ["<", "<", *units.shapes, ">", ">"]
    words = _place_words(find_words(text), units)
    quotes = _find_quotes(units)
    features: list[list[str]] = []
    for place in range(len(units)):
        before2, before, unit, after, after2 = plain[place : place + 5]
        word, tag, where, previous, following = words[place]
        features.append(
            [
                f"0{unit}", f"-{before}", f"+{after}", f"={before2}", f"#{after2}", f"2{before}{unit}", f"3{unit}{after}",
                f"1{before2}{before}", f"4{after}{after2}", f"5{before}|{after}", f"6{before}{unit}{after}", f"7{before2}{before}{unit}",
                f"8{unit}{after}{after2}",
                f"w{where}{word}", f"p{where}{tag}", f"q{where}{previous[0]}", f"r{where}{following[0]}", f"s{where}{previous[1]}",
                f"t{where}{following[1]}", f"u{where}{previous[0]}|{word}", f"v{where}{word}|{following[0]}",
                f"y{previous[1]}{tag}{following[1]}{where}",
                f"f{where}{word[-1:]}", f"g{where}{word[:1]}", f"h{where}{previous[0][-1:]}", f"i{where}{following[0][:1]}|{word[-1:]}",
                f"k{shapes[place + 1]}{shapes[place + 2]}{shapes[place + 3]}",
            ]
        )  # fmt: skip
        if len(unit) > 1:
            features[-1] += [f"P{unit[:3]}", f"S{unit[-3:]}", f"z{shapes[place + 2]}"]
        if quotes[place]:
            features[-1] += [f"Q{quotes[place]}", f"R{quotes[place]}{unit}"]
    return features


def _place_words(tokens: list[Token], units: Units) -> list[tuple[str, str, str, tuple[str, str], tuple[str, str]]]:
    """Return for every unit its word, tag, place in it (B, M, E, S), and the words with tags before and after."""
    described = [_EDGE, *((token.text.lower(), token.pos) for token in tokens), (">", ">")]
    placed = []
    current = 0
    for start, end in zip(units.starts, units.ends, strict=True):
        while current + 1 < len(tokens) and start >= tokens[current].end:
            current += 1
        if not tokens:
            placed.append(("", "x", "S", _EDGE, _EDGE))
            continue
        token = tokens[current]
        is_first, is_last = start <= token.start, end >= token.end
        where = "S" if is_first and is_last else "B" if is_first else "E" if is_last else "M"
        word, tag = described[current + 1]
        placed.append((word, tag, where, described[current], described[current + 2]))
    return placed


def _find_quotes(units: Units) -> list[str]:
    """Return for every unit between quotation marks the mark, its place between them, and how far they are apart."""
    marks = [""] * len(units)
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
