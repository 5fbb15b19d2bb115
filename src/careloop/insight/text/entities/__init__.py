"""Entities: what has a fixed written form is found by patterns with checks; what has not is learnt from examples."""

from careloop.insight.text.entities.annotations import AnnotatedText, LabelledSpan, read_annotations
from careloop.insight.text.entities.patterns import FIGURES, TYPES, find_entities, join_entities
from careloop.insight.text.entities.relative import resolve_date

__all__ = ["FIGURES", "TYPES", "AnnotatedText", "LabelledSpan", "find_entities", "join_entities", "read_annotations", "resolve_date"]
