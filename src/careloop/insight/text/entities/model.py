"""Types of entities learnt from examples: linear-chain models over units, which vote; made, measured, stored and read."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from careloop.insight.errors import InputError, ModelError
from careloop.insight.text.entities.annotations import AnnotatedText, LabelledSpan
from careloop.insight.text.entities.chains import MEMBERS, Chain, decode_tags, encode_tags, open_chain, train_chain
from careloop.insight.text.entities.evaluation import score_entities
from careloop.insight.text.entities.gazetteer import Gazetteer
from careloop.insight.text.entities.themes import Themes, describe_theme, learn_themes
from careloop.insight.text.entities.units import Units, cut_units, describe_units
from careloop.insight.text.model_folder import read_arrays, read_card, write_model
from careloop.insight.text.readable import to_readable
from careloop.insight.text.sequences import simplify
from careloop.insight.types import Entity

FORMAT = 1
_NAMES = "names.json"
_LONGEST_PIECE = 600  # characters that are labelled together
_PIECE = re.compile(rf"[^。！？!?\n]{{1,{_LONGEST_PIECE}}}[。！？!?\n]*+|[。！？!?\n]+")
_FEWEST_ROWS = 10
_HELD_BACK = 0.1
_FEW_ROWS, _HELD_BACK_OF_FEW = 500, 0.2


@dataclass(frozen=True)
class EntityModel:
    """Finds the types of entities that it learnt.

    Attributes
    ----------
    card : dict
        What it was made of and how well it does: "types", "rows", "fingerprint" of the examples, "report" (see `score_entities`) on
        "held_back_rows" that it did not learn from when it was measured.
    chains : tuple of Chain
        Linear-chain models; what most of them find counts.
    gazetteer, themes
        Where part of their features come from.
    """

    card: dict[str, Any]
    chains: tuple[Chain, ...]
    gazetteer: Gazetteer
    themes: Themes

    @property
    def types(self) -> tuple[str, ...]:
        """Return the types that it finds."""
        return self.themes.types

    @cached_property
    def _least_votes(self) -> int:
        return len(self.chains) // 2 + 1

    def read(self, texts: Sequence[str]) -> list[tuple[Entity, ...]]:
        """Return the entities of every text in order of place; none overlaps another, their value is their text.

        Texts may be of any length; they are read sentence by sentence where they are long.
        """
        found: list[list[Entity]] = [[] for _ in texts]
        pieces = [(row, start, piece) for row, text in enumerate(texts) for start, piece in _cut_pieces(_prepare(text))]
        probabilities = self.themes.read([piece for _, _, piece in pieces])
        for (row, start, piece), likely in zip(pieces, probabilities, strict=True):
            for span in self._find(piece, likely):
                first, last = start + span.start, start + span.end
                found[row].append(Entity(span.type, texts[row][first:last], first, last, texts[row][first:last]))
        return [tuple(entities) for entities in found]

    def save(self, folder: str | Path) -> None:
        """Write the model into a folder, which is made: plain JSON, arrays, and the chains' own files. Nothing in them is executed."""
        path = Path(folder)
        themes = self.themes
        path.mkdir(parents=True, exist_ok=True)
        (path / _NAMES).write_text(json.dumps(self.gazetteer.names, ensure_ascii=False), encoding="utf-8")
        for chain in self.chains:
            (path / f"{chain.name}.crfsuite").write_bytes(chain.content)
        write_model(path, self.card, {"rarity": themes.rarity, "weights": themes.weights.astype(np.float16), "biases": themes.biases})

    def _find(self, piece: str, likely: Any) -> list[LabelledSpan]:
        units = cut_units(piece)
        if not len(units):
            return []
        features = _describe(piece, units, self.gazetteer, self.themes.types, likely)
        return _vote([decode_tags(chain.tag(features), units) for chain in self.chains], self._least_votes)


def learn_entities(
    texts: Sequence[str], spans: Sequence[Sequence[LabelledSpan]], *, seed: int = 0, is_measured: bool = True, is_final: bool = True
) -> EntityModel:
    """Return a model of the types in the examples, and in its card how well it does on rows held back.

    Parameters
    ----------
    texts : sequence of str, length n_texts
    spans : sequence of sequence of (start, end, type), length n_texts
        The entities of each text, `end` exclusive, none overlapping another: what `read_annotations` returns.
    seed : int
        Of the split and of the order of learning; the same examples and seed give the same model (not on Windows).
    is_measured : bool
        Hold back a tenth of the rows (a fifth of fewer than 500), learn from the others, and report on them. Rows with the same text
        are on the same side.
    is_final : bool
        Learn once more from all rows afterwards. Without, the model that was measured is returned.

    Raises
    ------
    InputError
        When there are fewer than ten rows, texts and spans are of different number, or no row has an entity.

    References
    ----------
    Lafferty, McCallum & Pereira 2001, "Conditional Random Fields"; four of five chains learn as in Crammer et al. 2006, "Online
    Passive-Aggressive Algorithms", and Collins 2002, "Discriminative Training Methods for Hidden Markov Models": six times faster, a
    point worse alone. Leave-one-out gazetteer, themes and vote: ours.
    """
    rows = _check_examples(texts, spans)
    card: dict[str, Any] = {
        "format": FORMAT,
        "task": "entities",
        "rows": len(rows),
        "types": sorted({span.type for row in rows for span in row.spans}),
        "fingerprint": _fingerprint(rows),
        "seed": seed,
    }
    if is_measured:
        learnt, held_back = _split(rows, seed)
        model = _fit(learnt, seed, card)
        found = [
            [LabelledSpan(one.start, one.end, one.type) for one in entities] for entities in model.read([row.text for row in held_back])
        ]
        report = score_entities([row.spans for row in held_back], found)
        card |= {"held_back_rows": len(held_back), "report": report}
        if not is_final:
            return EntityModel(card | {"rows_learnt": len(learnt)}, model.chains, model.gazetteer, model.themes)
    return _fit(rows, seed, card | {"rows_learnt": len(rows)})


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
        names = json.loads((path / _NAMES).read_text(encoding="utf-8"))
        themes = Themes(tuple(card["types"]), stored["rarity"], stored["weights"].astype(np.float32), stored["biases"])
        chains = tuple(open_chain(name, (path / f"{name}.crfsuite").read_bytes()) for name in card["chains"])
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise ModelError(f"The model of entities in {path.name} cannot be read ({error}); learn it again.") from error
    return EntityModel(card, chains, Gazetteer(names), themes)


