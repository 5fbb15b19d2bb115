"""Sentences made from our own phrases, seeded: opinions with a polarity and contacts with a kind, in both languages."""

from __future__ import annotations

import json
import random
import re
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

from careloop.insight.types import KINDS

_SLOT = re.compile(r"\{(\w+)\}")


class Phrase(NamedTuple):
    """A made sentence, its label, and the number of the template it came from."""

    text: str
    label: str
    template: int


@cache
def load_phrases(name: str) -> dict[str, Any]:
    """Return a file of phrases: `opinions_zh`, `opinions_en`, `kinds_zh` or `kinds_en`."""
    path = resources.files("careloop.insight.text.recipes") / f"{name}.json"
    phrases: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return phrases


def make_opinions(language: str, n: int, *, seed: int) -> list[Phrase]:
    """Return `n` sentences, half “good” and half “bad”, of one to three opinions each."""
    phrases = load_phrases(f"opinions_{language}")
    rng = random.Random(seed)
    aspects = list(phrases["aspects"].values())
    between, after_name = (["，", " ", "。"], "") if language == "zh" else ([", ", ". ", " and ", " "], " ")
    made = []
    for i in range(n):
        label = "good" if i % 2 else "bad"
        parts = []
        for _ in range(rng.choice([1, 1, 2, 2, 3])):
            aspect = rng.choice(aspects)
            named = rng.choice(aspect["names"]) + after_name + rng.choice(aspect[label])
            parts.append(rng.choice(phrases[label]) if rng.random() < 0.37 else named)
        opener, closer = rng.choice(phrases["openers"]), rng.choice(phrases["closers"] + phrases["emoji"][label])
        made.append(Phrase((opener + after_name + rng.choice(between).join(parts) + closer).strip(), label, -1))
    return made


def make_questions(language: str, n: int, *, seed: int) -> list[Phrase]:
    """Return `n` questions about what others praise or complain of: they ask, and hold no opinion."""
    phrases = load_phrases(f"opinions_{language}")
    rng = random.Random(seed)
    aspects = list(phrases["aspects"].values())
    made = []
    for i in range(n):
        number, aspect = i % len(phrases["questions"]), rng.choice(aspects)
        slots = {"name": rng.choice(aspect["names"]), "good": rng.choice(aspect["good"]), "bad": rng.choice(aspect["bad"])}
        closer = rng.choice(["", "", "？", "?", "呀", "啊", "呢"]) if language == "zh" else ""
        made.append(Phrase(phrases["questions"][number].format(**slots) + closer, "consultation", number))
    return made


def make_contacts(language: str, n_per_kind: int, *, seed: int) -> list[Phrase]:
    """Return `n_per_kind` sentences of every kind."""
    phrases = load_phrases(f"kinds_{language}")
    rng = random.Random(seed)
    made = []
    for kind in KINDS:
        templates = phrases["kinds"][kind]
        for i in range(n_per_kind):
            number = i % len(templates)
            text = _SLOT.sub(lambda slot: rng.choice(phrases["slots"][slot[1]]), templates[number])
            plain = kind == "other" and rng.random() < 0.5
            whole = text if plain else rng.choice(phrases["openers"]) + text + rng.choice(phrases["closers"])
            made.append(Phrase(whole, kind, number))
    return made


def make_cues(language: str, n_per_kind: int, *, seed: int) -> list[Phrase]:
    """Return `n_per_kind` fragments of every kind: a telling expression beside a slot's filling, as a customer in a hurry writes."""
    phrases = load_phrases(f"kinds_{language}")
    rng = random.Random(seed)
    blank = "" if language == "zh" else " "
    made = []
    for kind in KINDS:
        cues = phrases["cues"][kind]
        for i in range(n_per_kind):
            filling = rng.choice(phrases["slots"][rng.choice(["item", "order", "who", "time", "place", "feature"])])
            parts = [cues[i % len(cues)], rng.choice([filling, ""])]
            rng.shuffle(parts)
            made.append(Phrase(blank.join(parts).strip() + rng.choice(phrases["closers"]), kind, i % len(cues)))
    return made
