"""The same topic keeps its number and name from month to month: a new model is matched to the one before.

References
----------
Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 2, 1955 (through SciPy).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

from careloop.insight.text.encoder import Vectors, normalise_rows

LEAST_LIKENESS = 0.3  # cosine of word scores; below it a topic is a new one


def match_topics(old: Sequence[Mapping[str, float]], new: Sequence[Mapping[str, float]]) -> dict[int, int]:
    """Return for each new topic that continues an old one the old one's place; both are given as word → score (z scores above 0).

    Every old topic is continued at most once; the matching with the greatest total likeness is taken, and pairs with a cosine below 0.3 are
    left apart.
    """
    if not old or not new:
        return {}
    words = {word: place for place, word in enumerate(dict.fromkeys(word for topic in (*old, *new) for word in topic))}
    earlier, later = _spread(old, words), _spread(new, words)
    likeness = later @ earlier.T
    rows, columns = linear_sum_assignment(-likeness)
    return {int(row): int(column) for row, column in zip(rows, columns, strict=True) if likeness[row, column] >= LEAST_LIKENESS}


def _spread(topics: Sequence[Mapping[str, float]], words: Mapping[str, int]) -> Vectors:
    matrix = np.zeros((len(topics), len(words)))
    for row, topic in enumerate(topics):
        for word, score in topic.items():
            matrix[row, words[word]] = max(score, 0.0)
    return normalise_rows(matrix)