def _fit(rows: Sequence[AnnotatedText], seed: int, card: dict[str, Any]) -> EntityModel:
    pieces = [piece for row in rows for piece in _cut_example(row)]
    themes, likely = learn_themes(pieces, seed=seed)
    gazetteer = Gazetteer.learn(pieces)
    units = [cut_units(piece.text) for piece in pieces]
    features = [
        [
            [*map(sys.intern, own)]  # the same features come again and again: two fifths less memory
            for own in _describe(piece.text, one, gazetteer, themes.types, probabilities, own=piece)
        ]
        for piece, one, probabilities in zip(pieces, units, likely, strict=True)
    ]
    tags = [encode_tags(piece.spans, one) for piece, one in zip(pieces, units, strict=True)]
    chains = tuple(train_chain(member, features, tags, seed=seed) for member in MEMBERS)
    return EntityModel(card | {"chains": [chain.name for chain in chains]}, chains, gazetteer, themes)


def _describe(
    text: str, units: Units, gazetteer: Gazetteer, types: Sequence[str], likely: Any, own: AnnotatedText | None = None
) -> list[list[str]]:
    features = describe_units(text, units)
    gazetteer.describe(text, units, features, own)
    describe_theme(types, likely, features)
    return features


def _vote(found: Sequence[Sequence[LabelledSpan]], least: int) -> list[LabelledSpan]:
    """Return the entities that enough chains found, those of most votes first where two overlap."""
    votes = Counter(span for spans in found for span in spans)
    chosen: list[LabelledSpan] = []
    for span in sorted(votes, key=lambda one: (-votes[one], one.start - one.end, one)):
        if votes[span] >= least and all(span.end <= other.start or other.end <= span.start for other in chosen):
            chosen.append(span)
    return sorted(chosen)


def _prepare(text: str) -> str:
    """Return the working copy of a text, of the same length: readable, simplified."""
    readable = to_readable(text)
    return readable if readable.isascii() else simplify(readable)


def _cut_pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield a text, or the sentences of a long one, with the places where they start."""
    if len(text) <= _LONGEST_PIECE:
        if text.strip():
            yield 0, text
        return
    for match in _PIECE.finditer(text):
        if match[0].strip():
            yield match.start(), match[0]


def _cut_example(row: AnnotatedText) -> Iterator[AnnotatedText]:
    """Yield an example as it will be read; an entity that the cut between two sentences goes through is lost."""
    for start, piece in _cut_pieces(_prepare(row.text)):
        inside = [span for span in row.spans if start <= span.start and span.end <= start + len(piece)]
        yield AnnotatedText(piece, tuple(LabelledSpan(span.start - start, span.end - start, span.type) for span in inside))


def _check_examples(texts: Sequence[str], spans: Sequence[Sequence[LabelledSpan]]) -> list[AnnotatedText]:
    if len(texts) != len(spans):
        raise InputError(f"There are {len(texts)} texts and the entities of {len(spans)}; give one list of entities for each text.")
    if len(texts) < _FEWEST_ROWS:
        raise InputError(f"There are {len(texts)} examples; at least {_FEWEST_ROWS} are needed to learn entities and to measure it.")
    rows = [AnnotatedText(text, tuple(sorted(LabelledSpan(*span) for span in own))) for text, own in zip(texts, spans, strict=True)]
    if not any(row.spans for row in rows):
        raise InputError("None of the examples has an entity; annotate some, at least a few of each type.")
    return rows


def _split(rows: Sequence[AnnotatedText], seed: int) -> tuple[list[AnnotatedText], list[AnnotatedText]]:
    """Return the rows to learn from and those held back; which is which hangs on the text alone."""
    ratio = _HELD_BACK if len(rows) >= _FEW_ROWS else _HELD_BACK_OF_FEW
    keys = [hashlib.sha256(f"{seed} {row.text}".encode("utf-8", "surrogatepass")).digest() for row in rows]
    limit = sorted(keys)[max(1, round(len(rows) * ratio)) - 1]
    learnt = [row for row, key in zip(rows, keys, strict=True) if key > limit]
    held_back = [row for row, key in zip(rows, keys, strict=True) if key <= limit]
    if not any(row.spans for row in learnt):
        raise InputError("All annotated examples fell among the rows held back to measure; annotate more rows.")
    return learnt, held_back


def _fingerprint(rows: Sequence[AnnotatedText]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()
