"""Texts as numbers of pieces of words: the likeliest way to put a text together from pieces that each have a probability.

References
----------
Kudo 2018, Subword Regularization: Improving Neural Network Translation Models with Multiple Subword Candidates, section 3.2.
"""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np

from careloop.insight.text.encoding.weights import Vocabulary

_GAP = "\u2581"  # stands for a blank inside pieces
_UNKNOWN_PENALTY = np.float32(10)
_NEVER = np.float32(-1e30)
_BLANKS = re.compile(" {2,}")
_REMEMBERED_WORDS = 50_000


class Pieces:
    """Cuts texts into pieces.

    Parameters
    ----------
    vocabulary : Vocabulary
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._rewritten = vocabulary.rewritten
        self._scores = vocabulary.scores
        self._unknown = vocabulary.unknown
        self._unknown_score = vocabulary.scores.min() - _UNKNOWN_PENALTY
        self._places: dict[str, int] = {}
        self._longest: dict[str, int] = {}
        for place, piece in enumerate(vocabulary.pieces):
            if piece and place != vocabulary.unknown:
                self._places.setdefault(piece, place)
                self._longest[piece[0]] = max(self._longest.get(piece[0], 1), len(piece))
        self._remember = lru_cache(maxsize=_REMEMBERED_WORDS)(self._trace)

    def cut(self, text: str) -> list[int]:
        """Return the numbers of the pieces of a text, without begin and end."""
        text = _BLANKS.sub(" ", text.translate(self._rewritten))
        return self._trace((text if text.startswith(" ") else " " + text).replace(" ", _GAP))

    def cut_words(self, text: str) -> list[int]:
        """Return the same but for blanks at the end: no piece reaches over a blank, so that each word can be cut once and remembered.

        Between ways of cutting that are equally likely, another may be taken.
        """
        return [place for word in text.translate(self._rewritten).split(" ") if word for place in self._remember(_GAP + word)]

    def _trace(self, text: str) -> list[int]:
        find, longest, scores, unknown_score = self._places.get, self._longest.get, self._scores, self._unknown_score
        length = len(text)
        # sums in single precision, from the left: between ways that are equally likely, their rounding decides as in the package's engine
        best, came_by, came_from = [_NEVER] * (length + 1), [-1] * (length + 1), [0] * (length + 1)
        best[0] = np.float32(0)
        for start in range(length):
            so_far = best[start]
            for stop in range(start + 1, min(start + longest(text[start], 1), length) + 1):
                place = find(text[start:stop])
                if place is not None and (reached := so_far + scores[place]) > best[stop]:
                    best[stop], came_by[stop], came_from[stop] = reached, place, start
            if (reached := so_far + unknown_score) > best[start + 1]:
                best[start + 1], came_by[start + 1], came_from[start + 1] = reached, self._unknown, start
        found = []
        while length:
            found.append(came_by[length])
            length = came_from[length]
        return found[::-1]
