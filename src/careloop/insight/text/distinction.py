"""The words that set groups of texts apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from math import log, sqrt
from typing import NamedTuple

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

    Log-odds of document frequencies with an informative Dirichlet prior. The prior is the frequency of the words in all groups
    together, so that a rare word needs more evidence than a common one; what may differ by chance is left out.

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

    References
    ----------
    Monroe, Colaresi & Quinn 2008, "Fightin' Words", Political Analysis 16(4), equations 16, 20 and 22.
    """
    counts = {name: Counter(word for words in texts for word in set(words)) for name, texts in groups.items()}
    together: Counter[str] = Counter()
    for own in counts.values():
        together.update(own)
    total = together.total()
    found: dict[str, list[Distinction]] = {}
    for name, own in counts.items():
        n_own = own.total()
        n_others = total - n_own
        candidates = own.items() if n_own and n_others else ()
        chosen = [
            one
            for word, count in candidates
            if count >= least_texts
            and (one := _compare(word, (count, n_own), (together[word] - count, n_others), prior_weight, together[word] / total)).z
            >= least_z
        ]
        found[name] = sorted(chosen, key=lambda one: (-one.z, one.word))[:most]
    return found


def _compare(word: str, here: tuple[int, int], elsewhere: tuple[int, int], prior_weight: float, share: float) -> Distinction:
    """Return one word's log-odds ratio and z score from (count, all counts) here and elsewhere and its share of all words."""
    prior = prior_weight * share
    mine, other = here[0] + prior, elsewhere[0] + prior
    if share == 1:  # the only word there is: its odds are infinite everywhere
        return Distinction(word, here[0], elsewhere[0], 0.0, 0.0)
    odds = log(mine / (here[1] + prior_weight - mine)) - log(other / (elsewhere[1] + prior_weight - other))
    return Distinction(word, here[0], elsewhere[0], odds, odds / sqrt(1 / mine + 1 / other))
