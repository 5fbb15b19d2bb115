"""How many topics: the largest number at which two halves of the texts still find the same ones.

References
----------
Tibshirani & Walther, "Cluster Validation by Prediction Strength", J. Comp. Graph. Stat. 14(3), 2005 (the idea; the agreement is ours).
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from sklearn.metrics import adjusted_rand_score

from careloop.insight.topics.clusters import divide
from careloop.insight.topics.mixture import fit_mixture
from careloop.insight.topics.vectors import Matrix

CANDIDATES = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 65, 80)
_LEAST_TOPICS = 5
_LEAST_MEMBERS = 25  # texts a topic on average, or nobody could check it
_MOST_TEXTS = 5_000
_SPLITS = 2
_TOLERANCE = 0.95  # of the best agreement


def choose_number(counts: sp.csr_matrix, vectors: Matrix, *, seed: int, most: int = CANDIDATES[-1]) -> int:
    """Return a number of topics between 1 and `most`; more than 80 are never chosen.

    The texts are halved; each half is divided by itself, and also by what the other half learnt. The agreement (adjusted Rand index, mean
    of two splits) falls once topics are cut at random; the largest number with at least 95 % of the best agreement is taken.
    Fewer than five topics are looked at only when there are too few texts for five: halves nearly always agree on two or three, and they
    say little.
    """
    agreements = measure_agreements(counts, vectors, seed=seed, most=most)
    if not agreements:
        return 1
    worthwhile = [number for number in agreements if number >= _LEAST_TOPICS] or list(agreements)
    best = max(agreements[number] for number in worthwhile)
    return max(number for number in worthwhile if agreements[number] >= _TOLERANCE * best)


def measure_agreements(counts: sp.csr_matrix, vectors: Matrix, *, seed: int, most: int = CANDIDATES[-1]) -> dict[int, float]:
    """Return the agreement of halves for every candidate up to `most` that leaves enough texts a topic, −1 … 1."""
    generator = np.random.default_rng(seed)
    known = np.flatnonzero(np.diff(counts.indptr))
    candidates = [number for number in CANDIDATES if number <= most and number * _LEAST_MEMBERS <= len(known)]
    agreements = dict.fromkeys(candidates, 0.0)
    for split in range(_SPLITS):
        order = generator.permutation(known)[:_MOST_TEXTS]
        first, second = order[: len(order) // 2], order[len(order) // 2 :]
        for number in candidates:
            labels = divide("mixture", counts=counts[first], vectors=vectors[first], n_topics=number, seed=seed + split)
            others = divide("mixture", counts=counts[second], vectors=vectors[second], n_topics=number, seed=seed + split)
            foretold = fit_mixture(counts[first], labels, number).assign(counts[second])
            agreements[number] += adjusted_rand_score(others, foretold) / _SPLITS
    return agreements
