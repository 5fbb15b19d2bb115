"""The weight file of the bundled encoder: what it holds, checked before anything is taken from it, and how four bits become numbers."""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from careloop.insight.errors import ModelError

Floats = NDArray[np.float32]

_MAGIC, _VERSION = b"E5S1", 1
_IN_BLOCK = 32  # weights that share one scale
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", (_IN_BLOCK // 2,))])  # packed: 18 bytes
_WHOLE, _FOUR_BITS = 0, 1  # codes of how a tensor is stored
_SQUARE = ("h", "h")  # rows and columns of a layer's weights: hidden or feed-forward
_LAYER = {"q": _SQUARE, "k": _SQUARE, "v": _SQUARE, "ao": _SQUARE, "fi": ("f", "h"), "fo": ("h", "f")}


class Header(NamedTuple):
    """Sizes of the network."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    words: int
    positions: int
    types: int
    epsilon: float
    in_block: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Pieces of words and how characters are written before they are looked for.

    Attributes
    ----------
    pieces : list of str
        In the order of their numbers.
    scores : ndarray of float32, shape (n_pieces,)
        Log-probability of each piece.
    begin, end, unknown : int
        Numbers of the pieces that stand for the beginning, the end and what is not known.
    rewritten : dict of int to str
        Code point → what is read instead of it.
    """

    pieces: list[str]
    scores: Floats
    begin: int
    end: int
    unknown: int
    rewritten: dict[int, str]


class _Cursor:
    """Reads little-endian values one after the other."""

    def __init__(self, raw: memoryview) -> None:
        self.raw, self.place = raw, 0

    def take(self, layout: str) -> tuple[int | float, ...]:
        values = struct.unpack_from("<" + layout, self.raw, self.place)
        self.place += struct.calcsize("<" + layout)
        return values

    def whole(self, layout: str) -> tuple[int, ...]:
        return tuple(int(one) for one in self.take(layout))

    def skip(self, n_bytes: int) -> memoryview:
        start, self.place = self.place, self.place + n_bytes
        if n_bytes < 0 or self.place > len(self.raw):
            raise ValueError("it ends too early")
        return self.raw[start : self.place]


