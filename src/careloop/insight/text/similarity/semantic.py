"""Texts by their vectors: cosine after what all vectors share was taken off."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.encoder import Encoder, Vectors

Floats = NDArray[np.float32]


class VectorIndex:
    """Rows by the vectors of an encoder."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self._blocks: list[Vectors] = [np.zeros((0, encoder.dimensions), dtype=np.float32)]
        self._centre: Vectors | None = None

    def add(self, vectors: Vectors) -> None:
        """Append vectors as further rows."""
        self._blocks.append(vectors)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return the encoder's unit vectors of texts."""
        return self.encoder.encode(texts)

    def score(self, queries: Vectors) -> Floats:
        """Return cosines, −1…1, shape (n_queries, n_rows)."""
        rows = self._join()
        return np.asarray(queries @ rows.T, dtype=np.float32)

    def _join(self) -> Vectors:
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks)]
        return self._blocks[0]
