"""Where topics lie on the map: near each other when their words keep the same company, where they lay before when they did before."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
GAP = 0.35  # between the maps of two languages, in widths of one
ROUNDS = 200


def lay_out(vectors: NDArray[np.float32], labels: NDArray[np.int64], before: Mapping[int, tuple[float, float]]) -> Points:
    """Return a place in the square −1 … 1 for each topic, shape (n_topics, 2); `before` gives earlier places of topics by number.

    Classical scaling of the cosine distances between the topics' mean vectors, turned and mirrored onto the earlier places, then
    pushed apart until circles with areas like the topics' sizes hardly overlap. Nothing is drawn at random.
    """
    n_topics = int(labels.max(initial=-1)) + 1
    if n_topics < 2:
        return np.zeros((n_topics, 2))
    means = np.vstack([vectors[labels == topic].mean(axis=0) for topic in range(n_topics)]).astype(np.float64)
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-9)
    places = _turn(_scale(means), before)
    places = _into_square(places)
    sizes = np.bincount(labels[labels >= 0], minlength=n_topics)
    return _into_square(_push_apart(places, np.sqrt(sizes / sizes.sum())))


def _scale(means: Points) -> Points:
    """Classical multidimensional scaling of 1 − cosine; the sign of an axis makes its largest entry positive."""
    distances = np.maximum(1 - means @ means.T, 0)
    centring = np.eye(len(means)) - 1 / len(means)
    values, vectors = np.linalg.eigh(-0.5 * centring @ distances @ centring)
    places = vectors[:, ::-1][:, :2] * np.sqrt(np.maximum(values[::-1][:2], 1e-12))
    signs = np.sign(places[np.abs(places).argmax(axis=0), np.arange(places.shape[1])])
    return np.asarray(places * np.where(signs == 0, 1, signs))


def _turn(places: Points, before: Mapping[int, tuple[float, float]]) -> Points:
    """Orthogonal Procrustes onto the earlier places of at least two topics."""
    known = sorted(before)
    if len(known) < 2:
        return places
    earlier, now = np.array([before[one] for one in known]), places[known]
    left, _, right = np.linalg.svd((now - now.mean(axis=0)).T @ (earlier - earlier.mean(axis=0)))
    return np.asarray((places - now.mean(axis=0)) @ left @ right)


def _push_apart(places: Points, radii: Points) -> Points:
    """Move overlapping circles along the line between them, half way each, for some rounds."""
    apart = 0.45 * (radii[:, None] + radii[None, :])
    np.fill_diagonal(apart, 0)
    for _ in range(ROUNDS):
        between = places[:, None, :] - places[None, :, :]
        lengths = np.maximum(np.linalg.norm(between, axis=2), 1e-6)
        missing = np.maximum(apart - lengths, 0)
        if missing.max() < 1e-3:
            break
        places = places + 0.25 * (between * (missing / lengths)[:, :, None]).sum(axis=1)
    return places


def _into_square(places: Points) -> Points:
    low, high = places.min(axis=0), places.max(axis=0)
    return np.asarray(2 * (places - low) / np.maximum(high - low, 1e-9) - 1)
