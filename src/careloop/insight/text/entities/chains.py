"""Linear-chain models over units, by CRFsuite: tags B-TYPE, I-TYPE and O, or also E-TYPE and S-TYPE; trained, opened and kept in memory."""

from __future__ import annotations

import contextlib
import ctypes
import random
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import pycrfsuite

from careloop.insight.errors import ModelError
from careloop.insight.text.entities.annotations import LabelledSpan
from careloop.insight.text.entities.units import Units


class Member(NamedTuple):
    """One chain of a model: how it learns, and whether its tags tell last (E) and lone (S) units, too, so that its errors are its own."""

    name: str
    algorithm: str
    tells_ends: bool
    settings: dict[str, Any]


MEMBERS = (
    Member("conditional", "lbfgs", False, {"c1": 0.05, "c2": 0.05, "max_iterations": 60}),
    Member("passive-aggressive-1", "pa", False, {"max_iterations": 10}),
    Member("passive-aggressive-2", "pa", True, {"max_iterations": 10}),
    Member("passive-aggressive-3", "pa", True, {"max_iterations": 10}),
    Member("perceptron", "ap", True, {"max_iterations": 10}),
)


class Chain:
    """A trained chain.

    Parameters
    ----------
    name : str
    content : bytes
        CRFsuite's model file.
    """

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content

    def tag(self, features: Any) -> list[str]:
        """Return the likeliest tags of the units of one text."""
        tags: list[str] = self._tagger.tag(features)
        return tags

    @cached_property
    def _tagger(self) -> Any:
        tagger = pycrfsuite.Tagger()
        tagger.open_inmemory(self.content)
        return tagger


def open_chain(name: str, content: bytes) -> Chain:
    """Return a stored chain; one that is not CRFsuite's is refused before its library sees it."""
    if content[:4] != b"lCRF":
        raise ModelError(f"{name}.crfsuite is not a CRFsuite model; learn the model again.")
    return Chain(name, content)


def train_chain(member: Member, features: Sequence[list[list[str]]], tags: Sequence[list[str]], *, seed: int) -> Chain:
    """Return a chain learnt from the features and tags of the units of texts."""
    trainer = pycrfsuite.Trainer(algorithm=member.algorithm, verbose=False)
    trainer.set_params(member.settings)
    order = list(range(len(features)))
    random.Random(f"{seed} {member.name}").shuffle(order)
    for place in order:
        trainer.append(features[place], tell_ends(tags[place]) if member.tells_ends else tags[place])
    _seed_library(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chain.crfsuite"
        trainer.train(str(path))
        return Chain(member.name, path.read_bytes())


def _seed_library(seed: int) -> None:
    """Make the library's own shuffling repeatable: it draws from the C library's rand(), which Windows hides."""
    with contextlib.suppress(TypeError, OSError, AttributeError):
        ctypes.CDLL(None).srand(seed + 1)


def encode_tags(spans: Sequence[LabelledSpan], units: Units) -> list[str]:
    """Return the tag of every unit; a unit counts to an entity that holds it whole."""
    tags = ["O"] * len(units)
    places = zip(units.starts, units.ends, strict=True)
    remaining = list(spans)
    is_begun = False
    for place, (start, end) in enumerate(places):
        while remaining and remaining[0].end <= start:
            remaining.pop(0)
            is_begun = False
        if remaining and remaining[0].start <= start and end <= remaining[0].end:
            tags[place] = f"{'I' if is_begun else 'B'}-{remaining[0].type}"
            is_begun = True
    return tags


def tell_ends(tags: Sequence[str]) -> list[str]:
    """Return tags in which the last unit of an entity is E-TYPE, and a lone one S-TYPE."""
    told = []
    for tag, following in zip(tags, [*tags[1:], "O"], strict=True):
        if tag != "O" and following != f"I-{tag[2:]}":
            told.append(f"{'S' if tag[0] == 'B' else 'E'}-{tag[2:]}")
        else:
            told.append(tag)
    return told


def decode_tags(tags: Sequence[str], units: Units) -> list[LabelledSpan]:
    """Return the entities that tags describe; one that goes on after nothing, or as another type, begins there."""
    spans: list[LabelledSpan] = []
    opened: int | None = None
    for place, tag in enumerate([*tags, "O"]):
        goes_on = opened is not None and tag[0] in "IE" and tag[2:] == tags[opened][2:]
        if opened is not None and not goes_on:
            spans.append(LabelledSpan(units.starts[opened], units.ends[place - 1], tags[opened][2:]))
            opened = None
        if tag != "O" and opened is None:
            opened = place
    return spans
