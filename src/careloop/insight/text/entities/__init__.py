"""Entities: what has a fixed written form is found by patterns with checks; what has not is learnt from examples."""

from careloop.insight.text.entities.patterns import FIGURES, find_entities
from careloop.insight.text.entities.relative import resolve_date

__all__ = ["FIGURES", "find_entities", "resolve_date"]
