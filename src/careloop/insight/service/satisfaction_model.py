"""Estimates who was dissatisfied among those who did not answer, from what is known of the case.

A logistic regression or boosted trees, chosen by cross-validation inside cross-validation: the outer folds measure the whole procedure
(choice and calibration included) on answers that it did not see, and only that is reported. The learnt model is kept as numbers in JSON;
nothing in it can execute.

References
----------
Cawley & Talbot 2010, On over-fitting in model selection and subsequent selection bias in performance evaluation (nested validation).
Friedman 2001, Greedy function approximation: a gradient boosting machine. Platt 1999 (calibration by two numbers).
Hanley & McNeil 1982, The meaning and use of the area under a receiver operating characteristic curve (its error).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import rankdata
from sklearn.model_selection import StratifiedKFold

from careloop.insight.errors import InputError, ModelError
from careloop.insight.service.boosting import Scorer, list_candidates, read_scorer
from careloop.insight.service.columns import Coding, Table, count_rows
from careloop.insight.stats.calibration import Bin, measure_calibration_error, sort_into_bins
from careloop.insight.stats.intervals import Z_95
from careloop.insight.stats.regression import fit_logistic

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]

LEAST_ANSWERS = 200
LEAST_OF_EACH = 30  # dissatisfied, and not
LEAST_KNOWN = 0.5  # share of a case's columns that must be known
NAME, FORMAT, TASK = "satisfaction.json", 1, "satisfaction"
_LEAST_WORD = 10
_OUTER, _INNER = 5, 3
_EDGE = 1e-4


class Quality(NamedTuple):
    """How good the estimates are on answers that they did not see.

    Attributes
    ----------
    auc, auc_low, auc_high : float
        Chance that of a dissatisfied and another customer the first gets the higher estimate, with its 95 % interval.
    calibration_error : float
        Expected calibration error over ten bins, 0–1.
    brier : float
        Mean squared distance between estimate and answer, 0–1.
    base_brier : float
        That of always saying the average.
    n, n_dissatisfied : int
    bins : tuple of Bin
        The reliability diagram.
    """

    auc: float
    auc_low: float
    auc_high: float
    calibration_error: float
    brier: float
    base_brier: float
    n: int
    n_dissatisfied: int
    bins: tuple[Bin, ...]

    @property
    def is_useful(self) -> bool:
        """Whether the estimates surely know more than the average."""
        return self.auc_low > 0.5 and self.brier < self.base_brier


@dataclass(frozen=True)
class SatisfactionModel:
    """A learnt model.

    Attributes
    ----------
    coding : Coding
    scorer : Scorer
        The chosen model of log-odds.
    slope, intercept : float
        Calibration: log-odds times slope plus intercept.
    quality : Quality
        Of the whole procedure, on held-back answers.
    algorithm : str
        What was chosen, with its settings.
    chosen : tuple of str
        What the outer folds chose, one each; alike means that the choice is stable.
    """

    coding: Coding
    scorer: Scorer
    slope: float
    intercept: float
    quality: Quality
    algorithm: str
    chosen: tuple[str, ...]

    def estimate(self, table: Table) -> tuple[Doubles, Bools]:
        """Return the probability of being dissatisfied (shape (n_cases,), 0–1) and where it abstains.

        It abstains for cases of which fewer than half of the columns are known, and for all when it knows no more than the average.

        Parameters
        ----------
        table : mapping of str to sequence, each of length n_cases
            The columns that it learnt from.
        """
        chances = _calibrate(self.scorer.score(self.coding.apply(table, is_scaled=True)), self.slope, self.intercept)
        known = np.mean([[_is_known(value) for value in table[name]] for name in (*self.coding.middles, *self.coding.words)], axis=0)
        return chances, np.asarray((known < LEAST_KNOWN) | (not self.quality.is_useful))

    def write(self, folder: str | Path) -> None:
        """Write the model into a folder, made when it is not there; the file that is there is replaced in one step."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{NAME}.part").write_text(json.dumps(self.to_json(), ensure_ascii=False), encoding="utf-8")
        (folder / f"{NAME}.part").replace(folder / NAME)

    @classmethod
    def read(cls, folder: str | Path) -> SatisfactionModel:
        """Return the model of a folder.

        Raises
        ------
        ModelError
            When there is none, it is damaged, or of a format that this version does not read.
        """
        try:
            stored = json.loads((Path(folder) / NAME).read_text(encoding="utf-8"))
        except OSError as error:
            raise ModelError(f"There is no model of satisfaction in “{folder}”; learn one.") from error
        except ValueError as error:
            raise ModelError(f"The model of satisfaction in “{folder}” is damaged ({error}); learn it again.") from error
        return cls.from_json(stored)

    def to_json(self) -> dict[str, Any]:
        """Return plain lists, strings and numbers; `from_json` turns them back."""
        quality = self.quality._asdict() | {"bins": [list(one) for one in self.quality.bins]}
        return {
            "task": TASK,
            "format": FORMAT,
            "coding": self.coding.to_json(),
            "scorer": asdict(self.scorer),
            "slope": self.slope,
            "intercept": self.intercept,
            "quality": quality,
            "algorithm": self.algorithm,
            "chosen": list(self.chosen),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SatisfactionModel:
        """Return the model that `to_json` made.

        Raises
        ------
        ModelError
            When it is of another task or format, or lacks a part.
        """
        if stored.get("task") != TASK or stored.get("format") != FORMAT:
            raise ModelError(
                f"This is a model for {stored.get('task')!r} in format {stored.get('format')!r}; expected {TASK!r} in format {FORMAT}."
            )
        try:
            quality = Quality(**{**stored["quality"], "bins": tuple(Bin(*one) for one in stored["quality"]["bins"])})
            scorer, coding = read_scorer(stored["scorer"]), Coding.from_json(stored["coding"])
            return cls(coding, scorer, stored["slope"], stored["intercept"], quality, stored["algorithm"], tuple(stored["chosen"]))
        except (KeyError, TypeError) as error:
            raise ModelError(f"The model of satisfaction lacks a part ({error}); learn it again.") from error


def learn_satisfaction(table: Table, is_dissatisfied: ArrayLike, *, seed: int = 0) -> SatisfactionModel:
    """Return the model of those who answered.

    Parameters
    ----------
    table : mapping of str to sequence, each of length n_answers
        What is known of each case: probability of sentiment, waits, reopenings, kind, touches, lateness …; None where not known.
    is_dissatisfied : array_like of bool, shape (n_answers,)
    seed : int
        Of the folds.

    Raises
    ------
    InputError
        When shapes differ, fewer than 200 answered, or fewer than 30 were, or were not, dissatisfied.
    """
    answers = np.asarray(is_dissatisfied, dtype=bool)
    n, n_bad = count_rows(table), int(answers.sum())
    if answers.shape != (n,):
        raise InputError(f"{answers.shape} answers for {n} cases; give one for each.")
    if n < LEAST_ANSWERS or min(n_bad, n - n_bad) < LEAST_OF_EACH:
        raise InputError(
            f"{n} answers, {n_bad} of them dissatisfied, are not enough data to estimate the others; "
            f"{LEAST_ANSWERS} answers with {LEAST_OF_EACH} of each are."
        )
    held, chosen = np.zeros(n), []
    for inside, outside in _folds(answers, _OUTER, seed):
        coding, scorer, (slope, intercept), name = _learn_once(_take(table, inside), answers[inside], seed + 1)
        held[outside] = _calibrate(scorer.score(coding.apply(_take(table, outside), is_scaled=True)), slope, intercept)
        chosen.append(name)
    coding, scorer, (slope, intercept), name = _learn_once(table, answers, seed + 1)
    return SatisfactionModel(coding, scorer, slope, intercept, measure_quality(held, answers), name, tuple(chosen))


def measure_quality(chances: Doubles, is_dissatisfied: Bools) -> Quality:
    """Return how good estimates are; both of shape (n_answers,), with both answers among them."""
    n, n_bad = len(is_dissatisfied), int(is_dissatisfied.sum())
    auc = float((rankdata(chances)[is_dissatisfied].sum() - n_bad * (n_bad + 1) / 2) / (n_bad * (n - n_bad)))
    first, second = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    variance = (auc * (1 - auc) + (n_bad - 1) * (first - auc**2) + (n - n_bad - 1) * (second - auc**2)) / (n_bad * (n - n_bad))
    half = Z_95 * max(variance, 0.0) ** 0.5
    base = n_bad / n
    return Quality(
        auc,
        max(0.0, auc - half),
        min(1.0, auc + half),
        measure_calibration_error(chances, is_dissatisfied),
        float(np.mean((chances - is_dissatisfied) ** 2)),
        base * (1 - base),
        n,
        n_bad,
        tuple(sort_into_bins(chances, is_dissatisfied)),
    )


def _learn_once(table: Table, answers: Bools, seed: int) -> tuple[Coding, Scorer, tuple[float, float], str]:
    """Return coding, model, calibration and the chosen candidate; chosen by log-loss over inner folds after calibration."""
    coding = Coding.learn(table, least_count=_LEAST_WORD)
    features = coding.apply(table, is_scaled=True)
    best: tuple[float, str, tuple[float, float]] = (np.inf, "", (1.0, 0.0))
    folds = list(_folds(answers, _INNER, seed))
    candidates = list_candidates()
    for name, learn in candidates.items():
        held = np.zeros(len(answers))
        for inside, outside in folds:
            held[outside] = learn(features[inside], answers[inside]).score(features[outside])
        numbers = _fit_calibration(held, answers)
        chances = _calibrate(held, *numbers)
        loss = -float(np.mean(np.where(answers, np.log(chances), np.log(1 - chances))))
        if loss < best[0]:
            best = (loss, name, numbers)
    return coding, candidates[best[1]](features, answers), best[2], best[1]


def _fit_calibration(scores: Doubles, answers: Bools) -> tuple[float, float]:
    """Return slope and intercept that turn held-back log-odds into those that come true; the slope is not below 0."""
    if scores.std() < 1e-9:
        return 0.0, float(logit(answers.mean()))
    fit = fit_logistic(scores[:, None], answers, names=["score"], ridge=0.1)
    slope = fit["score"].estimate
    return (slope, fit["intercept"].estimate) if slope > 0 else (0.0, float(logit(answers.mean())))


def _calibrate(scores: Doubles, slope: float, intercept: float) -> Doubles:
    return np.asarray(np.clip(expit(scores * slope + intercept), _EDGE, 1 - _EDGE))


def _folds(answers: Bools, n_folds: int, seed: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    return list(StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(np.zeros((len(answers), 1)), answers))


def _take(table: Table, places: NDArray[np.int64]) -> dict[str, list[Any]]:
    return {name: [values[place] for place in places.tolist()] for name, values in table.items()}


def _is_known(value: Any) -> bool:
    return value is not None and value != "" and not (isinstance(value, float) and np.isnan(value))
