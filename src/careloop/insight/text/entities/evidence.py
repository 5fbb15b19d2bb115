"""All that a model goes by when it looks at texts: their units, what surrounds them, known names, and what each text speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.entities.annotations import AnnotatedText
from careloop.insight.text.entities.chains import Candidates
from careloop.insight.text.entities.features import describe_units
from careloop.insight.text.entities.gazetteer import Gazetteer
from careloop.insight.text.entities.judging import describe_candidates
from careloop.insight.text.entities.layout import Codes, Layout, code, lay_out
from careloop.insight.text.entities.units import Units, cut_units


@dataclass(frozen=True, slots=True)
class Evidence:
    """Texts as the chain and the judge see them.

    Attributes
    ----------
    texts : sequence of str, length n_texts
    types : tuple of str, length n_types
    likely : ndarray of float32, shape (n_texts, n_types)
        Probability that a text has an entity of a type.
    gazetteer : Gazetteer
    owns : sequence of AnnotatedText or None, length n_texts
        Of texts that the gazetteer learnt from, their own annotations, which do not count.
    units : list of Units, length n_texts
    layout : Layout
    """

    texts: Sequence[str]
    types: tuple[str, ...]
    likely: NDArray[np.float32]
    gazetteer: Gazetteer
    owns: Sequence[AnnotatedText | None]
    units: list[Units]
    layout: Layout

    @classmethod
    def gather(
        cls,
        texts: Sequence[str],
        types: tuple[str, ...],
        likely: NDArray[np.float32],
        gazetteer: Gazetteer,
        owns: Sequence[AnnotatedText | None] | None = None,
    ) -> Evidence:
        """Return what there is to see of texts."""
        units = [cut_units(text) for text in texts]
        return cls(texts, types, likely, gazetteer, owns or [None] * len(texts), units, lay_out(texts, units))

    def describe_units(self) -> Codes:
        """Return the features of units as codes, shape (n_rows, n_features)."""
        known = [self.gazetteer.find(text, one, own) for text, one, own in zip(self.texts, self.units, self.owns, strict=True)]
        return describe_units(self.layout, known, self.types, self.likely)

    def describe_candidates(self, candidates: Candidates) -> Any:
        """Return the features of stretches that may be entities, sparse, shape (n_candidates, n_features)."""
        stretches: dict[int, list[tuple[int, int]]] = {}
        for text, start, end, _ in self.place(candidates):
            stretches.setdefault(text, []).append((start, end))
        names = [code(self.texts[text][start:end].lower()) for text, spans in stretches.items() for start, end in spans]
        counts = [one for text, spans in stretches.items() for one in self.gazetteer.count(self.texts[text], spans, self.owns[text])]
        return describe_candidates(self.layout, candidates, np.array(names, dtype=np.uint64), counts, self.types, self.likely)

    def place(self, candidates: Candidates) -> list[tuple[int, int, int, str]]:
        """Return candidates as (text, start, end, type), places in characters, `end` exclusive."""
        return [
            (text, self.units[text].starts[first], self.units[text].ends[last], self.types[kind])
            for text, first, last, kind in zip(*(part.tolist() for part in candidates[:4]), strict=True)
        ]