class WeightFile:
    """The file, mapped into memory; only what is asked for is read.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ModelError
        When the file is not there, or is not of the one format and shape that is known here.
    """

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                self._raw = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            cursor = _Cursor(self._raw)
            magic, version = bytes(cursor.skip(4)), cursor.whole("I")[0]
            if (magic, version) != (_MAGIC, _VERSION):
                raise ValueError(f"it begins with {magic!r}, version {version}; known is {_MAGIC!r}, version {_VERSION}")
            self.header = Header._make(cursor.take("7ifi"))
            self.vocabulary = _read_vocabulary(cursor)
            self._places = _read_directory(cursor)
            self._check()
        except (OSError, ValueError, KeyError, struct.error) as error:
            raise ModelError(f"The weights in “{path.name}” are not of the format known here ({error}).") from error

    def _check(self) -> None:
        sizes = self.header
        if sizes.in_block != _IN_BLOCK or min(sizes[:7]) < 1 or sizes.hidden % _IN_BLOCK or sizes.feed_forward % _IN_BLOCK:
            raise ValueError(f"sizes {tuple(sizes)} are not ones of blocks of {_IN_BLOCK}")
        if sizes.hidden % sizes.heads or max(len(self.vocabulary.pieces), self.vocabulary.end) > sizes.words:
            raise ValueError(f"sizes {tuple(sizes)} do not fit each other")
        for name, (shape, kind) in _expect(sizes).items():
            stored, count, start, n_bytes = self._places[name]
            expected = int(np.prod(shape))
            n_expected = expected // _IN_BLOCK * _BLOCK.itemsize if kind == _FOUR_BITS else 4 * expected
            if (stored, count, n_bytes) != (kind, expected, n_expected) or start + n_bytes > len(self._raw):
                raise ValueError(f"“{name}” is not {' × '.join(map(str, shape))} numbers inside the file")

    def read(self, name: str) -> Floats:
        """Return a tensor, float32, in its own shape; four bits become numbers."""
        shape, kind = _expect(self.header)[name]
        if kind == _FOUR_BITS:
            return _widen(self.blocks(name)).reshape(shape)
        start = self._places[name][2]
        return np.frombuffer(self._raw, "<f4", int(np.prod(shape)), start).reshape(shape).astype(np.float32)

    def blocks(self, name: str) -> NDArray[np.void]:
        """Return a four-bit tensor as it lies in the file, shape (n_rows, n_columns / 32)."""
        _, count, start, _ = self._places[name]
        columns = _expect(self.header)[name][0][1]
        return np.frombuffer(self._raw, _BLOCK, count // _IN_BLOCK, start).reshape(-1, columns // _IN_BLOCK)


def widen_rows(blocks: NDArray[np.void], rows: NDArray[np.int64]) -> Floats:
    """Return some rows of a four-bit tensor as numbers, shape (n_rows, n_columns)."""
    return _widen(blocks[rows]).reshape(len(rows), -1)


def _widen(blocks: NDArray[np.void]) -> Floats:
    """Return weights, shape (…, 32): the lower halves of a block's bytes are its first 16, the upper ones the others; 8 stands for 0."""
    nibbles = blocks["nibbles"]
    levels = np.concatenate([nibbles & 15, nibbles >> 4], axis=-1).astype(np.float32)
    levels -= 8
    levels *= blocks["scale"].astype(np.float32)[..., None]
    return levels


def _read_vocabulary(cursor: _Cursor) -> Vocabulary:
    n_pieces, begin, end, _, unknown, n_bytes = cursor.whole("5iQ")
    if not 0 <= max(begin, end, unknown) < n_pieces:
        raise ValueError(f"it speaks of {n_pieces} pieces")
    limits = np.frombuffer(cursor.skip(4 * (n_pieces + 1)), "<u4").tolist()
    scores = np.frombuffer(cursor.skip(4 * n_pieces), "<f4").astype(np.float32)
    text = bytes(cursor.skip(n_bytes))
    pieces = [text[start:stop].decode() for start, stop in pairwise(limits)]
    n_rewritten, n_bytes = cursor.whole("iI")
    rows, rewritten = _Cursor(cursor.skip(n_bytes)), {}
    for _ in range(n_rewritten):
        point, n_points = rows.whole("IB")
        rewritten[point] = "".join(map(chr, rows.whole(f"{n_points}I")))
    return Vocabulary(pieces, scores, begin, end, unknown, rewritten)


def _read_directory(cursor: _Cursor) -> Mapping[str, tuple[int, int, int, int]]:
    """Return for each tensor how it is stored, its count of numbers, where it begins and its bytes."""
    places = {}
    for _ in range(cursor.whole("i")[0]):
        name = bytes(cursor.skip(cursor.whole("H")[0])).decode()
        kind, count, start, n_bytes = cursor.whole("BIQQ")
        places[name] = (kind, count, start, n_bytes)
    return places


def _expect(sizes: Header) -> dict[str, tuple[tuple[int, ...], int]]:
    """Return shape and kind of every tensor that a network of these sizes has."""
    hidden = (sizes.hidden,)
    expected: dict[str, tuple[tuple[int, ...], int]] = {
        "emb.word": ((sizes.words, sizes.hidden), _FOUR_BITS),
        "emb.pos": ((sizes.positions, sizes.hidden), _WHOLE),
        "emb.type": ((sizes.types, sizes.hidden), _WHOLE),
        "emb.ln.w": (hidden, _WHOLE),
        "emb.ln.b": (hidden, _WHOLE),
    }
    lengths = {"h": sizes.hidden, "f": sizes.feed_forward}
    for layer in range(sizes.layers):
        for name, (rows, columns) in _LAYER.items():
            expected[f"l{layer}.{name}.w"] = ((lengths[rows], lengths[columns]), _FOUR_BITS)
            expected[f"l{layer}.{name}.b"] = ((lengths[rows],), _WHOLE)
        expected |= {f"l{layer}.{name}.{part}": (hidden, _WHOLE) for name in ("aln", "oln") for part in ("w", "b")}
    return expected
