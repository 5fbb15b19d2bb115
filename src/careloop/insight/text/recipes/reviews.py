"""Whole reviews and contacts made from our own sentences (`sentences_*.txt`, `contacts_*.txt`), seeded.

A line of these files is a little grammar: {a|b} is a choice and may hold further choices. Its section says trade and role, such as
[shop.bad]; the roles are good, bad, fact (no opinion), quibble (a small fault that praise admits) and credit (a merit before a complaint).
"""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from careloop.insight.text.recipes.phrases import Phrase
from careloop.insight.types import KINDS

_SECTION = re.compile(r"\[(\w+)\.(\w+)\]")
_CHOICE = re.compile(r"\{([^{}]*)\}")
_TRADES = {"en": ("app", "app", "air", "air", "shop", "stay", "help", "brief"), "zh": ("food", "shop", "shop", "serve", "brief")}
_POSITIVE_SHARE = {"app": 0.6, "shop": 0.55, "stay": 0.55, "air": 0.4, "help": 0.4}  # reviews lean to praise, messages to companies do not
_JOINS = {
    "en": (". ", ". ", "! ", ", ", " ", " and ", "... "),
    "zh": ("，", "，", "。", "！", " ", "、", "；", ""),
}
_BUT = {"en": " but", "zh": "，但是"}
_ENDS = ("", "", ".", "!", "!!", "!!!")
_ANY_SHARE = 0.18  # of opinions that belong to no trade
_QUIBBLES, _CREDITS, _TURNS = 0.15, 0.2, 0.03
_SECOND_SENTENCE, _GREETED = 0.35, 0.12
_GREETINGS = {"en": ("hi", "hello", "hi there", "good morning", "dear team", "hey"), "zh": ("你好", "您好", "亲", "在吗", "客服你好")}
_KEPT_JOIN = 0.7  # how often a text keeps its first way of joining sentences


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines of one section; a line with more choices is drawn more often, by the logarithm of their number."""

    lines: list[str]
    weights: list[float]

    def draw(self, rng: random.Random) -> str:
        return _expand(rng.choices(self.lines, self.weights)[0], rng)


def _expand(line: str, rng: random.Random) -> str:
    while "{" in line:
        line = _CHOICE.sub(lambda choice: rng.choice(choice[1].split("|")), line)
    return " ".join(line.split())


def make_reviews(language: str, n: int, *, seed: int) -> list[Phrase]:
    """Return `n` texts of one to four opinions each, labelled “good” or “bad”, over all trades of the language's file."""
    sections, rng = _load_sections(language), random.Random(seed)
    made = []
    for i in range(n):
        trade = _TRADES[language][i % len(_TRADES[language])]
        label = "good" if rng.random() < _POSITIVE_SHARE.get(trade, 0.5) else "bad"
        parts = _draw_parts(sections, trade, label, rng)
        if len(parts) > 1 and rng.random() < _TURNS * len(parts):
            parts.insert(0, sections[trade, "bad" if label == "good" else "good"].draw(rng) + _BUT[language])
        made.append(Phrase(_join(parts, _JOINS[language], rng), label, -1))
    return made


def _draw_parts(sections: dict[tuple[str, str], _Lines], trade: str, label: str, rng: random.Random) -> list[str]:
    count = rng.choice([1, 1, 2, 2, 3, 3, 4])
    parts = [sections["any" if rng.random() < _ANY_SHARE else trade, label].draw(rng) for _ in range(count)]
    for _ in range(rng.choice([0, 0, 1, 2])):
        if (trade, "fact") in sections:
            parts.insert(rng.randrange(len(parts) + 1), sections[trade, "fact"].draw(rng))
    if label == "good" and (trade, "quibble") in sections and rng.random() < _QUIBBLES:
        parts.insert(rng.randrange(1, len(parts) + 1), sections[trade, "quibble"].draw(rng))
    if label == "bad" and (trade, "credit") in sections and rng.random() < _CREDITS:
        parts.insert(0, sections[trade, "credit"].draw(rng))
    return parts


def read_held_out(language: str) -> list[Phrase]:
    """Return the contacts written to measure with, label and text; nothing may learn from them."""
    path = resources.files("careloop.insight.text.recipes") / "kinds_held_out.txt"
    found, section = [], ("", "")
    for line in path.read_text(encoding="utf-8").splitlines():
        if match := _SECTION.fullmatch(line):
            section = (match[1], match[2])
        elif line and not line.startswith("#") and section[0] == language:
            found.append(Phrase(line, section[1], -1))
    return found


def _join(parts: list[str], joins: tuple[str, ...], rng: random.Random) -> str:
    first, text = rng.choice(joins), parts[0]
    for part in parts[1:]:
        text += (first if rng.random() < _KEPT_JOIN else rng.choice(joins)) + part
    return text + rng.choice(_ENDS)


def make_told_contacts(language: str, n_per_kind: int, *, seed: int) -> list[Phrase]:
    """Return `n_per_kind` texts of every kind from `contacts_*.txt`, one or two sentences each; `template` numbers the first line."""
    sections, rng = _load_sections(language, "contacts"), random.Random(seed)
    made = []
    for kind in KINDS:
        lines = sections["any", kind]
        for _ in range(n_per_kind):
            number = rng.choices(range(len(lines.lines)), lines.weights)[0]
            parts = [_expand(lines.lines[number], rng)]
            if kind != "other" and rng.random() < _SECOND_SENTENCE:
                other = rng.choice([place for place in range(len(lines.lines)) if is_held_back(place) == is_held_back(number)])
                parts.append(_expand(lines.lines[other], rng))
            if rng.random() < _GREETED and kind != "other":
                parts.insert(0, rng.choice(_GREETINGS[language]))
            made.append(Phrase(_join(parts, _JOINS[language], rng), kind, number))
    return made


def is_held_back(template: int) -> bool:
    """Return whether a line is kept back to measure with: every fifth is."""
    return template % 5 == 0


@cache
def _load_sections(language: str, name: str = "sentences") -> dict[tuple[str, str], _Lines]:
    path = resources.files("careloop.insight.text.recipes") / f"{name}_{language}.txt"
    sections: dict[tuple[str, str], _Lines] = {}
    current = _Lines([], [])
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := _SECTION.fullmatch(line):
            current = sections.setdefault((found[1], found[2]), _Lines([], []))
        elif line and not line.startswith("#"):
            current.lines.append(line)
            current.weights.append(math.log(1.5 + _count_choices(line)))
    return sections


def _count_choices(line: str) -> int:
    return math.prod(len(choice.split("|")) for choice in _CHOICE.findall(line))
