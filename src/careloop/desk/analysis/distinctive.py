"""Which words set one group of texts apart from another: plain Python."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from math import log, sqrt

PRIOR_WEIGHT = 100.0
LEAST_TEXTS = 3
SURE_Z = 1.96


@dataclass(frozen=True)
class Word:
    """A keyword, in how many texts of each group it was one, and how surely it belongs to its group (z score)."""

    word: str
    here: int
    there: int
    z: float


def distinctive_words(here: Iterable[Iterable[str]], there: Iterable[Iterable[str]], *, most: int) -> list[Word]:
    """The words that are keywords more often here than there, surest first; words that may differ by chance are left out.

    Log-odds of document frequencies with an informative Dirichlet prior: the prior is the words' frequency in both groups
    together, so that a rare word needs more evidence than a common one.

    References
    ----------
    Monroe, Colaresi & Quinn (2008), "Fightin' Words", Political Analysis 16(4), equations 16, 20 and 22.
    """
    ours = Counter(word for words in here for word in set(words))
    theirs = Counter(word for words in there for word in set(words))
    total_ours, total_theirs = sum(ours.values()), sum(theirs.values())
    if not total_ours or not total_theirs:
        return []
    found = []
    for word, count in ours.items():
        if count < LEAST_TEXTS:
            continue
        prior = PRIOR_WEIGHT * (count + theirs[word]) / (total_ours + total_theirs)
        mine, other = count + prior, theirs[word] + prior
        odds = log(mine / (total_ours + PRIOR_WEIGHT - mine)) - log(other / (total_theirs + PRIOR_WEIGHT - other))
        z = odds / sqrt(1 / mine + 1 / other)
        if z >= SURE_Z:
            found.append(Word(word, count, theirs[word], z))
    return sorted(found, key=lambda one: (-one.z, one.word))[:most]
