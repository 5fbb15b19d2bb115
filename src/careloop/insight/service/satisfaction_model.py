"""Estimates who was dissatisfied among those who did not answer, from what is known of the case.

A sum of curves over the columns, its penalty and its calibration chosen by cross-validation inside cross-validation: the outer folds
measure the whole procedure on answers that it did not see, of customers whom it did not see, and only that is reported. A second figure
learns from the older four fifths and is measured on the newest fifth. The learnt model is kept as numbers in JSON; nothing in it can
execute.

References
----------
Cawley & Talbot 2010, On over-fitting in model selection and subsequent selection bias in performance evaluation (nested validation).
Breiman et al. 1984, Classification and regression trees, section 3.4.3 (the simplest within a standard error of the best).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from careloop.insight.errors import InputError, ModelError
from careloop.insight.service.additive import CANDIDATES, Candidate, Curves, score_rows
from careloop.insight.service.calibrator import Calibrator, choose_calibrator, lose
from careloop.insight.service.columns import Table, count_rows
from careloop.insight.service.estimate_quality import Quality, measure_quality, read_quality

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
Places = NDArray[np.int64]

LEAST_ANSWERS = 200
LEAST_OF_EACH = 30  # dissatisfied, and not
LEAST_KNOWN = 0.5  # share of a case's columns that must be known
NAME, FORMAT, TASK = "satisfaction.json", 2, "satisfaction"
_LEAST_WORD = 10
_OUTER, _INNER = 5, 3
_MOST_CHOSEN_ON = 5_000  # answers that candidates are compared on; more hardly change the choice
_NEWEST = 0.2
_LEAST_NEW = 10  # newest dissatisfied, and not, that the figure by time needs


@dataclass(frozen=True)
class SatisfactionModel:
    """A learnt model.

    Attributes
    ----------
    curves : Curves
    weights : tuple of float
        A constant and one for each column of the curves' matrix.
    calibrator : Calibrator
    middles : tuple of float
        Mean of each column of the matrix among the answers: what contributions are counted from.
    quality : Quality
        Of the whole procedure, on held-back answers.
    newest : Quality or None
        Learnt from the older four fifths of the answers, measured on the newest fifth, in which customers may come back.
    algorithm : str
        What was chosen: “straight, C = 0.1; Platt”.
    chosen : tuple of str
        What the outer folds chose, one each; alike means that the choice is stable.
    """

    curves: Curves
    weights: tuple[float, ...]
    calibrator: Calibrator
    middles: tuple[float, ...]
    quality: Quality
    newest: Quality | None
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
        chances = self.calibrator.apply(score_rows(np.array(self.weights), self.curves.apply(table)))
        return chances, np.asarray((self.curves.coding.measure_known(table) < LEAST_KNOWN) | (not self.quality.is_useful))

    def contributions(self, table: Table) -> dict[str, Doubles]:
        """Return what each column adds to the log-odds of being dissatisfied, before calibration, against the average answer.

        Parameters
        ----------
        table : mapping of str to sequence, each of length n_cases

        Returns
        -------
        dict of str to ndarray of float64, shape (n_cases,)
        """
        parts = (self.curves.apply(table) - np.array(self.middles)) * np.array(self.weights[1:])
        found = {name: np.zeros(len(parts)) for name in (*self.curves.coding.middles, *self.curves.coding.words)}
        for place, name in enumerate(self.curves.columns):
            found[name] = found[name] + parts[:, place]
        return found

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
        return {
            "task": TASK,
            "format": FORMAT,
            "curves": self.curves.to_json(),
            "weights": list(self.weights),
            "calibrator": {"kind": self.calibrator.kind, "numbers": list(self.calibrator.numbers)},
            "middles": list(self.middles),
            "quality": self.quality.to_json(),
            "newest": None if self.newest is None else self.newest.to_json(),
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
            return cls(
                Curves.from_json(stored["curves"]),
                tuple(stored["weights"]),
                Calibrator(stored["calibrator"]["kind"], tuple(stored["calibrator"]["numbers"])),
                tuple(stored["middles"]),
                read_quality(stored["quality"]),
                None if stored["newest"] is None else read_quality(stored["newest"]),
                stored["algorithm"],
                tuple(stored["chosen"]),
            )
        except (KeyError, TypeError) as error:
            raise ModelError(f"The model of satisfaction lacks a part ({error}); learn it again.") from error


class Learnt(NamedTuple):
    """A model, and what models that did not see an answer said of it: shape (n_answers,), 0–1."""

    model: SatisfactionModel
    held: Doubles


class _Fit(NamedTuple):
    curves: Curves
    weights: Doubles
    calibrator: Calibrator
    middles: Doubles
    name: str

    def estimate(self, table: Table) -> Doubles:
        return self.calibrator.apply(score_rows(self.weights, self.curves.apply(table)))


def learn_satisfaction(
    table: Table, is_dissatisfied: ArrayLike, *, customers: ArrayLike | None = None, times: ArrayLike | None = None, seed: int = 0
) -> Learnt:
    """Return the model of those who answered.

    Parameters
    ----------
    table : mapping of str to sequence, each of length n_answers
        What was known of each case when its customer was asked: sentiment, waits, reopenings, kind, touches …; None where not known.
    is_dissatisfied : array_like of bool, shape (n_answers,)
    customers : array_like of int, shape (n_answers,), optional
        Whose answers they are: a customer's are all learnt from or all held back. Each their own when left out.
    times : array_like, shape (n_answers,), optional
        When they answered, in any unit; without it `newest` is None.
    seed : int
        Of the folds.

    Raises
    ------
    InputError
        When shapes differ, fewer than 200 answered, or fewer than 30 were, or were not, dissatisfied.
    """
    answers = np.asarray(is_dissatisfied, dtype=bool)
    n, n_bad = count_rows(table), int(answers.sum())
    groups = np.arange(n) if customers is None else np.unique(np.asarray(customers), return_inverse=True)[1]
    moments = None if times is None else np.asarray(times, dtype=np.float64)
    if answers.shape != (n,) or groups.shape != (n,) or (moments is not None and moments.shape != (n,)):
        raise InputError(f"{answers.shape} answers of {groups.shape} customers for {n} cases; give one for each.")
    if n < LEAST_ANSWERS or min(n_bad, n - n_bad) < LEAST_OF_EACH:
        raise InputError(
            f"{n} answers, {n_bad} of them dissatisfied, are not enough data to estimate the others; "
            f"{LEAST_ANSWERS} answers with {LEAST_OF_EACH} of each are."
        )
    held, chosen = np.zeros(n), []
    for inside, outside in deal_folds(answers, groups, _OUTER, seed):
        fit = _learn_once(_take(table, inside), answers[inside], groups[inside], seed + 1)
        held[outside] = fit.estimate(_take(table, outside))
        chosen.append(fit.name)
    fit = _learn_once(table, answers, groups, seed + 1)
    numbers = tuple(float(one) for one in fit.weights), fit.calibrator, tuple(float(one) for one in fit.middles)
    newest = None if moments is None else _try_newest(table, answers, groups, moments, seed + 1)
    return Learnt(SatisfactionModel(fit.curves, *numbers, measure_quality(held, answers), newest, fit.name, tuple(chosen)), held)


def deal_folds(answers: Bools, groups: Places, n_folds: int, seed: int) -> list[tuple[Places, Places]]:
    """Return rows to learn from and to hold back, n_folds times; groups stay together and are dealt out by their dissatisfied, then size.

    Parameters
    ----------
    answers : ndarray of bool, shape (n,)
    groups : ndarray of int, shape (n,)
        Each below n.
    n_folds, seed : int
    """
    sizes, bad = np.bincount(groups), np.bincount(groups, weights=answers)
    order = np.lexsort((np.random.default_rng(seed).random(len(sizes)), sizes, bad))
    dealt = np.empty(len(sizes), dtype=np.int64)
    dealt[order] = np.arange(len(sizes)) % n_folds
    folds = dealt[groups]
    return [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in range(n_folds)]


def _learn_once(table: Table, answers: Bools, groups: Places, seed: int) -> _Fit:
    """Return curves, weights and calibration; the candidate and the calibrator have the least log-loss over inner folds."""
    curves = Curves.learn(table, least_count=_LEAST_WORD)
    features, n_straight = curves.apply(table), curves.n_straight
    tried = np.random.default_rng(seed).permutation(len(answers))[:_MOST_CHOSEN_ON]
    some, true = features[tried], answers[tried]
    folds = deal_folds(true, np.unique(groups[tried], return_inverse=True)[1], _INNER, seed)
    scores = {}
    for candidate in CANDIDATES:
        held = np.zeros(len(true))
        for inside, outside in folds:
            held[outside] = score_rows(candidate.learn(some[inside], true[inside], n_straight), some[outside])
        scores[candidate] = held
    best = _choose_simplest({one: lose(Calibrator("as is").apply(held), true) for one, held in scores.items()})
    calibrator = choose_calibrator(scores[best], true, folds)
    weights = best.learn(features, answers, n_straight)
    return _Fit(curves, weights, calibrator, features.mean(axis=0), f"{best.name}; {calibrator.kind}")


def _choose_simplest(losses: Mapping[Candidate, Doubles]) -> Candidate:
    """Return the first, in their order, whose losses (one a row) are on average within a standard error of the least."""
    best = min(losses.values(), key=lambda one: float(one.mean()))
    return next(one for one, lost in losses.items() if (lost - best).mean() <= (lost - best).std() / np.sqrt(len(best)))


def _try_newest(table: Table, answers: Bools, groups: Places, moments: Doubles, seed: int) -> Quality | None:
    """Return how good what was learnt from older answers is on the newest; None where too few are left."""
    order = np.argsort(moments, kind="stable")
    cut = int(len(order) * (1 - _NEWEST))
    older, newer = order[:cut], order[cut:]
    smallest = [min(int(part.sum()), int((~part).sum())) for part in (answers[older], answers[newer])]
    if smallest[0] < LEAST_OF_EACH - _LEAST_NEW or smallest[1] < _LEAST_NEW:
        return None
    return measure_quality(
        _learn_once(_take(table, older), answers[older], groups[older], seed).estimate(_take(table, newer)), answers[newer]
    )


def _take(table: Table, places: Places) -> dict[str, list[Any]]:
    return {name: [values[place] for place in places.tolist()] for name, values in table.items()}
