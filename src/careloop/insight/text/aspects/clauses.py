"""Cutting a text into clauses, so that an aspect's opinion is looked for where the aspect is spoken of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

_CLAUSE = re.compile(r"[^，。！？；,.!?;\n…~～]+")
_LEAST_LETTERS = 2


class Clause(NamedTuple):
    """A stretch of text number `row`, `start` to `end` (exclusive)."""

    row: int
    start: int
    end: int


def find_clauses(texts: Sequence[str]) -> list[Clause]:
    """Return the clauses of every text in order; a text without any is one clause."""
    clauses: list[Clause] = []
    for row, text in enumerate(texts):
        spans = [match.span() for match in _CLAUSE.finditer(text)]
        kept = [Clause(row, *span) for span in spans if len(text[slice(*span)].strip()) >= _LEAST_LETTERS]
        clauses += kept or [Clause(row, 0, len(text))]
    return clauses
