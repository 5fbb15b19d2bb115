"""Reading words or pieces of words first, meanings only where those leave doubt: how much doubt, chosen on rows that no figure is of.

References
----------
Viola and Jones 2001, Rapid object detection using a boosted cascade of simple features.
Chen, Zaharia and Zou 2023, FrugalGPT: how to use large language models while reducing cost and improving performance, section 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from careloop.insight.text.categories.card import macro_f1

First = Literal["fast", "pieces"]
Reading = Literal["fast", "pieces", "both", "semantic"]
Doubles = NDArray[np.float64]
Places = NDArray[np.int64]

FIRSTS: tuple[First, ...] = ("fast", "pieces")  # the cheaper one first
ALLOWED_LOSS = 0.003  # of accuracy and of macro-F1, against encoding every text
_MOST_ENCODED = 0.8  # beyond it, reading twice is no longer the faster way
_PIECES_PRICE = 0.01  # what reading pieces adds to a text, in encoded texts: 0.1 to 0.2 of 13 ms
_STEPS = 100  # of the share of encoded rows that are tried


class Cascade(NamedTuple):
    """Which texts are read again with the encoder.

    Attributes
    ----------
    reading : {"fast", "pieces", "both", "semantic"}
        None of them (by words, or by words and the encoder's pieces), those in doubt, or all.
    limit : float
        A text is in doubt when the two likeliest labels lie closer together than this, 0–1; 0 but for “both”.
    first : {"fast", "pieces"}
        What reads every text, unless all are encoded.
    """

    reading: Reading
    limit: float
    first: First = "fast"

    @classmethod
    def choose(cls, firsts: Mapping[First, Doubles], semantic: Doubles, classes: Places, *, noise_ratio: float = 0.0) -> Cascade:
        """Return the cheaper of the cascades that begin with either reader, or the one whose reader is right more often.

        `firsts` holds what each reader says, as `learn` takes it.
        """
        found = {name: cls.learn(one, semantic, classes, noise_ratio=noise_ratio, first=name) for name, one in firsts.items()}
        n_wrong = {name: int((one.argmax(axis=1) != classes).sum()) for name, one in firsts.items()}
        return found[min(found, key=lambda name: (round(found[name].price(firsts[name]), 2), n_wrong[name]))]

    @classmethod
    def learn(cls, fast: Doubles, semantic: Doubles, classes: Places, *, noise_ratio: float = 0.0, first: First = "fast") -> Cascade:
        """Return the cascade that encodes the fewest rows while it, and every one that encodes more, loses at most 0.3 points.

        One standard error is added to a loss, so that few rows, where a loss may be chance, do not speak for leaving the encoder out.

        Parameters
        ----------
        fast, semantic : ndarray of float64, shape (n_rows, n_labels)
            Probabilities without and with the encoder, of rows that neither model learnt from.
        classes : ndarray of int64, shape (n_rows,)
            Label of each row.
        noise_ratio : float
            Share of labels thought to be drawn at random: where they are, no reader is right, and a loss looks that much smaller.
        first : {"fast", "pieces"}
            Whose probabilities `fast` are.
        """
        if not len(classes):
            return cls("semantic", 0.0)
        sureness, allowed = find_sureness(fast), ALLOWED_LOSS * (1 - noise_ratio)
        order = np.argsort(sureness, kind="stable")
        found, better = fast.argmax(axis=1), semantic.argmax(axis=1)
        fewest = len(classes)
        for step in range(_STEPS, -1, -1):
            n_encoded = round(step / _STEPS * len(classes))
            mixed = found.copy()
            mixed[order[:n_encoded]] = better[order[:n_encoded]]
            if _find_loss(mixed, better, classes, fast.shape[1]) > allowed:
                break
            fewest = n_encoded
        if not fewest:
            return cls(first, 0.0, first)
        if fewest > _MOST_ENCODED * len(classes):
            return cls("semantic", 0.0)
        return cls("both", float(sureness[order[fewest]]), first)

    def price(self, fast: Doubles) -> float:
        """Return what texts cost to read on average, given their probabilities without layers; 1 is an encoded text, words are free."""
        is_by_pieces = self.first == "pieces" and self.reading != "semantic"
        return float(self.find_doubtful(fast).mean()) + _PIECES_PRICE * is_by_pieces

    def find_doubtful(self, fast: Doubles) -> NDArray[np.bool_]:
        """Return which texts are to be encoded, shape (n_texts,), given their probabilities without the encoder."""
        if self.reading == "both":
            return find_sureness(fast) < self.limit
        return np.full(len(fast), self.reading == "semantic")

    def combine(self, fast: Doubles, semantic: Doubles) -> Doubles:
        """Return the probabilities that reading in this way leads to, shape (n_texts, n_labels)."""
        return np.where(self.find_doubtful(fast)[:, None], semantic, fast)


def find_sureness(probabilities: Doubles) -> Doubles:
    """Return how far the likeliest label is ahead of the second, 0–1, shape (n_texts,)."""
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities))
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def _find_loss(mixed: Places, better: Places, classes: Places, n_labels: int) -> float:
    """Return what is lost of accuracy or of macro-F1, whichever is more, and one standard error of the paired difference of accuracy."""
    lost = (better == classes).astype(np.float64) - (mixed == classes)
    lost_f1 = macro_f1(classes, better, n_labels) - macro_f1(classes, mixed, n_labels)
    return float(max(lost.mean(), lost_f1) + lost.std() / np.sqrt(len(lost)))
