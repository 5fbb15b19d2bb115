"""The layers of the bundled encoder in single precision: all pieces of many texts in one matrix, attention inside each text.

Texts of one length stand side by side, so that nothing is padded. What cannot change a result is left out: the bias of keys moves all
scores of a row alike, that of values passes through the mean and is added to the bias of what follows.

References
----------
Devlin et al. 2019, BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding, appendix A.
Hendrycks and Gimpel 2016, Gaussian Error Linear Units.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.encoding.weights import Floats, WeightFile, widen_rows

# x · Φ(x) ≈ x / (1 + exp(−x · (a + b·x² + c·x⁴))), off by at most 3e-5: fitted here to the largest error between −9 and 9
_GELU = tuple(np.float32(one) for one in (-1.59501577, -7.40112920e-2, 7.03033577e-4))
_MOST_GELU_INPUT = np.float32(9)  # beyond it the fit's last term would turn the curve
_ROWS_IN_CACHE = 32  # rows of the widest matrix that are worked on at once


class _Layer(NamedTuple):
    """Weights of a layer, transposed: shape (n_in, n_out)."""

    query_key_value: Floats
    query_bias: Floats
    mixed: Floats
    mixed_bias: Floats
    mixed_norm: tuple[Floats, Floats]
    wide: Floats
    wide_bias: Floats
    narrow: Floats
    narrow_bias: Floats
    narrow_norm: tuple[Floats, Floats]


class Network:
    """Turns pieces into mean vectors of texts; may be used from several threads at once.

    Parameters
    ----------
    weights : WeightFile
        Its table of words stays in four bits; layers take about 85 MB.
    """

    def __init__(self, weights: WeightFile) -> None:
        sizes = weights.header
        self.hidden, self.heads, self.feed_forward, self.positions = sizes.hidden, sizes.heads, sizes.feed_forward, sizes.positions
        self._epsilon = np.float32(sizes.epsilon)
        self._words = weights.blocks("emb.word")
        self._positions = weights.read("emb.pos") + weights.read("emb.type")[0]
        self._norm = weights.read("emb.ln.w"), weights.read("emb.ln.b")
        self._layers = [_read_layer(weights, f"l{number}", self.hidden // self.heads) for number in range(sizes.layers)]

    def run(self, texts: Sequence[Sequence[int]]) -> Floats:
        """Return the mean of the last layer over the pieces of each text, shape (n_texts, hidden).

        Parameters
        ----------
        texts : sequence of sequence of int
            Numbers of pieces, 1 to `positions` of them each; texts of one length must be neighbours.
        """
        groups, start = [], 0
        for length, members in groupby(len(one) for one in texts):
            n_texts = sum(1 for _ in members)
            groups.append((start, n_texts, length))
            start += n_texts * length
        rows = widen_rows(self._words, np.concatenate([np.asarray(one, dtype=np.int64) for one in texts]))
        for first, n_texts, length in groups:
            rows[first : first + n_texts * length].reshape(n_texts, length, -1)[:] += self._positions[:length]
        _normalise(rows, self._norm, self._epsilon)
        wide: Floats = np.empty((len(rows), self.feed_forward), dtype=np.float32)
        for layer in self._layers:
            self._attend(rows, layer, groups)
            self._feed(rows, layer, wide)
        return np.concatenate([rows[first : first + n * length].reshape(n, length, -1).mean(axis=1) for first, n, length in groups])

    def _attend(self, rows: Floats, layer: _Layer, groups: Sequence[tuple[int, int, int]]) -> None:
        joint = rows @ layer.query_key_value
        joint[:, : self.hidden] += layer.query_bias
        mixed = np.empty_like(rows)
        for first, n_texts, length in groups:
            part = slice(first, first + n_texts * length)
            query, key, value = joint[part].reshape(n_texts, length, 3, self.heads, -1).transpose(2, 0, 3, 1, 4)
            likeness = query @ key.transpose(0, 1, 3, 2)
            likeness -= likeness.max(axis=-1, keepdims=True)
            np.exp(likeness, out=likeness)
            likeness /= likeness.sum(axis=-1, keepdims=True)
            mixed[part].reshape(n_texts, length, self.heads, -1)[:] = (likeness @ value).transpose(0, 2, 1, 3)
        rows += mixed @ layer.mixed
        rows += layer.mixed_bias
        _normalise(rows, layer.mixed_norm, self._epsilon)

    def _feed(self, rows: Floats, layer: _Layer, wide: Floats) -> None:
        np.matmul(rows, layer.wide, out=wide)
        _bend(wide, layer.wide_bias)
        rows += wide @ layer.narrow
        rows += layer.narrow_bias
        _normalise(rows, layer.narrow_norm, self._epsilon)


def _read_layer(weights: WeightFile, name: str, per_head: int) -> _Layer:
    def get(part: str) -> Floats:
        return np.ascontiguousarray(weights.read(f"{name}.{part}").T)

    scale = np.float32(per_head**-0.5)
    mixed = get("ao.w")
    return _Layer(
        query_key_value=np.concatenate([get("q.w") * scale, get("k.w"), get("v.w")], axis=1),
        query_bias=get("q.b") * scale,
        mixed=mixed,
        mixed_bias=get("v.b") @ mixed + get("ao.b"),
        mixed_norm=(get("aln.w"), get("aln.b")),
        wide=get("fi.w"),
        wide_bias=get("fi.b"),
        narrow=get("fo.w"),
        narrow_bias=get("fo.b"),
        narrow_norm=(get("oln.w"), get("oln.b")),
    )


def _normalise(rows: Floats, norm: tuple[Floats, Floats], epsilon: np.float32) -> None:
    """Give every row mean 0 and variance 1, then weight and shift, in place."""
    rows -= rows.mean(axis=1, keepdims=True)
    spread = np.einsum("ij,ij->i", rows, rows)[:, None]
    spread /= rows.shape[1]
    spread += epsilon
    np.sqrt(spread, out=spread)
    rows /= spread
    rows *= norm[0]
    rows += norm[1]


def _bend(wide: Floats, bias: Floats) -> None:
    """Add the bias and apply the Gaussian error linear unit, in place."""
    linear, cubic, quintic = _GELU
    room: NDArray[np.float32] = np.empty((2, min(_ROWS_IN_CACHE, len(wide)), wide.shape[1]), dtype=np.float32)
    for start in range(0, len(wide), _ROWS_IN_CACHE):
        part = wide[start : start + _ROWS_IN_CACHE]
        square, power = room[:, : len(part)]
        part += bias
        np.minimum(np.multiply(part, part, out=square), _MOST_GELU_INPUT**2, out=square)
        np.multiply(square, quintic, out=power)
        power += cubic
        power *= square
        power += linear
        power *= part
        with np.errstate(over="ignore"):  # of a strongly negative input: divided by infinity, it becomes 0 as it should
            np.exp(power, out=power)
        power += 1
        np.divide(part, power, out=part)
