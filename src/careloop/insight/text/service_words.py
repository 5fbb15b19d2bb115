"""How customers say what a list of categories names: “delivery time” is “when will it arrive”. Our own words, for any trade."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources

_LATIN_WORD = re.compile(r"[a-z]+")


def find_sayings(name: str) -> tuple[str, ...]:
    """Return what customers say about the subjects in a category's name, each saying once; none when no subject is known.

    Parameters
    ----------
    name : str
        In small letters; Chinese subjects are found anywhere in it, English ones as whole words (two words: in this order).
    """
    chinese, english = _load()
    words = f" {' '.join(_LATIN_WORD.findall(name))} "
    found = [sayings for subjects, sayings in chinese if any(subject in name for subject in subjects)]
    found += [sayings for subjects, sayings in english if any(f" {subject} " in words for subject in subjects)]
    return tuple(dict.fromkeys(saying for sayings in found for saying in sayings))


@cache
def _load() -> tuple[list[tuple[tuple[str, ...], tuple[str, ...]]], list[tuple[tuple[str, ...], tuple[str, ...]]]]:
    path = resources.files("careloop.insight.text") / "models" / "service_words.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    chinese = [tuple(tuple(part.split()) for part in line.split("|")) for line in stored["zh"]]
    english = [(tuple(line.split("|")[0].split()), tuple(line.split("|")[1:])) for line in stored["en"]]
    return [(subjects, sayings) for subjects, sayings in chinese], english
