"""Texts by their vectors: cosines after what all of them share was taken off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.encoder import Encoder, Vectors, normalise_rows

Floats = NDArray[np.float32]

_PRIOR_ROWS = 50  # so many rows does the first guess of the centre count as
UNRELATED = (
    *("你好，请问在吗", "这个多少钱", "我想退货", "快递到哪了", "质量很好，很喜欢", "明天下午开会", "发票什么时候寄", "登录不了"),
    *("hello", "How do I change my password?", "Where is my order?", "I love this phone", "The room was dirty", "What time do you open?"),
)
_CENTRES: dict[str, Floats] = {}


class VectorIndex:
    """Rows by the vectors of an encoder.

    Unrelated texts have cosines near 0.8 with the bundled encoder; without the rows' mean, they are near 0.
    """

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._blocks: list[Vectors] = [np.zeros((0, encoder.dimensions), dtype=np.float32)]
        self._is_dead = np.zeros(0, dtype=np.bool_)
        self._centred: tuple[Floats, Floats] | None = None

    def add(self, vectors: Vectors) -> None:
        """Append vectors as further rows."""
        self._blocks.append(np.asarray(vectors, dtype=np.float32))
        self._is_dead = np.concatenate([self._is_dead, np.zeros(len(vectors), dtype=np.bool_)])
        self._centred = None

    def remove(self, rows: Sequence[int]) -> None:
        """Take rows away; the others keep their numbers."""
        self._is_dead[list(rows)] = True
        self._centred = None

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the encoder's unit vectors of texts."""
        return self.encoder.encode(texts)

    def score(self, queries: Vectors) -> Floats:
        """Return cosines with what all rows share taken off, at least 0, shape (n_queries, n_rows)."""
        centre, rows = self._centre()
        return np.asarray(np.maximum(normalise_rows(queries - centre) @ rows.T, 0), dtype=np.float32)

    def _centre(self) -> tuple[Floats, Floats]:
        if self._centred is None:
            self._blocks = [np.concatenate(self._blocks)]
            rows = self._blocks[0]
            alive = rows[~self._is_dead]
            centre = (_PRIOR_ROWS * guess_centre(self.encoder) + alive.sum(axis=0)) / (_PRIOR_ROWS + len(alive))
            self._centred = np.asarray(centre, dtype=np.float32), normalise_rows(rows - centre)
        return self._centred


def guess_centre(encoder: Encoder) -> Floats:
    """Return the mean vector of a few unrelated sentences, shape (n_dimensions,): what all texts share, before any are known."""
    if encoder.name not in _CENTRES:
        _CENTRES[encoder.name] = encoder.encode(UNRELATED).mean(axis=0, dtype=np.float32)
    return _CENTRES[encoder.name]
