"""Types of entities learnt from examples: a chain over units proposes, a judge of whole stretches decides; stored and read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import ModelError
from careloop.insight.text.entities.annotations import LabelledSpan
from careloop.insight.text.entities.chains import Chain
from careloop.insight.text.entities.evidence import Evidence
from careloop.insight.text.entities.features import Columns
from careloop.insight.text.entities.gazetteer import Gazetteer
from careloop.insight.text.entities.judging import Judge
from careloop.insight.text.entities.themes import Themes
from careloop.insight.text.model_folder import read_arrays, read_card, write_model
from careloop.insight.text.readable import to_readable
from careloop.insight.text.sequences import simplify
from careloop.insight.types import Entity

FORMAT = 2
_NAMES = "names.json"
_BATCH = 500  # pieces that are looked at together
_LONGEST_PIECE = 600  # characters that are labelled together
_PIECE = re.compile(rf"[^。！？!?\n]{{1,{_LONGEST_PIECE}}}[。！？!?\n]*+|[。！？!?\n]+")


@dataclass(frozen=True)
class EntityModel:
    """Finds the types of entities that it learnt.

    Attributes
    ----------
    card : dict
        What it was made of and how well it does: "types", "rows", "fingerprint" of the examples, "report" (see `score_entities`) on
        "held_back_rows" that it did not learn from when it was measured.
    columns, chain
        The features that the chain knows, and the chain, which proposes.
    judge : Judge
        Decides.
    gazetteer, themes
        Where part of the features come from.
    """

    card: dict[str, Any]
    columns: Columns
    chain: Chain
    judge: Judge
    gazetteer: Gazetteer
    themes: Themes

    @property
    def types(self) -> tuple[str, ...]:
        """Return the types that it finds."""
        return self.themes.types

    def read(self, texts: Sequence[str]) -> list[tuple[Entity, ...]]:
        """Return the entities of every text in order of place; none overlaps another, their value is their text.

        Texts may be of any length; they are read sentence by sentence where they are long.
        """
        found: list[list[Entity]] = [[] for _ in texts]
        pieces = [(row, start, piece) for row, text in enumerate(texts) for start, piece in cut_pieces(prepare(text))]
        for begin in range(0, len(pieces), _BATCH):
            batch = pieces[begin : begin + _BATCH]
            for (row, start, _), spans in zip(batch, self._find([piece for _, _, piece in batch]), strict=True):
                for span in spans:
                    first, last = start + span.start, start + span.end
                    found[row].append(Entity(span.type, texts[row][first:last], first, last, texts[row][first:last]))
        return [tuple(entities) for entities in found]

    def save(self, folder: str | Path) -> None:
        """Write the model into a folder, which is made: plain JSON and arrays. Nothing in them is executed."""
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        (path / _NAMES).write_text(json.dumps(self.gazetteer.names, ensure_ascii=False), encoding="utf-8")
        arrays: dict[str, NDArray[Any]] = {
            "theme_rarity": self.themes.rarity, "theme_weights": self.themes.weights.astype(np.float16), "theme_biases": self.themes.biases,
            "columns": self.columns.codes, "weights": self.chain.weights.astype(np.float16), "transitions": self.chain.transitions,
            "judge_weights": self.judge.weights.astype(np.float16), "judge_bias": np.array([self.judge.bias, self.judge.threshold]),
        }  # fmt: skip
        write_model(path, self.card, arrays)

    def _find(self, pieces: Sequence[str]) -> list[list[LabelledSpan]]:
        evidence = Evidence.gather(pieces, self.types, self.themes.read(pieces), self.gazetteer)
        layout = evidence.layout
        candidates = self.chain.find(self.columns.number(evidence.describe_units()), layout.firsts, layout.lengths)
        probabilities = self.judge.judge(evidence.describe_candidates(candidates))
        places = evidence.place(candidates)
        chosen: list[list[LabelledSpan]] = [[] for _ in pieces]
        for candidate in np.argsort(-probabilities, kind="stable")[: int((probabilities >= self.judge.threshold).sum())].tolist():
            text, start, end, kind = places[candidate]
            if all(end <= other.start or other.end <= start for other in chosen[text]):
                chosen[text].append(LabelledSpan(start, end, kind))
        return [sorted(spans) for spans in chosen]


def load_entities(folder: str | Path) -> EntityModel:
    """Return a stored model.

    Raises
    ------
    ModelError
        When the folder holds no such model, one of another format, or a damaged one.
    """
    path = Path(folder)
    card, stored = read_card(path, task="entities", format=FORMAT), read_arrays(path)
    try:
        gazetteer = Gazetteer(json.loads((path / _NAMES).read_text(encoding="utf-8")))
        themes = Themes(tuple(card["types"]), stored["theme_rarity"], stored["theme_weights"].astype(np.float32), stored["theme_biases"])
        chain = Chain(stored["weights"].astype(np.float32), stored["transitions"])
        judge = Judge(stored["judge_weights"].astype(np.float32), *stored["judge_bias"].tolist())
        return EntityModel(card, Columns.of(stored["columns"]), chain, judge, gazetteer, themes)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"The model of entities in {path.name} cannot be read ({error}); learn it again.") from error


def prepare(text: str) -> str:
    """Return the working copy of a text, of the same length: readable, simplified."""
    readable = to_readable(text)
    return readable if readable.isascii() else simplify(readable)


def cut_pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield a text, or the sentences of a long one, with the places where they start."""
    if len(text) <= _LONGEST_PIECE:
        if text.strip():
            yield 0, text
        return
    for match in _PIECE.finditer(text):
        if match[0].strip():
            yield match.start(), match[0]
