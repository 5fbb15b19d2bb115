"""Texts about something else: told by how little any label fits, for a label that gathers everything else, or for none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_NAMES = re.compile(
    r"(?:oos|out[ _-]?of[ _-]?(?:scope|domain)|others?|none(?:[ _-]of[ _-](?:these|the[ _-]above))?|其[他它]|不属于.*|无关)", re.I
)
_MOST_LOST = 0.01  # of the rows inside the scope that may be taken for outside
_PRICE = 10.0  # what losing a share of the rows inside counts beside finding a share of those outside
_LEAST_ROWS = 20  # outside, to learn a limit from


@dataclass(frozen=True, slots=True)
class Gathering:
    """A label that gathers everything else: it is given, too, when every other label fits badly.

    Attributes
    ----------
    place : int
        Of the label, −1 when there is none.
    limit : float
        The least strangeness from which on it is given.
    """

    place: int
    limit: float

    @classmethod
    def learn(cls, labels: Sequence[str], probabilities: Doubles, classes: NDArray[np.int64]) -> Gathering:
        """Return the limit that finds the most rows outside, less ten times the share of the rows inside that would be right and are lost.

        At most 1 % of the rows inside are lost.

        Only a label whose whole name says so (“out of scope”, “other”, “其他” …) gathers.

        Parameters
        ----------
        labels : sequence of str
        probabilities : ndarray of float64, shape (n_rows, n_labels)
            Of rows not learnt from.
        classes : ndarray of int64, shape (n_rows,)
        """
        named = [place for place, name in enumerate(labels) if _NAMES.fullmatch(name.strip())]
        if len(named) != 1 or len(labels) < 3:
            return cls(-1, np.inf)
        outside = classes == named[0]
        if outside.sum() < _LEAST_ROWS or not (~outside).any():
            return cls(-1, np.inf)
        strangeness = find_strangeness(probabilities, named[0])
        right = (probabilities.argmax(axis=1) == classes) & ~outside  # only what would be right can be lost
        losses = np.sort(strangeness[right])[::-1][: int(_MOST_LOST * (~outside).sum()) + 1]
        if not len(losses):
            return cls(named[0], np.inf)
        found = (strangeness[outside][:, None] > losses).mean(axis=0)
        lost = np.arange(len(losses)) / (~outside).sum()
        return cls(named[0], float(losses[int((found - _PRICE * lost).argmax())]))

    def apply(self, probabilities: Doubles) -> Doubles:
        """Return probabilities in which the gathering label leads wherever a text is strange enough; rows sum to 1."""
        if self.place < 0:
            return probabilities
        rows = np.flatnonzero(find_strangeness(probabilities, self.place) > self.limit)
        leading = probabilities.argmax(axis=1)
        rows = rows[leading[rows] != self.place]
        changed = probabilities.copy()
        best = leading[rows]
        changed[rows, best], changed[rows, self.place] = probabilities[rows, self.place], probabilities[rows, best]
        return changed


def find_strangeness(probabilities: Doubles, place: int) -> Doubles:
    """Return how much more likely the gathering label is than the best other one, as a logarithm plus doubt, shape (n_rows,)."""
    others = probabilities.copy()
    others[:, place] = 0
    best = others.max(axis=1)
    return np.asarray(np.log(probabilities[:, place] + 1e-4) - 2 * np.log(best + 1e-6))
