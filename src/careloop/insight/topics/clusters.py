"""Ways of dividing texts into topics; each returns one topic number a text, −1 where it gives none.

`mixture` is the default and better than the others on the sets measured (decision 0012): k-means on text vectors made from the company that
words keep in the corpus itself, then a mixture of multinomials over words, which undoes the averaging that vectors do.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.cluster import HDBSCAN, KMeans, MiniBatchKMeans
from sklearn.decomposition import NMF, PCA, LatentDirichletAllocation
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfTransformer

from careloop.insight.text.encoder import normalise_rows
from careloop.insight.topics.mixture import fit_mixture
from careloop.insight.topics.vectors import Matrix

Labels: TypeAlias = NDArray[np.int64]

NO_TOPIC = -1
_STARTS = 3
_MANY_TEXTS = 50_000  # from here on k-means looks at batches
_MIXTURE_ROUNDS = 5
_DENSITY_TEXTS = 10_000  # on which HDBSCAN, quadratic in their number, looks for dense regions
_DENSITY_DIMENSIONS = 10


def divide(method: str, *, counts: sp.csr_matrix, vectors: Matrix, n_topics: int, seed: int) -> Labels:
    """Return a topic number for each text; texts without a known word get −1.

    Parameters
    ----------
    method : {"mixture", "kmeans", "hdbscan", "lda", "nmf"}
    counts : CSR matrix, shape (n_texts, n_words)
    vectors : array of shape (n_texts, dimensions)
        Unit vectors.
    n_topics : int
        At least 1; HDBSCAN finds its own number and merges down to at most this.
    seed : int
    """
    labels = np.full(counts.shape[0], NO_TOPIC, dtype=np.int64)
    known = np.flatnonzero(np.diff(counts.indptr))
    n_topics = min(n_topics, len(known))
    if n_topics:
        labels[known] = _METHODS[method](counts[known], vectors[known], n_topics, seed) if n_topics > 1 else 0
    return labels


def _by_means(_: sp.csr_matrix, vectors: Matrix, n_topics: int, seed: int) -> Labels:
    if len(vectors) > _MANY_TEXTS:
        model = MiniBatchKMeans(n_topics, n_init=_STARTS, batch_size=4_096, random_state=seed)
    else:
        model = KMeans(n_topics, n_init=_STARTS, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer different texts than topics asked for: fewer topics, and that is right
        return np.asarray(model.fit_predict(vectors), dtype=np.int64)


def _by_mixture(counts: sp.csr_matrix, vectors: Matrix, n_topics: int, seed: int) -> Labels:
    started = _by_means(counts, vectors, n_topics, seed)
    return fit_mixture(counts, started, n_topics, rounds=_MIXTURE_ROUNDS).assign(counts)


def _by_density(_: sp.csr_matrix, vectors: Matrix, n_topics: int, seed: int) -> Labels:
    """HDBSCAN on a sample in ten dimensions; clusters are merged by their means down to `n_topics`, other texts join the nearest."""
    chosen = np.random.default_rng(seed).permutation(len(vectors))[:_DENSITY_TEXTS]
    flat = PCA(min(_DENSITY_DIMENSIONS, *vectors.shape), random_state=seed).fit_transform(vectors[chosen])
    found = HDBSCAN(min_cluster_size=max(5, len(chosen) // (20 * n_topics)), copy=True).fit_predict(flat)
    if found.max() < 1:
        return np.zeros(len(vectors), dtype=np.int64)
    means = normalise_rows(np.vstack([vectors[chosen][found == one].mean(axis=0) for one in range(found.max() + 1)]))
    if len(means) > n_topics:
        groups = KMeans(n_topics, n_init=_STARTS, random_state=seed).fit_predict(means)
        means = normalise_rows(np.vstack([means[groups == one].mean(axis=0) for one in range(n_topics)]))
    return np.asarray(np.argmax(vectors @ means.T, axis=1), dtype=np.int64)


def _by_lda(counts: sp.csr_matrix, _: Matrix, n_topics: int, seed: int) -> Labels:
    model = LatentDirichletAllocation(n_topics, learning_method="online", batch_size=1_024, max_iter=5, random_state=seed)
    return np.asarray(model.fit_transform(counts).argmax(axis=1), dtype=np.int64)


def _by_nmf(counts: sp.csr_matrix, _: Matrix, n_topics: int, seed: int) -> Labels:
    weights = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    return np.asarray(NMF(n_topics, init="nndsvd", random_state=seed, max_iter=200).fit_transform(weights).argmax(axis=1), dtype=np.int64)


_METHODS: Mapping[str, Callable[[sp.csr_matrix, Matrix, int, int], Labels]] = {
    "mixture": _by_mixture,
    "kmeans": _by_means,
    "hdbscan": _by_density,
    "lda": _by_lda,
    "nmf": _by_nmf,
}
METHODS = tuple(_METHODS)
