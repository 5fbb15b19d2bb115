"""Which topics belong together: a tree over topics by the company of their words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage

from careloop.insight.text.encoder import normalise_rows
from careloop.insight.topics.vectors import Matrix


@dataclass(frozen=True)
class Branch:
    """Two topics or branches that are joined (branches count on from the topics), and how far apart they are (cosine distance, 0–2)."""

    number: int
    first: int
    second: int
    distance: float
    topics: tuple[int, ...]


def join_topics(vectors: Matrix, labels: NDArray[np.int64]) -> list[Branch]:
    """Return the n_topics − 1 joins, nearest first (average linkage over the cosine distance of the topics' mean vectors)."""
    n_topics = int(labels.max(initial=-1)) + 1
    if n_topics < 2:
        return []
    means = normalise_rows(np.vstack([vectors[labels == topic].mean(axis=0) for topic in range(n_topics)]))
    members: dict[int, tuple[int, ...]] = {topic: (topic,) for topic in range(n_topics)}
    branches = []
    for step, (first, second, distance, _) in enumerate(linkage(means, "average", metric="cosine")):
        number = n_topics + step
        members[number] = tuple(sorted(members[int(first)] + members[int(second)]))
        branches.append(Branch(number, int(first), int(second), float(distance), members[number]))
    return branches
