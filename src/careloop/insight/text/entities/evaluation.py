"""How well entities were found: precision, recall and F1 of whole entities, of every type and together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from careloop.insight.text.entities.annotations import LabelledSpan


def score_entities(expected: Sequence[Sequence[LabelledSpan]], found: Sequence[Sequence[LabelledSpan]]) -> dict[str, Any]:
    """Return the figures of a model; an entity is right when start, end and type are (micro average, as at CoNLL 2003).

    Parameters
    ----------
    expected, found : sequence of sequence of LabelledSpan, length n_texts

    Returns
    -------
    dict
        "precision", "recall", "f1" and "entities" (the number expected) of all types together, and under "per_type" the same of each.
        A ratio without a denominator is None.

    References
    ----------
    Tjong Kim Sang & De Meulder 2003, "Introduction to the CoNLL-2003 Shared Task".
    """
    right: Counter[str] = Counter()
    expected_counts: Counter[str] = Counter()
    found_counts: Counter[str] = Counter()
    for gold, guess in zip(expected, found, strict=True):
        expected_counts.update(span.type for span in gold)
        found_counts.update(span.type for span in guess)
        right.update(span.type for span in set(gold) & set(guess))
    types = sorted(set(expected_counts) | set(found_counts))
    return _figures(right.total(), found_counts.total(), expected_counts.total()) | {
        "per_type": {name: _figures(right[name], found_counts[name], expected_counts[name]) for name in types}
    }


def _figures(right: int, found: int, expected: int) -> dict[str, Any]:
    return {
        "precision": round(right / found, 4) if found else None,
        "recall": round(right / expected, 4) if expected else None,
        "f1": round(2 * right / (found + expected), 4) if found + expected else None,
        "entities": expected,
    }
