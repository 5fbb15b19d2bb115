"""Log-odds that come true: of several ways to put them right, that which does best on answers that it was not fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from careloop.insight.stats.calibration import Isotonic
from careloop.insight.stats.regression import fit_logistic

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
Kind = Literal["average", "as is", "Platt", "beta", "isotonic"]
Folds = Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]]

_EDGE = 1e-4
_LEAST_ISOTONIC = 1_000
_RIDGE = 0.1  # keeps numbers finite where scores tell answers apart without error


@dataclass(frozen=True)
class Calibrator:
    """Turns log-odds into probabilities that come true.

    Attributes
    ----------
    kind : {"average", "as is", "Platt", "beta", "isotonic"}
        "average" says the same for everybody: scores that do not vary or point the wrong way tell nothing.
    numbers : tuple of float
        Constant and slopes; for isotonic the knots as said, then as true.

    References
    ----------
    Platt 1999, Probabilistic outputs for support vector machines (a slope and a constant). Kull, Silva Filho & Flach 2017, Beta
    calibration (one slope towards 0 and another towards 1). Zadrozny & Elkan 2002 (isotonic).
    """

    kind: Kind
    numbers: tuple[float, ...] = ()

    def apply(self, scores: Doubles) -> Doubles:
        """Return probabilities of the same shape, never quite 0 or 1."""
        if self.kind == "isotonic":
            half = len(self.numbers) // 2
            said, true = np.array(self.numbers[:half]), np.array(self.numbers[half:])
            found = Isotonic(said, true).apply(np.asarray(expit(scores)))
        elif self.kind == "as is":
            found = np.asarray(expit(scores))
        else:
            found = np.asarray(expit(self.numbers[0] + _spread(scores, self.kind) @ np.array(self.numbers[1:])))
        return np.asarray(np.clip(found, _EDGE, 1 - _EDGE))


def choose_calibrator(scores: Doubles, answers: Bools, folds: Folds) -> Calibrator:
    """Return the calibrator with the least log-loss over the folds.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_answers,)
        Log-odds from models that did not see the answer.
    answers : ndarray of bool, shape (n_answers,)
    folds : sequence of (ndarray, ndarray)
        Numbers of the rows to fit on, and to try on.

    References
    ----------
    Niculescu-Mizil & Caruana 2005, Predicting good probabilities with supervised learning (isotonic needs about 1,000 rows).
    """
    average = Calibrator("average", (float(logit(answers.mean())),))
    if scores.std() < 1e-9:
        return average
    losses: dict[Kind, float] = {}
    for kind, fit in _FITS.items():
        if kind == "isotonic" and len(answers) < _LEAST_ISOTONIC:
            continue
        held = np.zeros(len(answers))
        for inside, outside in folds:
            held[outside] = fit(scores[inside], answers[inside]).apply(scores[outside])
        losses[kind] = float(lose(held, answers).mean())
    return _FITS[min(losses, key=lambda kind: losses[kind])](scores, answers)


def lose(chances: Doubles, answers: Bools) -> Doubles:
    """Return the log-loss of each row's probability, ≥ 0."""
    return np.asarray(-np.where(answers, np.log(chances), np.log(1 - chances)))


def _spread(scores: Doubles, kind: Kind) -> Doubles:
    """Return what is multiplied by the slopes, shape (n, n_slopes)."""
    if kind == "average":
        return np.zeros((len(scores), 0))
    return scores[:, None] if kind == "Platt" else np.column_stack([-np.logaddexp(0, -scores), np.logaddexp(0, scores)])


def _fit_average(_scores: Doubles, answers: Bools) -> Calibrator:
    return Calibrator("average", (float(logit(answers.mean())),))


def _fit_curve(kind: Kind, otherwise: Callable[[Doubles, Bools], Calibrator]) -> Callable[[Doubles, Bools], Calibrator]:
    """Return how slopes and constant are fitted; what would fall with the score is left to the simpler way."""

    def fit(scores: Doubles, answers: Bools) -> Calibrator:
        columns = _spread(scores, kind)
        numbers = fit_logistic(columns, answers, names=[str(place) for place in range(columns.shape[1])], ridge=_RIDGE).estimates
        return Calibrator(kind, tuple(float(one) for one in numbers)) if (numbers[1:] > 0).all() else otherwise(scores, answers)

    return fit


def _fit_isotonic(scores: Doubles, answers: Bools) -> Calibrator:
    curve = Isotonic.fit(np.asarray(expit(scores)), answers)
    return Calibrator("isotonic", (*curve.said.tolist(), *curve.true.tolist()))


_fit_platt = _fit_curve("Platt", _fit_average)
_FITS: dict[Kind, Callable[[Doubles, Bools], Calibrator]] = {
    "average": _fit_average,
    "as is": lambda _scores, _answers: Calibrator("as is"),
    "Platt": _fit_platt,
    "beta": _fit_curve("beta", _fit_platt),
    "isotonic": _fit_isotonic,
}
