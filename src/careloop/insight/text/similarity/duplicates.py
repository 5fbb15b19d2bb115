"""Near-duplicates: texts that share almost all of their character triples, found without comparing every pair."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from careloop.insight.errors import InputError
from careloop.insight.text.similarity.terms import Vocabulary, strip_marks

Integers = NDArray[np.int64]

_ORDER = 3  # characters in a row
_PRODUCTS = 5_000_000  # multiplications in one step; bounds memory to some 200 MB
_MOST_COMPARED = 300  # earlier texts for a text: texts from one template have thousands alike, of which any few will do


class Duplicate(NamedTuple):
    """A row, the earlier row that it repeats most nearly, and the Jaccard similarity of their character triples, 0–1."""

    row: int
    earlier: int
    similarity: float


def find_duplicates(texts: Sequence[str], threshold: float = 0.8) -> list[Duplicate]:
    """Return every row that nearly repeats an earlier one, with the most similar earlier row (the earliest among equals), by row.

    Case, width, script variant, punctuation and blanks do not count. Texts without letters and digits repeat only their exact like;
    blank ones repeat nothing. Where more than 300 earlier texts share a rare triple with a text (messages from one template), the 300 that
    share most are compared.

    Parameters
    ----------
    texts : sequence of str
    threshold : float
        Least similarity, above 0 and at most 1.

    Raises
    ------
    InputError
        When the threshold is out of range.

    References
    ----------
    Bayardo, Ma & Srikant 2007, "Scaling Up All Pairs Similarity Search": two sets as similar as the threshold share one of their rarest
    few members; only such pairs are compared, exactly.
    """
    if not 0 < threshold <= 1:
        raise InputError(f"The threshold must be above 0 and at most 1; {threshold} was given.", field="threshold")
    firsts: dict[str, int] = {}
    found: list[Duplicate] = []
    for row, text in enumerate(texts):
        key = strip_marks(text) or text.strip()
        if key and (earlier := firsts.setdefault(key, row)) != row:
            found.append(Duplicate(row, earlier, 1.0))
    if threshold < 1:
        rows = np.array(list(firsts.values()), dtype=np.int64)
        nearest = _find_nearest(list(firsts), threshold)
        found += [Duplicate(int(rows[row]), int(rows[earlier]), similarity) for row, earlier, similarity in nearest]
    return sorted(found)


def _find_nearest(keys: list[str], threshold: float) -> list[Duplicate]:
    """Return for each of different keys the most similar earlier one, where it is similar enough."""
    members = Vocabulary().count((_cut(key) for key in keys), grow=True)
    members.data[:] = 1
    sizes = np.diff(members.indptr).astype(np.int64)
    rare = _keep_rarest(members, sizes, threshold)
    holders = rare.T.tocsr()
    spread = np.diff(holders.indptr)
    work = np.concatenate([[0], np.cumsum(np.bincount(_rows_of(rare), spread[rare.indices], minlength=len(keys)))])
    found: list[Duplicate] = []
    start = 0
    while start < len(keys):
        stop = max(start + 1, int(np.searchsorted(work, work[start] + _PRODUCTS, side="right")) - 1)
        shared = (rare[start:stop] @ holders).tocoo()
        rows, earlier = shared.row.astype(np.int64) + start, shared.col.astype(np.int64)
        small, large = np.minimum(sizes[rows], sizes[earlier]), np.maximum(sizes[rows], sizes[earlier])
        is_possible = (earlier < rows) & (small >= threshold * large)
        rows, earlier = _choose(rows[is_possible], earlier[is_possible], shared.data[is_possible])
        found += _verify(members, rows, earlier, threshold)
        start = stop
    return found


def _cut(key: str) -> list[str]:
    padded = f"\2{key}\3"
    return [padded[place : place + _ORDER] for place in range(len(padded) - _ORDER + 1)]


def _rows_of(matrix: sparse.csr_matrix) -> Integers:
    return np.repeat(np.arange(matrix.shape[0], dtype=np.int64), np.diff(matrix.indptr))


def _keep_rarest(members: sparse.csr_matrix, sizes: Integers, threshold: float) -> sparse.csr_matrix:
    """Return the members of each row of which any row that is similar enough has at least one."""
    spread = np.bincount(members.indices, minlength=members.shape[1])
    rows = _rows_of(members)
    order = np.lexsort((members.indices, spread[members.indices], rows))
    place = np.arange(len(order)) - np.repeat(members.indptr[:-1], sizes)
    n_kept = sizes - np.ceil(threshold * sizes - 1e-9).astype(np.int64) + 1
    kept = order[place < n_kept[rows]]
    values = np.ones(len(kept), dtype=np.float32)
    return sparse.csr_matrix((values, (rows[kept], members.indices[kept])), shape=members.shape)


def _choose(rows: Integers, earlier: Integers, shared: NDArray[np.float32]) -> tuple[Integers, Integers]:
    """Return for each row the earlier ones that share most rare triples, the earliest among equals, as many as are compared."""
    if not len(rows) or np.bincount(rows - rows.min()).max() <= _MOST_COMPARED:
        return rows, earlier
    order = np.lexsort((earlier, -shared, rows))
    rows, earlier = rows[order], earlier[order]
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    place = np.arange(len(rows)) - np.repeat(starts, np.diff(starts, append=len(rows)))
    return rows[place < _MOST_COMPARED], earlier[place < _MOST_COMPARED]


def _verify(members: sparse.csr_matrix, rows: Integers, earlier: Integers, threshold: float) -> list[Duplicate]:
    """Return the best pair of each row, of those that are similar enough."""
    if not len(rows):
        return []
    shared = np.concatenate(
        [
            np.asarray(members[rows[part]].multiply(members[earlier[part]]).sum(axis=1)).ravel()
            for part in np.array_split(np.arange(len(rows)), len(rows) // 200_000 + 1)
        ]
    )
    sizes = np.diff(members.indptr)
    similarity = shared / (sizes[rows] + sizes[earlier] - shared)
    is_enough = similarity >= threshold - 1e-9
    rows, earlier, similarity = rows[is_enough], earlier[is_enough], similarity[is_enough]
    order = np.lexsort((earlier, -similarity, rows))
    best = order[np.unique(rows[order], return_index=True)[1]]
    return [Duplicate(int(rows[one]), int(earlier[one]), round(float(similarity[one]), 6)) for one in best]
