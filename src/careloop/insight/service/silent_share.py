"""The share of dissatisfied among cases without an answer: the model's average, put right by how far it missed those who answered.

Where answers of cases like the silent ones were on average worse than the model had said of them, unseen, so are the silent: the estimate
is right when either the model or the chances of answering are right. What neither knows of stays unknown.

References
----------
Robins, Rotnitzky & Zhao 1994, Estimation of regression coefficients when some regressors are not always observed. Chernozhukov et al.
2018, Double/debiased machine learning for treatment and structural parameters (estimates held back; the error of the two models counts
only together). Liang & Zeger 1986 (answers of a customer go together).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit
from scipy.stats import t

from careloop.insight.service.columns import Table, count_rows
from careloop.insight.service.response_weights import LARGEST_WEIGHT, foretell_answering
from careloop.insight.service.satisfaction_model import Learnt

_EDGE = 1e-3


class SilentShare(NamedTuple):
    """Dissatisfied among cases without an answer.

    Attributes
    ----------
    value : float or None
        0–1; None where the model abstains from all.
    low, high : float or None
        95 % interval.
    n : int
        Cases estimated.
    n_abstained : int
        Cases of which too little is known; not among the n.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    n_abstained: int


def estimate_silent_share(
    learnt: Learnt, table: Table, is_dissatisfied: ArrayLike, silent: Table, *, customers: ArrayLike | None = None, seed: int = 0
) -> SilentShare:
    """Return the share of dissatisfied among the silent.

    Parameters
    ----------
    learnt : Learnt
        From `learn_satisfaction` for this table and these answers.
    table : mapping of str to sequence, each of length n_answers
    is_dissatisfied : array_like of bool, shape (n_answers,)
    silent : mapping of str to sequence, each of length n_silent
        The same columns of cases without an answer.
    customers : array_like of int, shape (n_answers,), optional
        Whose answers they are; each their own when left out.
    seed : int
        Of the folds.
    """
    answers = np.asarray(is_dissatisfied, dtype=np.float64)
    chances, abstained = learnt.model.estimate(silent) if count_rows(silent) else (np.zeros(0), np.zeros(0, dtype=bool))
    known = np.flatnonzero(~abstained)
    if not len(known):
        return SilentShare(None, None, None, 0, len(abstained))
    both = {name: [*table[name], *(silent[name][place] for place in known.tolist())] for name in table}
    answering = foretell_answering(both, np.arange(len(answers) + len(known)) < len(answers), seed)[: len(answers)]
    odds = (1 - answering) / answering
    odds = np.minimum(odds, LARGEST_WEIGHT * odds.mean())
    missed = odds * (answers - learnt.held) / odds.sum()
    groups = np.arange(len(answers)) if customers is None else np.unique(np.asarray(customers), return_inverse=True)[1]
    sums = np.bincount(groups, weights=missed - odds / odds.sum() * missed.sum())
    said = chances[known]
    value = float(np.clip(said.mean() + missed.sum(), _EDGE, 1 - _EDGE))
    error = float(np.sqrt(np.square(sums).sum() * len(sums) / (len(sums) - 1) + (said * (1 - said)).sum() / len(said) ** 2))
    half = float(t.ppf(0.975, len(sums) - 1)) * error / (value * (1 - value))
    low, high = (float(expit(logit(value) + side * half)) for side in (-1, 1))
    return SilentShare(value, low, high, len(known), int(abstained.sum()))
