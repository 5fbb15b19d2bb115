"""The words that set groups of texts apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PRIOR_WEIGHT = 100.0
LEAST_TEXTS = 3
SURE_Z = 1.96


class Distinction(NamedTuple):
    """A word of a group.

    Attributes
    ----------
    word : str
    here, elsewhere : int
        Number of texts of the group, and of all other groups, that have the word.
    log_odds : float
        How much likelier it is here, natural logarithm of the ratio of odds, drawn towards 0 by the prior.
    z : float
        `log_odds` in standard errors; above 1.96 it is hardly chance (for one word looked at alone).
    """

    word: str
    here: int
    elsewhere: int
    log_odds: float
    z: float


def distinguish(
    groups: Mapping[str, Iterable[Iterable[str]]],
    *,
    most: int = 20,
    prior_weight: float = PRIOR_WEIGHT,
    least_texts: int = LEAST_TEXTS,
    least_z: float = SURE_Z,
) -> dict[str, list[Distinction]]:
    """Return for every group the words that are commoner in it than in all others together, surest first.

    The odds are those of `compare_counts`; what may differ by chance is left out.

    Parameters
    ----------
    groups : mapping of str to iterable of iterable of str
        Name of a group → its texts → their words; a word counts once a text.
    most : int
        Longest list to return.
    prior_weight : float
        How many words the prior is worth, above 0; more of them draw rare words closer to 0.
    least_texts : int
        A word must stand in that many texts of the group.
    least_z : float
        Smallest z score to return.

    Returns
    -------
    dict of str to list of Distinction
        Empty lists where a group, or all others, have no words.
    """
    counts = {name: Counter(word for words in texts for word in set(words)) for name, texts in groups.items()}
    together: Counter[str] = Counter()
    for own in counts.values():
        together.update(own)
    words, everywhere = list(together), np.array(list(together.values()), dtype=np.float64)
    found: dict[str, list[Distinction]] = {}
    for name, own in counts.items():
        here = np.array([own[word] for word in words], dtype=np.float64)
        elsewhere = everywhere - here
        odds, z = compare_counts(here, elsewhere, prior_weight=prior_weight)
        is_told = (here >= least_texts) & (z >= least_z) & bool(here.any() and elsewhere.any())
        chosen = [
            Distinction(words[at], int(here[at]), int(elsewhere[at]), float(odds[at]), float(z[at])) for at in np.flatnonzero(is_told)
        ]
        found[name] = sorted(chosen, key=lambda one: (-one.z, one.word))[:most]
    return found


def compare_counts(here: Floats, elsewhere: Floats, *, prior_weight: float) -> tuple[Floats, Floats]:
    """Return how much likelier each word is here than elsewhere: log-odds ratios, and these in standard errors (z scores).

    Log-odds with an informative Dirichlet prior. The prior is the share of the words here and elsewhere together, so that a rare word needs
    more evidence than a common one. A word that is the only one there is, or that stands nowhere, has 0 and 0.

    Parameters
    ----------
    here, elsewhere : ndarray of float64, shape (..., n_words)
        Number of texts that have the word, from 0.
    prior_weight : float
        How many words the prior is worth, above 0; more of them draw rare words closer to 0.

    Returns
    -------
    tuple of two ndarray of float64, shape (..., n_words)

    References
    ----------
    Monroe, Colaresi & Quinn 2008, "Fightin' Words", Political Analysis 16(4), equations 16, 20 and 22.
    """
    together = here + elsewhere
    prior = prior_weight * together / np.maximum(together.sum(axis=-1, keepdims=True), 1)
    mine, other = here + prior, elsewhere + prior
    rest, others_rest = mine.sum(axis=-1, keepdims=True) - mine, other.sum(axis=-1, keepdims=True) - other
    is_known = (prior > 0) & (rest > 0) & (others_rest > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        odds = np.where(is_known, np.log(mine / rest) - np.log(other / others_rest), 0.0)
        return odds, np.where(is_known, odds / np.sqrt(1 / mine + 1 / other), 0.0)
