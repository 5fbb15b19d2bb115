"""How far to trust an answer where there is nothing to measure with: from its scores to a probability, by what other lists of names taught.

One temperature cannot suit every list: among three categories a lead says more than among a hundred. The curves were learnt on 359 lists of
3 to 150 categories drawn from three public sets of labelled texts (`recipes.learn_trust`), not on the list that is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Probabilities = NDArray[np.float64]

FEWEST, MOST = 2, 150  # categories of a list; longer ones are trusted like one of 150
_LEAST = 1e-6
_KEPT_LEAD = 0.1  # of the best answer before the second where the curve would leave it none


@dataclass(frozen=True, slots=True)
class Trust:
    """A curve: log-odds of the best answer = base + per_size · ln n + (slope + slope_per_size · ln n) · log-odds at `temperature`.

    Attributes
    ----------
    temperature : float
        Of the softmax over the scores, above 0.
    base, per_size : float
        n is the number of categories.
    slope, slope_per_size : float
    """

    temperature: float
    base: float
    per_size: float
    slope: float
    slope_per_size: float = 0.0

    def estimate(self, scores: NDArray[Any]) -> Probabilities:
        """Return probabilities, shape (n_texts, n_labels), in the order of the scores; where all scores are equal, they are, too.

        The best label gets what the curve says, at least a little more than the second; the others share the rest as in the softmax.
        """
        found = soften(scores / self.temperature)
        rows, best = np.arange(len(found)), found.argmax(axis=1)
        before = found[rows, best]
        found[rows, best] = 0
        second, rest = found.max(axis=1), np.maximum(found.sum(axis=1), _LEAST)
        wanted = np.where(second == before, 0, self._raise(np.log(np.maximum(before, _LEAST) / rest), found.shape[1]))
        equal = second / (rest + second)  # at which the best and the second are
        wanted = np.maximum(wanted, equal + _KEPT_LEAD * (before - equal))
        found *= ((1 - wanted) / rest)[:, np.newaxis]
        found[rows, best] = 1 - found.sum(axis=1)
        return found

    def _raise(self, odds: Probabilities, n_labels: int) -> Probabilities:
        size = np.log(np.clip(n_labels, FEWEST, MOST))
        return np.asarray(expit(self.base + self.per_size * size + (self.slope + self.slope_per_size * size) * odds))


# by (with meanings, after a lesson)
TRUST = {
    (True, False): Trust(0.7, -0.241, -0.054, 0.578),
    (True, True): Trust(1.0, 1.869, -0.489, 1.591, -0.262),
    (False, False): Trust(0.5, -0.109, -0.081, 0.784),
    (False, True): Trust(1.0, 1.681, -0.641, 1.033, -0.164),
}


def soften(scores: NDArray[Any]) -> Probabilities:
    """Return the softmax of each row."""
    raised = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
